import { uuidOf } from '../../../platform/ids.js';
import type { DeliveryEventKind } from '../../messages/message.entities.js';
import { codeIn, nameIn } from '../../reports/report-fields.js';
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
export function twilioReport(form: URLSearchParams, messageId: unknown): ReportedEvent | null {
  const status = form.get('MessageStatus') ?? '';
  const kind = Object.hasOwn(kinds, status) ? kinds[status] : undefined;
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
