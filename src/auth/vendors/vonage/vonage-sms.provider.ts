import {
  NotificationProvider,
  type OutgoingMessage,
  PermanentDeliveryError,
  type Receipt,
  refuseUnsafe,
  TransientDeliveryError,
} from '../../messages/notification-provider.js';
import {
  askVendor,
  basicCredentials,
  isReachableFromOutside,
  mayHaveBeenTaken,
} from '../http/vendor-request.js';
import { nameIn } from '../../reports/report-fields.js';

const apiUrlOfVonage = 'https://api.nexmo.com';
const timeoutOfVonageMs = 10_000;

/**
 * Codes that speak of this number or this text, in answers and in reports: no other attempt can do better
 * (https://developer.vonage.com/en/api-errors/messages).
 */
export const permanentReasons: Readonly<Record<number, string>> = {
  1050: 'opted_out', // the number is on Vonage's list of those that may get nothing
  1090: 'rejected_message', // too long
  1170: 'rejected_recipient', // no valid number
  1190: 'rejected_recipient', // the subscriber is gone
  1240: 'rejected_recipient', // no such number
};

/** Codes that speak of the set-up or the moment: an operator, time or another provider may do better. */
const transientReasons: Readonly<Record<number, string>> = {
  1000: 'deferred', // throttled
  1060: 'account_suspended',
  1070: 'no_credit',
  1120: 'rejected_sender',
  1140: 'region_not_enabled',
  1160: 'region_not_enabled', // a demonstration account may write to its own numbers only
};

/** Statuses that say it without a code. */
const reasonsByStatus: Readonly<Record<number, string>> = {
  401: 'authentication_failed',
  402: 'no_credit',
  403: 'authentication_failed',
  429: 'deferred',
};

interface VonageSettings {
  readonly apiKey: string;
  readonly apiSecret: string;
  /** A number, or a name where the country allows one. */
  readonly from: string;
  /** Where this service is reached: reports come back to `/events/vonage` there. */
  readonly publicUrl: string;
}

/**
 * SMS through Vonage's Messages API, version 1 (https://developer.vonage.com/en/api/messages). `client_ref` is the id
 * of the message, which comes back in every report. Vonage recognises no repetition.
 */
export class VonageSmsProvider extends NotificationProvider {
  override readonly name = 'vonage';
  override readonly channel = 'sms';
  private readonly url: URL;

  constructor(
    private readonly settings: VonageSettings,
    private readonly timeoutMs = timeoutOfVonageMs,
    apiUrl = apiUrlOfVonage,
  ) {
    super();
    this.url = new URL('/v1/messages', apiUrl);
  }

  override async send(message: OutgoingMessage): Promise<Receipt> {
    refuseUnsafe(message);
    const { apiKey, apiSecret } = this.settings;
    const headers = {
      authorization: basicCredentials(apiKey, apiSecret),
      'content-type': 'application/json',
      'user-agent': 'strike-auth',
    };
    const body = JSON.stringify(this.order(message));
    const { ok, status, fields } = await askVendor(this.url, { headers, body }, this.timeoutMs);
    if (ok) return { receiptId: nameIn(fields['message_uuid']) };
    throw errorOf(status, fields);
  }

  private order({ messageId, to, text }: OutgoingMessage): object {
    const { from, publicUrl } = this.settings;
    return {
      channel: 'sms',
      message_type: 'text',
      // E.164 without the plus.
      to: to.replace(/^\+/, ''),
      from: from.replace(/^\+/, ''),
      text,
      client_ref: messageId,
      ...(isReachableFromOutside(publicUrl)
        ? { webhook_url: `${publicUrl}/events/vonage`, webhook_version: 'v1' }
        : {}),
    };
  }
}

/** What Vonage says in words may repeat the number, so it is left out. */
function errorOf(
  status: number,
  fields: Readonly<Record<string, unknown>>,
): PermanentDeliveryError | TransientDeliveryError {
  const { type } = fields;
  // RFC 9457; the fragment of the type is the code.
  const code = typeof type === 'string' ? Number(/#(\d{4})$/.exec(type)?.[1] ?? 0) : 0;
  const cause = new Error(`Vonage answered ${status}, code ${code}`);
  const permanent = permanentReasons[code] ?? (blamesRecipient(status, fields) ? 'rejected_recipient' : null);
  if (permanent !== null) return new PermanentDeliveryError(permanent, { cause });
  const reason = transientReasons[code] ?? reasonsByStatus[status] ?? 'refused_by_vonage';
  return new TransientDeliveryError(reason, { cause, outcomeUnknown: mayHaveBeenTaken(status) });
}

/** A 422 names the fields that it refuses. */
function blamesRecipient(status: number, { invalid_parameters: list }: Readonly<Record<string, unknown>>) {
  return (
    status === 422 &&
    Array.isArray(list) &&
    list.some((item: unknown) => (item as { name?: unknown } | null)?.name === 'to')
  );
}
