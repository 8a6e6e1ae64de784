import type { DeliveryEventKind } from '../../delivery-event.entity.js';
import type { SuppressionReason } from '../../suppression.entity.js';
import { isMailboxGone } from '../../../enhanced-status.js';
import type { EmailCarriers } from '../email-carriers.js';
import { codeIn, dateIn, nameIn, objectIn, recipientIn, uuidInMessageId } from '../report-fields.js';
import type { ReportedEvent } from '../reported-event.js';

/** https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event; opens and clicks say nothing of arrival. */
const kinds: Readonly<Record<string, DeliveryEventKind>> = {
  delivered: 'delivered',
  deferred: 'delayed',
  bounce: 'bounced',
  dropped: 'failed',
  spamreport: 'complained',
};

/** What one event of SendGrid says; null when that is nothing new. */
export function sendgridReport(value: unknown, carriers: EmailCarriers): ReportedEvent | null {
  const event = objectIn(value);
  const { event: name, status, type } = event;
  const kind = typeof name === 'string' && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
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
    suppression: suppressionFor(kind, status, type),
  };
}

function withoutBrackets(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll(/[<>]/g, '') : value;
}

/** A bounce of the type `blocked` says something against the sender or the moment. */
function suppressionFor(kind: DeliveryEventKind, status: unknown, type: unknown): SuppressionReason | null {
  if (kind === 'complained') return 'complaint';
  const isHard = type !== 'blocked' && typeof status === 'string' && isMailboxGone(status);
  return kind === 'bounced' && isHard ? 'hard_bounce' : null;
}
