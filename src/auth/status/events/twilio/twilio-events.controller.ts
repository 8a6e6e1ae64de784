import { Body, Controller, Header, HttpCode, Post, Query, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DeliveryEvents } from '../delivery-events.js';
import { ApiReport, twimlContent } from '../events.openapi.js';
import { InboundSms } from '../inbound-sms.js';
import { nameIn, recipientIn } from '../report-fields.js';
import { TwilioGuard } from './twilio.guard.js';
import { twilioReport } from './twilio-report.js';

const form = 'application/x-www-form-urlencoded';

@ApiTags('Delivery events')
@Controller('events/twilio')
export class TwilioEventsController {
  constructor(
    private readonly events: DeliveryEvents,
    private readonly inbound: InboundSms,
  ) {}

  @Post()
  @HttpCode(200)
  @Header('Content-Type', 'text/xml; charset=utf-8')
  @UseGuards(TwilioGuard)
  @ApiReport({
    operationId: 'reportFromTwilio',
    summary: 'Status callback of Twilio',
    description:
      'Called by Twilio with `X-Twilio-Signature`. Every SMS names this address, and needs no set-up.',
    consumes: form,
    example: { MessageSid: 'SM00112233445566778899aabbccddeeff', MessageStatus: 'delivered' },
    content: twimlContent,
  })
  async report(@Body() fields: URLSearchParams, @Query('message_id') messageId?: unknown): Promise<string> {
    const event = twilioReport(fields, messageId);
    if (event) await this.events.apply(event);
    return twiml(null);
  }

  @Post('inbound')
  @HttpCode(200)
  @Header('Content-Type', 'text/xml; charset=utf-8')
  @UseGuards(TwilioGuard)
  @ApiReport({
    operationId: 'receiveFromTwilio',
    summary: 'SMS that somebody sent to our number at Twilio',
    description:
      'STOP opts the number out, START in again, HELP is answered in TwiML. Anything else is ignored.',
    consumes: form,
    example: { MessageSid: 'SM00112233445566778899aabbccddeeff', From: '+1234567890', Body: 'STOP' },
    content: twimlContent,
  })
  async receive(@Body() fields: URLSearchParams): Promise<string> {
    const answer = await this.inbound.receive({
      provider: 'twilio',
      eventId: nameIn(fields.get('MessageSid')),
      from: recipientIn(fields.get('From'), 'sms'),
      text: fields.get('Body') ?? '',
    });
    // With Advanced Opt-Out, Twilio has answered already and says to what.
    return twiml(fields.has('OptOutType') ? null : answer);
  }
}

/** https://www.twilio.com/docs/messaging/twiml */
function twiml(answer: string | null): string {
  const escaped = answer?.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const message = escaped === undefined ? '' : `<Message>${escaped}</Message>`;
  return `<?xml version="1.0" encoding="UTF-8"?><Response>${message}</Response>`;
}
