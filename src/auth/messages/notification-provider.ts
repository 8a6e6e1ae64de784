import type { Channel } from './confirmation-type.js';

/** A finished message: nothing in it is left to render. */
export interface OutgoingMessage {
  /** `msg_` and 32 hexadecimal digits; the same on every attempt, so that a provider can recognise a repetition. */
  readonly messageId: string;
  /** The normalised address: lower-case email, or E.164. */
  readonly to: string;
  /** Subject of the mail; not used for SMS. */
  readonly subject: string;
  readonly text: string;
  /** Body of the mail; not used for SMS. */
  readonly html: string;
}

export interface Receipt {
  /** The provider's own name for the message, when it gives one. */
  readonly receiptId: string | null;
}

/** Why a recipient gets nothing any more: the mailbox or number does not exist, or its person has said STOP. */
export type RecipientLoss = 'hard_bounce' | 'opt_out';

interface PermanentOptions extends ErrorOptions {
  /** Absent when the next message may arrive. */
  readonly recipientLoss?: RecipientLoss | undefined;
}

/** The provider refused for good: trying again, or elsewhere, cannot help. */
export class PermanentDeliveryError extends Error {
  override readonly name = 'PermanentDeliveryError';
  readonly recipientLoss: RecipientLoss | undefined;

  /** @param reason one short word for the operator, such as `rejected_recipient` */
  constructor(
    readonly reason: string,
    { recipientLoss, ...options }: PermanentOptions = {},
  ) {
    super(reason, options);
    this.recipientLoss = recipientLoss;
  }
}

interface TransientOptions extends ErrorOptions {
  /** Everything had been handed over when the answer got lost: the provider may have taken the message all the same. */
  readonly outcomeUnknown?: boolean;
  /** It speaks of this recipient, such as one whose mailbox is full. The provider works, and others may go on using it. */
  readonly providerHealthy?: boolean;
}

/** The provider cannot take the message now, or it is unknown whether it has: worth another attempt. */
export class TransientDeliveryError extends Error {
  override readonly name = 'TransientDeliveryError';
  readonly outcomeUnknown: boolean;
  readonly providerHealthy: boolean;

  /** @param reason one short word for the operator, such as `connection_failed` */
  constructor(
    readonly reason: string,
    { outcomeUnknown = false, providerHealthy = false, ...options }: TransientOptions = {},
  ) {
    super(reason, options);
    this.outcomeUnknown = outcomeUnknown;
    this.providerHealthy = providerHealthy;
  }
}

/** One channel to the outside world. It never retries: only the outbox does. */
export abstract class NotificationProvider {
  /** Unlike any other provider's, and the same after every start; it stands in rows and figures, and holds no secret. */
  abstract readonly name: string;
  abstract readonly channel: Channel;

  /**
   * Hands the message over. Resolves once the provider has taken responsibility for it.
   * @throws PermanentDeliveryError | TransientDeliveryError, and nothing else
   */
  abstract send(message: OutgoingMessage): Promise<Receipt>;
}

/** Control characters, the brackets that end an address in SMTP, and the line separators of Unicode: nowhere. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const unsafeInAddress = /[\u0000-\u001f\u007f<>\u2028\u2029]/;
/** What separates addresses in a list: only within quotes. */
const separatesAddresses = /[\s,;]/;
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const unsafeInHeader = /[\u0000-\u001f\u007f\u2028\u2029]/;

/**
 * Refuses what could break out of a header or an SMTP command. Validation at the door never lets such a thing in,
 * and the libraries below strip line breaks; a provider does not rely on either.
 * @throws PermanentDeliveryError `malformed_message`
 */
export function refuseUnsafe({ messageId, to, subject }: OutgoingMessage): void {
  const safe =
    /^msg_[0-9a-f]{32}$/.test(messageId) &&
    to.length > 0 &&
    to.length <= 320 &&
    !unsafeInAddress.test(to) &&
    !separatesAddresses.test(to.replace(/^"[^"]*"/, '')) &&
    !unsafeInHeader.test(subject);
  if (!safe) throw new PermanentDeliveryError('malformed_message');
}
