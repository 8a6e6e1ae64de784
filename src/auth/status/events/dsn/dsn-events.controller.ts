import { Body, Controller, HttpCode, Post, Query, UseGuards } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import { ReturnPath } from '../../../return-path.js';
import { DeliveryEvents } from '../delivery-events.js';
import { ApiReport } from '../events.openapi.js';
import { ReportResponse } from '../report.response.js';
import { dsnReports } from './dsn-report.js';
import { DsnGuard } from './dsn.guard.js';

@ApiTags('Delivery events')
@Controller('events/dsn')
export class DsnEventsController {
  constructor(
    private readonly events: DeliveryEvents,
    private readonly returnPath: ReturnPath,
  ) {}

  @Post()
  @HttpCode(200)
  @UseGuards(DsnGuard)
  @ApiQuery({
    name: 'recipient',
    required: false,
    schema: { type: 'string', maxLength: 320 },
    description: 'The address that the mail server took the notification for, when it is not in its headers.',
  })
  @ApiReport({
    operationId: 'reportBounce',
    summary: 'Delivery status notification, as a mail server received it',
    description:
      'The whole mail, at most 1 MiB, with `Authorization: Bearer <DSN_SECRET>`. What is no notification (RFC 3464) about ' +
      'a mail of ours is ignored. Only one that was sent to the return address of the message, which nobody can guess, ' +
      'keeps its recipient from getting more.',
    consumes: 'message/rfc822',
    example: 'From: MAILER-DAEMON@mx.example.net\r\nContent-Type: multipart/report; …\r\n\r\n…',
  })
  async report(@Body() mail: Buffer, @Query('recipient') recipient?: unknown): Promise<ReportResponse> {
    const find = (text: string) => this.returnPath.uuidIn(text);
    const events = await dsnReports(
      mail,
      find,
      typeof recipient === 'string' ? recipient.slice(0, 1_000) : '',
    );
    for (const event of events) await this.events.apply(event);
    return { received: events.length, reply: null };
  }
}
