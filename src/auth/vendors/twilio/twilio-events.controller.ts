import { createHmac } from 'node:crypto';
import { Body, Controller, Header, HttpCode, Injectable, Post, Query, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiTags } from '@nestjs/swagger';
import { ApiError } from '../../../http/api-error.js';
import { Config } from '../../../config/config.js';
import { isSecret } from '../../../platform/constant-time.js';
import { EventGuard } from '../../reports/event.guard.js';
import { DeliveryEvents } from '../../reports/delivery-events.js';
import { ApiReport, twimlContent } from '../../reports/report.openapi.js';
import { InboundSms } from '../../reports/inbound-sms.js';
import { codeIn, entryIn, nameIn, recipientIn } from '../../reports/report-fields.js';
import { twilioConfig } from './twilio.config.js';
import { uuidOf } from '../../../platform/ids.js';
import type { DeliveryEventKind } from '../../messages/message.entities.js';
import type { ReportedEvent } from '../../reports/reported-event.js';
import { recipientLosses } from './twilio-sms.provider.js';

/** Statuses that tell something new; the others are steps on the way (MessageStatus of the Message resource). */
const kinds: Readonly<Record<string, DeliveryEventKind>> = {
  delivered: 'delivered',
  read: 'delivered',
  undelivered: 'failed',
  failed: 'failed',
  canceled: 'failed',
};

/**
 * What a status callback of Twilio says; null when that is nothing new.
 * @param messageId from the address that it was asked to call
 */
function twilioReport(form: URLSearchParams, messageId: unknown): ReportedEvent | null {
  const status = form.get('MessageStatus') ?? '';
  const kind = entryIn(kinds, status);
  const sid = nameIn(form.get('MessageSid'));
  if (kind === undefined || sid === null) return null;
  const code = codeIn(form.get('ErrorCode'));
  const suppression = kind === 'failed' ? (recipientLosses[Number(code)] ?? null) : null;
  return {
    provider: 'twilio',
    // Events have no name of their own, but each message reaches each status once.
    eventId: `${sid}:${status}`,
    channel: 'sms',
    messageUuid: uuidOf(messageId),
    receipt: { id: sid, providers: ['twilio'] },
    kind: suppression === null ? kind : 'bounced',
    detail: code ?? status,
    occurredAt: null,
    recipient: null,
    suppression,
  };
}

/**
 * Twilio signs the address that it calls, as it was given to it, followed by the fields of the form in the order of
 * their names (https://www.twilio.com/docs/usage/security#validating-requests). There is no time in it: what was caught
 * once could be sent again, and has no effect then.
 */
@Injectable()
class TwilioGuard extends EventGuard {
  constructor(private readonly config: Config) {
    super();
  }

  protected override async read(request: FastifyRequest): Promise<URLSearchParams> {
    const twilio = twilioConfig.ifSetUp(this.config);
    if (!twilio) throw this.notConfigured();
    if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(this.headerOf(request, 'content-type'))) {
      throw new ApiError('unsupported_media_type', 'Send the body as application/x-www-form-urlencoded');
    }
    const form = new URLSearchParams(await this.rawText(request));
    const given = this.headerOf(request, 'x-twilio-signature');
    const url = this.config.publicUrl + request.url;
    if (!isSecret(given, twilioSignature(twilio.authToken, url, form))) throw this.notAuthentic();
    return form;
  }
}

function twilioSignature(authToken: string, url: string, form: URLSearchParams): string {
  const names = [...new Set(form.keys())].sort();
  const fields = names.map((name) =>
    [...new Set(form.getAll(name))]
      .sort()
      .map((value) => name + value)
      .join(''),
  );
  return createHmac('sha1', authToken)
    .update(url + fields.join(''), 'utf8')
    .digest('base64');
}

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
    await this.events.takeAll([twilioReport(fields, messageId)]);
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
