import { uuidOf } from '../../../../message-id.js';
import type { DeliveryEventKind } from '../../delivery-event.entity.js';
import type { SuppressionReason } from '../../suppression.entity.js';
import type { EmailCarriers } from '../email-carriers.js';
import { codeIn, dateIn, nameIn, objectIn, recipientIn } from '../report-fields.js';
import type { ReportedEvent } from '../reported-event.js';

/** Types of a bounce that are none, or none yet (https://postmarkapp.com/developer/api/bounce-api#bounce-types). */
const notBounced: Readonly<Record<string, DeliveryEventKind | null>> = {
  Transient: 'delayed',
  AutoResponder: null,
  AddressChange: null,
  ChallengeVerification: null,
  OpenRelayTest: null,
  Subscribe: null,
  Unsubscribe: null,
  SpamComplaint: 'complained',
};

/** After these nothing more can arrive there. */
const isHard = new Set(['HardBounce', 'BadEmailAddress']);

/** What a webhook of Postmark says; null when that is nothing new. */
export function postmarkReport(
  body: Readonly<Record<string, unknown>>,
  carriers: EmailCarriers,
): ReportedEvent | null {
  const { RecordType, Type: type } = body;
  const kind = kindOf(RecordType, type);
  const id = nameIn(body['MessageID']);
  if (kind === null || id === null) return null;
  return {
    provider: 'postmark',
    // A bounce has a number of its own; a delivery there is once.
    eventId: `${id}:${kind}:${numberIn(body['ID'])}`,
    channel: 'email',
    messageUuid: uuidIn(objectIn(body['Metadata'])),
    receipt: carriers.receipt(id),
    kind,
    detail: codeIn(type),
    occurredAt: dateIn(body['BouncedAt'] ?? body['DeliveredAt']),
    recipient: recipientIn(body['Email'] ?? body['Recipient'], 'email'),
    suppression: suppressionFor(kind, type),
  };
}

/** Its name was a header's, and on the way of those the case changes. */
function uuidIn(metadata: Readonly<Record<string, unknown>>): string | null {
  const found = Object.entries(metadata).find(([name]) => name.toLowerCase() === 'message-id');
  return uuidOf(found?.[1]);
}

function kindOf(recordType: unknown, type: unknown): DeliveryEventKind | null {
  if (recordType === 'Delivery') return 'delivered';
  if (recordType === 'SpamComplaint') return 'complained';
  if (recordType !== 'Bounce') return null;
  return typeof type === 'string' && Object.hasOwn(notBounced, type) ? (notBounced[type] ?? null) : 'bounced';
}

function suppressionFor(kind: DeliveryEventKind, type: unknown): SuppressionReason | null {
  if (kind === 'complained') return 'complaint';
  return kind === 'bounced' && typeof type === 'string' && isHard.has(type) ? 'hard_bounce' : null;
}

function numberIn(value: unknown): string {
  return typeof value === 'number' ? String(value) : '';
}
