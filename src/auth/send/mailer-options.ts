import type { MailerOptions } from '@nestjs-modules/mailer';
import { followContent } from './providers/handed-over-content.js';
import type { SmtpServer } from './smtp-servers.js';

/** Milliseconds that a server may be silent: before the connection stands, before its greeting, and later on. */
interface Patience {
  readonly connection: number;
  readonly greeting: number;
  readonly socket: number;
}

const patience: Patience = { connection: 10_000, greeting: 10_000, socket: 20_000 };

/**
 * Connections are pooled and kept: a handshake for each mail would cost more than the mail. Options in the query of a
 * URL win, as nodemailer defines them: `smtp://user:pass@host:587/?maxConnections=10`.
 * @param servers by the name under which a mail asks for one; a single one is asked without a name
 */
export function mailerOptions(servers: readonly SmtpServer[], patient: Patience = patience): MailerOptions {
  const [first, ...others] = servers;
  if (first && others.length === 0) {
    return { transport: transportTo(first.url, patient), plugins: [followContent] };
  }
  const transports = Object.fromEntries(servers.map(({ name, url }) => [name, transportTo(url, patient)]));
  return { transports, plugins: [followContent] };
}

/** @param smtpUrl `smtp://` (STARTTLS when offered; required when there is a password to protect) or `smtps://` */
function transportTo(smtpUrl: string, { connection, greeting, socket }: Patience) {
  const { username, hostname } = new URL(smtpUrl);
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return {
    url: smtpUrl,
    pool: true,
    // Nodemailer's own five of a hundred mails each would spend more time on handshakes than on mails.
    maxConnections: 10,
    maxMessages: 1_000,
    requireTLS: username !== '' && !loopback,
    connectionTimeout: connection,
    greetingTimeout: greeting,
    socketTimeout: socket,
    // Not a retry of a mail, only of a pooled connection that the server had closed before it got a byte of it.
    maxRequeues: 1,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
