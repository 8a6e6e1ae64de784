import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DeliveryEvents } from '../delivery-events.js';
import { ApiReport } from '../events.openapi.js';
import { InboundSms } from '../inbound-sms.js';
import { nameIn, recipientIn } from '../report-fields.js';
import { ReportResponse } from '../report.response.js';
import { VonageGuard } from './vonage.guard.js';
import { vonageReport } from './vonage-report.js';

@ApiTags('Delivery events')
@Controller('events/vonage')
export class VonageEventsController {
  constructor(
    private readonly events: DeliveryEvents,
    private readonly inbound: InboundSms,
  ) {}

  @Post()
  @HttpCode(200)
  @UseGuards(VonageGuard)
  @ApiReport({
    operationId: 'reportFromVonage',
    summary: 'Status webhook of Vonage',
    description: 'Called by the Messages API with its signed JWT. Every SMS names this address.',
    consumes: 'application/json',
    example: {
      message_uuid: 'aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab',
      client_ref: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f',
      status: 'delivered',
      timestamp: '2026-01-31T12:00:00.000Z',
    },
  })
  async report(@Body() body: Record<string, unknown>): Promise<ReportResponse> {
    const event = vonageReport(body);
    if (event) await this.events.apply(event);
    return { received: event ? 1 : 0, reply: null };
  }

  @Post('inbound')
  @HttpCode(200)
  @UseGuards(VonageGuard)
  @ApiReport({
    operationId: 'receiveFromVonage',
    summary: 'SMS that somebody sent to our number at Vonage',
    description:
      'Called by the Messages API with its signed JWT. STOP opts the number out, START in again. Vonage sends no ' +
      'answers to a webhook, so HELP has none.',
    consumes: 'application/json',
    example: {
      message_uuid: 'aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab',
      channel: 'sms',
      from: '1234567890',
      text: 'STOP',
    },
  })
  async receive(@Body() body: Record<string, unknown>): Promise<ReportResponse> {
    const text = typeof body['text'] === 'string' ? body['text'] : '';
    const reply = await this.inbound.receive({
      provider: 'vonage',
      eventId: nameIn(body['message_uuid']),
      from: recipientIn(body['from'], 'sms'),
      text,
    });
    return { received: 1, reply };
  }
}
