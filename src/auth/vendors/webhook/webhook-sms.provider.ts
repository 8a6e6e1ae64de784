import { Webhook } from 'standardwebhooks';
import type { Clock } from '../../../platform/clock.js';
import {
  NotificationProvider,
  type OutgoingMessage,
  PermanentDeliveryError,
  type Receipt,
  refuseUnsafe,
  TransientDeliveryError,
} from '../../messages/notification-provider.js';
import { askVendor, mayHaveBeenTaken, type VendorAnswer } from '../http/vendor-request.js';
import { secretBytes } from './webhook.config.js';
import { nameIn } from '../../reports/report-fields.js';

const timeoutOfGatewayMs = 10_000;

/**
 * Client errors that say nothing against the message: wrong key, unpaid account, wrong URL or method, come back later,
 * still busy with this id. An operator repairs them, or time does, while the message waits.
 */
const notTheMessage = new Set([401, 402, 403, 404, 405, 407, 408, 409, 410, 415, 421, 423, 425, 426, 429]);

interface WebhookSettings {
  readonly url: string;
  /** `whsec_` and base64, or the bytes themselves; 24 bytes or more. */
  readonly secret: string;
}

/**
 * SMS through a gateway of one's own: a signed POST as Standard Webhooks describes it
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 *
 *     {"type":"sms.send","timestamp":"2026-01-02T03:04:05.000Z","data":{"message_id","to","text"}}
 *
 * `webhook-id` is the id of the message and the same on every attempt: a gateway that has seen it answers 2xx and does
 * not send again. 2xx takes the message over; `{"id"}` in the answer is kept as the receipt. 400, 422 and other client
 * errors refuse it for good, except those that blame the set-up or ask for patience; all else is tried again.
 */
export class WebhookSmsProvider extends NotificationProvider {
  override readonly name = 'webhook';
  override readonly channel = 'sms';
  private readonly url: URL;
  private readonly signer: Webhook;

  constructor(
    settings: WebhookSettings,
    private readonly clock: Clock,
    private readonly timeoutMs = timeoutOfGatewayMs,
  ) {
    super();
    this.url = new URL(settings.url);
    this.signer = new Webhook(secretBytes(settings.secret), { format: 'raw' });
  }

  override async send(message: OutgoingMessage): Promise<Receipt> {
    refuseUnsafe(message);
    const { ok, status, fields } = await this.post(message);
    const { id } = fields;
    if (ok) return { receiptId: nameIn(typeof id === 'number' ? String(id) : id) };
    // What else the answer says may repeat number and text, so it is left out.
    const cause = new Error(`The SMS gateway answered ${status}`);
    if (status >= 400 && status < 500 && !notTheMessage.has(status)) {
      throw new PermanentDeliveryError('rejected_by_gateway', { cause });
    }
    throw new TransientDeliveryError(status === 429 ? 'deferred' : 'refused_by_gateway', {
      cause,
      // 409: busy with this very id.
      outcomeUnknown: status === 409 || mayHaveBeenTaken(status),
      providerHealthy: status === 409,
    });
  }

  private post({ messageId, to, text }: OutgoingMessage): Promise<VendorAnswer> {
    const now = new Date(this.clock.now());
    const data = { message_id: messageId, to, text };
    const body = JSON.stringify({ type: 'sms.send', timestamp: now.toISOString(), data });
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'strike-auth',
      'webhook-id': messageId,
      'webhook-timestamp': Math.floor(now.getTime() / 1000).toString(),
      'webhook-signature': this.signer.sign(messageId, now, body),
    };
    return askVendor(this.url, { headers, body }, this.timeoutMs);
  }
}
