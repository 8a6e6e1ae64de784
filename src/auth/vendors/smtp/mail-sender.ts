import type { Mailbox } from '../../../config/mail.config.js';

/** Whom a mail comes from. */
export interface MailSender extends Mailbox {
  /** Where what cannot be delivered is returned to, by message; without it, or when it is null, to the address. */
  readonly envelopeFrom?: (messageId: string) => string | null;
  /** The header under which a vendor of mail keeps what it is to name in its reports: the id of the message. */
  readonly idHeader?: string;
}
