import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { Body, Controller, HttpCode, Injectable, Post, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiTags } from '@nestjs/swagger';
import type { DeliveryEventKind } from '../../messages/message.entities.js';
import {
  codeIn,
  dateIn,
  EmailCarriers,
  entryIn,
  isMailboxGone,
  nameIn,
  objectIn,
  recipientIn,
  suppressionFor,
  uuidInMessageId,
} from '../../reports/report-fields.js';
import type { ReportedEvent } from '../../reports/reported-event.js';
import { Config } from '../../../config/config.js';
import { EventGuard, jsonObject } from '../../reports/event.guard.js';
import { DeliveryEvents } from '../../reports/delivery-events.js';
import { sendgridConfig } from './sendgrid.config.js';
import { ApiReport, ReportResponse } from '../../reports/report.openapi.js';

/** https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event; opens and clicks say nothing of arrival. */
const kinds: Readonly<Record<string, DeliveryEventKind>> = {
  delivered: 'delivered',
  deferred: 'delayed',
  bounce: 'bounced',
  dropped: 'failed',
  spamreport: 'complained',
};

/** What one event of SendGrid says; null when that is nothing new. */
function sendgridReport(value: unknown, carriers: EmailCarriers): ReportedEvent | null {
  const event = objectIn(value);
  const { event: name, status, type } = event;
  const kind = entryIn(kinds, name);
  const eventId = nameIn(event['sg_event_id']);
  if (kind === undefined || eventId === null) return null;
  const messageId = nameIn(event['sg_message_id']);
  return {
    provider: 'sendgrid',
    eventId,
    channel: 'email',
    messageUuid: uuidInMessageId(withoutBrackets(event['smtp-id'])),
    // What the server answered with is the part before the first dot.
    receipt: carriers.receipt(messageId?.split('.')[0]),
    kind,
    detail: codeIn(status) ?? codeIn(type),
    occurredAt: dateIn(event['timestamp']),
    recipient: recipientIn(event['email'], 'email'),
    // A bounce of the type `blocked` says something against the sender or the moment.
    suppression: suppressionFor(
      kind,
      type !== 'blocked' && typeof status === 'string' && isMailboxGone(status),
    ),
  };
}

function withoutBrackets(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll(/[<>]/g, '') : value;
}

/** SendGrid collects events and posts many at once. In bytes. */
const sendgridLimit = 1024 * 1024;

/**
 * SendGrid signs time and body with ECDSA
 * (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).
 * It tries again for a day, so the time limits nothing; each event has a name, and counts once.
 */
@Injectable()
class SendGridGuard extends EventGuard {
  private readonly key: KeyObject | null;

  constructor(config: Config) {
    super();
    const { verificationKey } = sendgridConfig.of(config);
    this.key =
      verificationKey === undefined
        ? null
        : createPublicKey({ key: Buffer.from(verificationKey, 'base64'), format: 'der', type: 'spki' });
  }

  protected override async read(request: FastifyRequest): Promise<unknown[]> {
    if (!this.key) throw this.notConfigured();
    const text = await this.rawText(request, sendgridLimit);
    const timestamp = this.headerOf(request, 'x-twilio-email-event-webhook-timestamp');
    const signature = Buffer.from(this.headerOf(request, 'x-twilio-email-event-webhook-signature'), 'base64');
    if (!verify('sha256', Buffer.from(timestamp + text, 'utf8'), this.key, signature))
      throw this.notAuthentic();
    return eventsIn(text);
  }
}

/** @throws ApiError 400 `bad_json` */
function eventsIn(text: string): unknown[] {
  const value: unknown = jsonObject(text);
  return Array.isArray(value) ? (value as unknown[]) : [];
}

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
  report(@Body() list: unknown[]): Promise<ReportResponse> {
    return this.events.takeAll(list.map((event) => sendgridReport(event, this.carriers)));
  }
}
