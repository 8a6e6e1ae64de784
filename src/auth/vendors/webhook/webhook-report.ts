import { uuidOf } from '../../../platform/ids.js';
import type { Channel } from '../../messages/confirmation-type.js';
import type { DeliveryEventKind } from '../../messages/message.entities.js';
import type { SuppressionReason } from '../../messages/suppression-list.js';
import { codeIn, dateIn, nameIn, objectIn, recipientIn } from '../../reports/report-fields.js';
import type { ReportedEvent } from '../../reports/reported-event.js';

const kinds: Readonly<Record<string, DeliveryEventKind>> = {
  'message.delayed': 'delayed',
  'message.delivered': 'delivered',
  'message.bounced': 'bounced',
  'message.complained': 'complained',
  'message.failed': 'failed',
};

/**
 * What a gateway of one's own says, of mail or SMS; null when that is nothing new.
 * @param webhookId names the event, the same each time it is sent
 * @param usualChannel what it is about unless it says so itself; null when that may be either
 */
export function webhookReport(
  body: Readonly<Record<string, unknown>>,
  webhookId: string | undefined,
  usualChannel: Channel | null,
): ReportedEvent | null {
  const type = typeof body['type'] === 'string' ? body['type'] : '';
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  const eventId = nameIn(webhookId);
  if (kind === undefined || eventId === null) return null;
  const data = objectIn(body['data']);
  const receipt = nameIn(data['id']);
  const { recipient, channel } = data;
  return {
    provider: 'webhook',
    eventId,
    channel: channel === 'email' || channel === 'sms' ? channel : usualChannel,
    messageUuid: uuidOf(data['message_id']),
    receipt: receipt === null ? null : { id: receipt, providers: ['webhook'] },
    kind,
    detail: codeIn(data['detail']),
    occurredAt: dateIn(body['timestamp']),
    recipient: recipientIn(recipient, 'email') ?? recipientIn(recipient, 'sms'),
    suppression: suppressionFor(kind, data['permanent'] === true),
  };
}

function suppressionFor(kind: DeliveryEventKind, isPermanent: boolean): SuppressionReason | null {
  if (kind === 'complained') return 'complaint';
  return kind === 'bounced' && isPermanent ? 'hard_bounce' : null;
}
