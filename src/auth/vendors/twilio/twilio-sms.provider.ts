import {
  NotificationProvider,
  type OutgoingMessage,
  PermanentDeliveryError,
  type Receipt,
  type RecipientLoss,
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

const apiUrlOfTwilio = 'https://api.twilio.com';
const timeoutOfTwilioMs = 10_000;

/** Codes that speak of this number or this text: no other attempt can do better. */
const permanentReasons: Readonly<Record<number, string>> = {
  21211: 'rejected_recipient', // no valid number
  21214: 'rejected_recipient', // cannot be reached
  21217: 'rejected_recipient', // does not look like a number
  21265: 'rejected_recipient', // a short code
  21610: 'opted_out', // the person has sent STOP
  21614: 'rejected_recipient', // not a mobile number
  21617: 'rejected_message', // too long
  21635: 'rejected_recipient', // a landline
  30005: 'rejected_recipient', // unknown handset
  30006: 'rejected_recipient', // a landline
};

/**
 * Those after which nothing more can arrive at the number, in answers and in reports
 * (https://www.twilio.com/docs/api/errors). A telephone that is off, for example, ends one SMS and no more.
 */
export const recipientLosses: Readonly<Record<number, RecipientLoss>> = {
  21610: 'opt_out',
  30005: 'hard_bounce',
  30006: 'hard_bounce',
};

/** Codes that speak of the set-up or the moment: an operator, time or another provider may do better. */
const transientReasons: Readonly<Record<number, string>> = {
  14107: 'deferred', // rate limit
  20003: 'authentication_failed',
  20005: 'account_suspended',
  20429: 'deferred',
  21212: 'rejected_sender',
  21408: 'region_not_enabled',
  21603: 'rejected_sender',
  21606: 'rejected_sender',
  21611: 'deferred', // the sender's queue is full
  21612: 'no_route', // this sender cannot reach that number
  30001: 'deferred', // queue overflow
  30002: 'account_suspended',
  30003: 'unreachable',
  63038: 'deferred', // daily limit of the account
};

interface TwilioSettings {
  readonly accountSid: string;
  readonly authToken: string;
  /** A number, a short code, a name, or the SID of a messaging service (`MG…`). */
  readonly from: string;
  /** Where this service is reached: reports come back to `/events/twilio` there. */
  readonly publicUrl: string;
}

/**
 * SMS through Twilio (https://www.twilio.com/docs/messaging/api/message-resource). Twilio recognises no repetition, so
 * a message whose outcome is unknown may come twice; its reports name our id, even when the answer got lost.
 */
export class TwilioSmsProvider extends NotificationProvider {
  override readonly name = 'twilio';
  override readonly channel = 'sms';
  private readonly url: URL;

  constructor(
    private readonly settings: TwilioSettings,
    private readonly timeoutMs = timeoutOfTwilioMs,
    apiUrl = apiUrlOfTwilio,
  ) {
    super();
    const { accountSid } = settings;
    this.url = new URL(`/2010-04-01/Accounts/${encodeURIComponent(accountSid)}/Messages.json`, apiUrl);
  }

  override async send(message: OutgoingMessage): Promise<Receipt> {
    refuseUnsafe(message);
    const { accountSid, authToken } = this.settings;
    const headers = { authorization: basicCredentials(accountSid, authToken), 'user-agent': 'strike-auth' };
    const answer = await askVendor(this.url, { headers, body: this.form(message) }, this.timeoutMs);
    const { ok, status, fields } = answer;
    const code = fields[ok ? 'error_code' : 'code'];
    if (ok && (code === undefined || code === null)) return { receiptId: nameIn(fields['sid']) };
    throw errorOf(status, typeof code === 'number' ? code : 0);
  }

  private form({ messageId, to, text }: OutgoingMessage): URLSearchParams {
    const { from, publicUrl } = this.settings;
    const sender = /^MG[0-9a-f]{32}$/i.test(from) ? 'MessagingServiceSid' : 'From';
    const form = new URLSearchParams({ To: to, Body: text, [sender]: from });
    if (isReachableFromOutside(publicUrl)) {
      form.set('StatusCallback', `${publicUrl}/events/twilio?message_id=${messageId}`);
    }
    return form;
  }
}

/** What Twilio says in words may repeat the number, so it is left out. */
function errorOf(status: number, code: number): PermanentDeliveryError | TransientDeliveryError {
  const cause = new Error(`Twilio answered ${status}, code ${code}`);
  const permanent = permanentReasons[code];
  if (permanent !== undefined) {
    return new PermanentDeliveryError(permanent, { cause, recipientLoss: recipientLosses[code] });
  }
  const known = transientReasons[code];
  if (known !== undefined) return new TransientDeliveryError(known, { cause });
  if (status === 401) return new TransientDeliveryError('authentication_failed', { cause });
  const outcomeUnknown = mayHaveBeenTaken(status);
  return new TransientDeliveryError(status === 429 ? 'deferred' : 'refused_by_twilio', {
    cause,
    outcomeUnknown,
  });
}
