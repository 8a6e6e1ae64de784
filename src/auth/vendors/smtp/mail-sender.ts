import addressparser from 'nodemailer/lib/addressparser';
import { ConfigurationError } from '../../../config/config.js';

/** Whom a mail comes from. */
export interface MailSender {
  readonly name: string;
  readonly address: string;
  /** The right-hand side of the address; message ids end in it (RFC 5322, section 3.6.4). */
  readonly domain: string;
  /** Where what cannot be delivered is returned to, by message; without it, or when it is null, to the address. */
  readonly envelopeFrom?: (messageId: string) => string | null;
  /** The header under which a vendor of mail keeps what it is to name in its reports: the id of the message. */
  readonly idHeader?: string;
}

/**
 * @param mailFrom one mailbox as RFC 5322 writes it: `Name <address@domain>`, or the address alone
 * @throws ConfigurationError when it is not exactly one address
 */
export function parseSender(mailFrom: string): MailSender {
  const [mailbox, ...others] = addressparser(mailFrom, { flatten: true });
  const domain = /^[^\s@<>]+@([^\s@<>]+)$/.exec(mailbox?.address ?? '')?.[1];
  if (!mailbox || !domain || others.length > 0 || /[\r\n]/.test(mailFrom)) {
    throw new ConfigurationError(['MAIL_FROM must be one address, such as Example <no-reply@example.com>']);
  }
  return { name: mailbox.name, address: mailbox.address, domain };
}
