import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Config } from '../../../../config.js';
import { EventGuard, headerOf, jsonObject, notAuthentic, notConfigured, rawText } from '../event.guard.js';

/** SendGrid collects events and posts many at once. In bytes. */
const sendgridLimit = 1024 * 1024;

/**
 * SendGrid signs time and body with ECDSA
 * (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).
 * It tries again for a day, so the time limits nothing; each event has a name, and counts once.
 */
@Injectable()
export class SendGridGuard extends EventGuard {
  private readonly key: KeyObject | null;

  constructor({ events }: Config) {
    super();
    this.key =
      events.sendgridKey === undefined
        ? null
        : createPublicKey({ key: Buffer.from(events.sendgridKey, 'base64'), format: 'der', type: 'spki' });
  }

  protected override async read(request: FastifyRequest): Promise<unknown[]> {
    if (!this.key) throw notConfigured();
    const text = await rawText(request, sendgridLimit);
    const timestamp = headerOf(request, 'x-twilio-email-event-webhook-timestamp');
    const signature = Buffer.from(headerOf(request, 'x-twilio-email-event-webhook-signature'), 'base64');
    if (!verify('sha256', Buffer.from(timestamp + text, 'utf8'), this.key, signature)) throw notAuthentic();
    return eventsIn(text);
  }
}

/** @throws ApiError 400 `bad_json` */
function eventsIn(text: string): unknown[] {
  const value: unknown = jsonObject(text);
  return Array.isArray(value) ? (value as unknown[]) : [];
}
