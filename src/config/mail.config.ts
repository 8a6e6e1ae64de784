import addressparser from 'nodemailer/lib/addressparser';
import { isStrict, isThisMachine } from './plaintext.js';
import { urls } from './readers.js';
import { Section, variable } from './section.js';
import { service } from './service.config.js';

/** One mailbox, as RFC 5322, section 3.4, has it. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
  /** The right-hand side of the address; message ids end in it (RFC 5322, section 3.6.4). */
  readonly domain: string;
}

/** @param given `Name <address@domain>`, or the address alone */
export function mailbox(given: string): Mailbox {
  const [first, ...others] = addressparser(given, { flatten: true });
  const domain = /^[^\s@<>]+@([^\s@<>]+)$/.exec(first?.address ?? '')?.[1];
  if (first && domain && others.length === 0 && !/[\r\n]/.test(given)) {
    return { name: first.name, address: first.address, domain };
  }
  throw new Error('must be one address, such as Example <no-reply@example.com>');
}

/** RFC 5321, section 4.5.3.1.1, allows 64 octets before the `@`; 49 of them are what stands behind the name. */
function returnPath(given: string): string {
  if (/^[a-z0-9_.-]{1,15}@[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(given)) return given.toLowerCase();
  throw new Error('must be an address such as bounces@example.com, with at most 15 characters before the @');
}

/** Whether options in the query let go of the encryption that is required otherwise. */
function isPlainSmtp(address: string): boolean {
  const { protocol, hostname, searchParams } = new URL(address);
  const isOff = (name: string, usual: string) => searchParams.getAll(name).some((value) => value !== usual);
  return (
    protocol === 'smtp:' &&
    !isThisMachine(hostname) &&
    (isOff('ignoreTLS', 'false') || isOff('requireTLS', 'true'))
  );
}

/** Mail belongs to no vendor: whether there is a server decides on the development inbox, too. */
export const mail = new Section(
  'Mail',
  {
    smtpUrls: variable('SMTP_URL', urls('smtp', 'smtps'), {
      required: 'the inbox is for development only',
      secret: true,
      about:
        'The mail server, such as `smtps://user:password@host:465`, or several separated by commas, the preferred one first. With `smtp://` production wants STARTTLS of a server on another machine. In development without it, mail goes to the inbox.',
    }),
    mailFrom: variable('MAIL_FROM', mailbox, {
      default: 'Strike Auth <no-reply@strike-auth.localhost>',
      required: 'it is the sender that people see',
      about: 'The sender of mails: `Example <no-reply@example.com>`.',
    }),
    mailReturnPath: variable('MAIL_RETURN_PATH', returnPath, {
      about:
        'Where mail that cannot be delivered is returned to, as `bounces+…@example.com`: a mailbox that takes subaddresses. Without it: `MAIL_FROM`.',
    }),
  },
  {
    check({ smtpUrls }, valuesOf) {
      const process = valuesOf(service);
      const { role = 'all' } = process;
      return [
        isStrict(process, 'smtp') &&
          smtpUrls?.some(isPlainSmtp) &&
          'SMTP_URL turns STARTTLS off for another machine: links and codes would travel in plain text. ' +
            'Take ignoreTLS and requireTLS out of it, or set ALLOW_PLAINTEXT=smtp',
        role !== 'all' &&
          !smtpUrls &&
          `ROLE=${role} needs SMTP_URL: each process would have an inbox of its own`,
      ];
    },
  },
);
