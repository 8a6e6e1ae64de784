import type { DeliveryEventKind } from '../../messages/message.entities.js';
import {
  codeIn,
  dateIn,
  type EmailCarriers,
  listIn,
  objectIn,
  recipientIn,
  uuidInMessageId,
} from '../../reports/report-fields.js';
import type { ReportedEvent } from '../../reports/reported-event.js';

interface Kind {
  readonly kind: DeliveryEventKind;
  /** The member that tells of it, and the list in it that names the recipients. */
  readonly member: string;
  readonly recipients: string;
}

/** Both forms: notifications of an identity, and published events (https://docs.aws.amazon.com/ses/latest/dg/). */
const kinds: Readonly<Record<string, Kind>> = {
  Bounce: { kind: 'bounced', member: 'bounce', recipients: 'bouncedRecipients' },
  Complaint: { kind: 'complained', member: 'complaint', recipients: 'complainedRecipients' },
  Delivery: { kind: 'delivered', member: 'delivery', recipients: 'recipients' },
  DeliveryDelay: { kind: 'delayed', member: 'deliveryDelay', recipients: 'delayedRecipients' },
  Reject: { kind: 'failed', member: 'reject', recipients: '' },
};

/**
 * What a notification of SES says; null when that is nothing new.
 * @param eventId the name that SNS gave to it
 */
export function sesReport(
  body: Readonly<Record<string, unknown>>,
  eventId: string,
  carriers: EmailCarriers,
): ReportedEvent | null {
  const type = body['notificationType'] ?? body['eventType'];
  const known = typeof type === 'string' && Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (!known) return null;
  const { kind } = known;
  const mail = objectIn(body['mail']);
  const report = objectIn(body[known.member]);
  const recipient = listIn(report[known.recipients])[0];
  const { emailAddress, status } = objectIn(recipient);
  const isPermanent = report['bounceType'] === 'Permanent';
  return {
    provider: 'ses',
    eventId,
    channel: 'email',
    messageUuid: uuidInMessageId(objectIn(mail['commonHeaders'])['messageId']),
    receipt: carriers.receipt(mail['messageId']),
    kind,
    detail: codeIn(status) ?? wordFor(report),
    // A mail is rejected when it is handed over.
    occurredAt: dateIn(report['timestamp'] ?? (kind === 'failed' ? mail['timestamp'] : undefined)),
    recipient: recipientIn(emailAddress ?? recipient, 'email'),
    suppression:
      kind === 'complained' ? 'complaint' : kind === 'bounced' && isPermanent ? 'hard_bounce' : null,
  };
}

/** `Bad content`, the reason of a rejection, becomes one word. */
function wordFor({ bounceSubType, complaintFeedbackType, reason }: Readonly<Record<string, unknown>>) {
  const words = typeof reason === 'string' ? reason.trim().toLowerCase().replace(/\s+/g, '_') : null;
  return codeIn(bounceSubType) ?? codeIn(complaintFeedbackType) ?? codeIn(words);
}
