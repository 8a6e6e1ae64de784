import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DeliveryEvents } from '../delivery-events.js';
import { EmailCarriers } from '../email-carriers.js';
import { ApiReport } from '../events.openapi.js';
import { ReportResponse } from '../report.response.js';
import { sendgridReport } from './sendgrid-report.js';
import { SendGridGuard } from './sendgrid.guard.js';

@ApiTags('Delivery events')
@Controller('events/sendgrid')
export class SendGridEventsController {
  constructor(
    private readonly events: DeliveryEvents,
    private readonly carriers: EmailCarriers,
  ) {}

  @Post()
  @HttpCode(200)
  @UseGuards(SendGridGuard)
  @ApiReport({
    operationId: 'reportFromSendGrid',
    summary: 'Events from SendGrid',
    description: 'Called by the Event Webhook of SendGrid with its signature.',
    consumes: 'application/json',
    example: [
      {
        event: 'bounce',
        sg_event_id: 'Ym91bmNlLTAtMQ',
        'smtp-id': '<msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f@example.com>',
        email: 'user@example.com',
        status: '5.1.1',
        timestamp: 1769860800,
      },
    ],
  })
  async report(@Body() list: unknown[]): Promise<ReportResponse> {
    const events = list.flatMap((event) => sendgridReport(event, this.carriers) ?? []);
    for (const event of events) await this.events.apply(event);
    return { received: events.length, reply: null };
  }
}
