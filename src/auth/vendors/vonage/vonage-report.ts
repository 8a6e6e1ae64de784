import { uuidOf } from '../../../platform/ids.js';
import type { DeliveryEventKind } from '../../messages/message.entities.js';
import { codeIn, dateIn, nameIn, objectIn } from '../../reports/report-fields.js';
import type { ReportedEvent } from '../../reports/reported-event.js';
import { permanentReasons } from './vonage-sms.provider.js';

/** Statuses that tell something new; `submitted` is a step on the way. */
const kinds: Readonly<Record<string, DeliveryEventKind>> = {
  delivered: 'delivered',
  read: 'delivered',
  rejected: 'failed',
  undeliverable: 'failed',
};

/** What a status webhook of Vonage's Messages API says; null when that is nothing new. */
export function vonageReport(body: Readonly<Record<string, unknown>>): ReportedEvent | null {
  const status = typeof body['status'] === 'string' ? body['status'] : '';
  const id = nameIn(body['message_uuid']);
  const known = Object.hasOwn(kinds, status) ? kinds[status] : undefined;
  if (known === undefined || id === null) return null;
  const code = codeOf(objectIn(body['error']));
  const isGone = known === 'failed' && permanentReasons[Number(code)] === 'rejected_recipient';
  return {
    provider: 'vonage',
    // Each message reaches each status once; the name of the token changes when Vonage repeats itself.
    eventId: `${id}:${status}`,
    channel: 'sms',
    messageUuid: uuidOf(body['client_ref']),
    receipt: { id, providers: ['vonage'] },
    kind: isGone ? 'bounced' : known,
    detail: code ?? status,
    occurredAt: dateIn(body['timestamp']),
    recipient: null,
    suppression: isGone ? 'hard_bounce' : null,
  };
}

/** The code is the fragment of the type, or the title. */
function codeOf({ type, title }: Readonly<Record<string, unknown>>): string | null {
  const fragment = typeof type === 'string' ? /#(\d{1,5})$/.exec(type)?.[1] : undefined;
  return codeIn(fragment ?? title);
}
