import { MailerModule, type MailerOptions } from '@nestjs-modules/mailer';
import type { DynamicModule } from '@nestjs/common';
import type { Config } from '../../../config/config.js';
import { isStrict, isThisMachine } from '../../../config/plaintext.js';
import { mailPlugins } from './smtp.provider.js';

/** A mail server and what it is called in rows, figures and logs. */
export interface SmtpServer {
  readonly name: string;
  readonly url: string;
}

/**
 * Names for servers: `smtp` when there is one, else `smtp:host:port`. User names stay out, because with some vendors they
 * are the secret; so a second account at the same server is told apart by its place, `smtp:host:port#2`.
 * @param urls in order of preference
 */
export function smtpServers(urls: readonly string[]): readonly SmtpServer[] {
  const seen = new Map<string, number>();
  return urls.map((url) => {
    const place = placeOf(url);
    const count = (seen.get(place) ?? 0) + 1;
    seen.set(place, count);
    const several = `smtp:${place}${count > 1 ? `#${count}` : ''}`;
    return { url, name: urls.length > 1 ? several : 'smtp' };
  });
}

/** Host and port; the ports are those of submission (RFC 6409) and submission over TLS (RFC 8314). */
function placeOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${hostname.toLowerCase()}:${port || (protocol === 'smtps:' ? '465' : '587')}`;
}

/** Milliseconds that a server may be silent: before the connection stands, before its greeting, and later on. */
interface SmtpTimeouts {
  readonly connection: number;
  readonly greeting: number;
  readonly socket: number;
}

const smtpTimeouts: SmtpTimeouts = { connection: 10_000, greeting: 10_000, socket: 20_000 };

/**
 * Connections are pooled and kept: a handshake for each mail would cost more than the mail. Options in the query of a
 * URL win, as nodemailer defines them: `smtp://user:pass@host:587/?maxConnections=10`.
 * @param servers by the name under which a mail asks for one; a single one is asked without a name
 * @param isTlsRequired of every server on another machine, not only where there is a password to protect
 */
export function mailerOptions(
  servers: readonly SmtpServer[],
  { timeouts = smtpTimeouts, isTlsRequired = false } = {},
): MailerOptions {
  const transportTo = (url: string) => transport(url, isTlsRequired, timeouts);
  const [first, ...others] = servers;
  if (first && others.length === 0) {
    return { transport: transportTo(first.url), plugins: [...mailPlugins] };
  }
  const transports = Object.fromEntries(servers.map(({ name, url }) => [name, transportTo(url)]));
  return { transports, plugins: [...mailPlugins] };
}

/** @param smtpUrl `smtp://` (STARTTLS when offered, and where it is required) or `smtps://` */
function transport(smtpUrl: string, isTlsRequired: boolean, { connection, greeting, socket }: SmtpTimeouts) {
  const { username, hostname } = new URL(smtpUrl);
  return {
    url: smtpUrl,
    pool: true,
    // Nodemailer's own five of a hundred mails each would spend more time on handshakes than on mails.
    maxConnections: 10,
    maxMessages: 1_000,
    requireTLS: (isTlsRequired || username !== '') && !isThisMachine(hostname),
    connectionTimeout: connection,
    greetingTimeout: greeting,
    socketTimeout: socket,
    // Not a retry of a mail, only of a pooled connection that the server had closed before it got a byte of it.
    maxRequeues: 1,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** A mail server for development that keeps what it gets; the inbox is one. */
export abstract class MailCatcher {
  /** `smtp://`, on this machine. */
  abstract readonly url: string;
}

/** The mailer, global: towards the servers of `SMTP_URL`, or without any towards the catcher of the development inbox. */
export function mailerModule(config: Config): DynamicModule {
  const { smtpUrls } = config;
  if (smtpUrls.length > 0) {
    const isTlsRequired = isStrict(config, 'smtp');
    return MailerModule.forRoot(mailerOptions(smtpServers(smtpUrls), { isTlsRequired }));
  }
  return MailerModule.forRootAsync({
    imports: [],
    inject: [MailCatcher],
    useFactory: (catcher: MailCatcher) => mailerOptions(smtpServers([catcher.url])),
  });
}
