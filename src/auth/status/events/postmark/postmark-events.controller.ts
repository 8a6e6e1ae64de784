import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DeliveryEvents } from '../delivery-events.js';
import { EmailCarriers } from '../email-carriers.js';
import { ApiReport } from '../events.openapi.js';
import { ReportResponse } from '../report.response.js';
import { postmarkReport } from './postmark-report.js';
import { PostmarkGuard } from './postmark.guard.js';

@ApiTags('Delivery events')
@Controller('events/postmark')
export class PostmarkEventsController {
  constructor(
    private readonly events: DeliveryEvents,
    private readonly carriers: EmailCarriers,
  ) {}

  @Post()
  @HttpCode(200)
  @UseGuards(PostmarkGuard)
  @ApiReport({
    operationId: 'reportFromPostmark',
    summary: 'Delivery, bounce or spam complaint from Postmark',
    description: 'Called by Postmark with user and password of the webhook (RFC 7617).',
    consumes: 'application/json',
    example: {
      RecordType: 'Bounce',
      ID: 692560173,
      Type: 'HardBounce',
      MessageID: '883953f4-6105-42a2-a16a-77a8eac79483',
      Metadata: { 'message-id': 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f' },
      Email: 'user@example.com',
      BouncedAt: '2026-01-31T12:00:00.0000000Z',
    },
  })
  async report(@Body() body: Record<string, unknown>): Promise<ReportResponse> {
    const event = postmarkReport(body, this.carriers);
    if (event) await this.events.apply(event);
    return { received: event ? 1 : 0, reply: null };
  }
}
