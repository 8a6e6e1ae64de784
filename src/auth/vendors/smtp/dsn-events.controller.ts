import { Body, Controller, HttpCode, Injectable, Post, Query, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import { ApiError } from '../../../http/api-error.js';
import { Config } from '../../../config/config.js';
import { RawBody } from '../../../http/request-body.js';
import { isSecret } from '../../../platform/constant-time.js';
import { EventGuard } from '../../reports/event.guard.js';
import { ReturnPath } from './return-path.js';
import { DeliveryEvents } from '../../reports/delivery-events.js';
import { ApiReport, ReportResponse } from '../../reports/report.openapi.js';
import { dsnConfig } from './dsn.config.js';
import { dsnReports } from './dsn-report.js';

/** Some servers return the whole mail; ours are far smaller. In bytes. */
const notificationLimit = 1024 * 1024;

/**
 * A mail as it came, with the secret as a bearer token (RFC 6750): what a mail server can run is a pipe to `curl`, which
 * signs nothing.
 */
@Injectable()
class DsnGuard extends EventGuard {
  constructor(private readonly config: Config) {
    super();
  }

  protected override async read(request: FastifyRequest): Promise<Buffer> {
    const { secret } = dsnConfig.of(this.config);
    if (secret === undefined) throw this.notConfigured();
    // Before anything is read: only an authenticated sender may send a megabyte.
    if (!isSecret(this.headerOf(request, 'authorization'), `Bearer ${secret}`)) throw this.notAuthentic();
    if (!/^message\/rfc822\s*(;|$)/i.test(this.headerOf(request, 'content-type'))) {
      throw new ApiError('unsupported_media_type', 'Send the body as message/rfc822');
    }
    if (!(request.body instanceof RawBody)) throw new ApiError('bad_json', 'Send the report in the body');
    return request.body.bytes(notificationLimit);
  }
}

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
    const to = typeof recipient === 'string' ? recipient.slice(0, 1_000) : '';
    return this.events.takeAll(await dsnReports(mail, find, to));
  }
}
