import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { inboxSmsDomain } from '../auth/vendors/smtp/inbox-sms.provider.js';
import type { ArrivedMessage, Inbox } from './inbox.js';

/** Finds the link and the code in a mail. `recipient` is the one of the envelope. */
function messageIn(mail: ParsedMail, recipient: string): ArrivedMessage {
  const text = (mail.text ?? '').trimEnd();
  const phone = phoneOf(recipient);
  const common = { message_id: messageIdOf(mail.messageId), text, code: codeIn(text) };
  if (phone !== null) {
    return { ...common, channel: 'sms', to: phone, subject: null, html: null, link: null };
  }
  return {
    ...common,
    channel: 'email',
    to: recipient.toLowerCase(),
    subject: mail.subject ?? '',
    html: mail.html || null,
    link: linkIn(text),
  };
}

function phoneOf(recipient: string): string | null {
  const suffix = `@${inboxSmsDomain}`;
  return recipient.toLowerCase().endsWith(suffix) ? recipient.slice(0, -suffix.length) : null;
}

/** The part before the `@` in our mails; the whole id in those of others. */
function messageIdOf(header: string | undefined): string | null {
  if (header === undefined) return null;
  return /^<(msg_[0-9a-f]{32})@/.exec(header)?.[1] ?? header.replace(/^<|>$/g, '');
}

function linkIn(text: string): string | null {
  // A link that has a line of its own is the one to follow; addresses within sentences are decoration.
  return (/^\s*(https?:\/\/\S+)\s*$/im.exec(text) ?? /(https?:\/\/[^\s<>"]+)/i.exec(text))?.[1] ?? null;
}

function codeIn(text: string): string | null {
  const prose = text.replace(/https?:\/\/\S+/gi, '');
  const found =
    /^\s*(\d{6})\s*$/m.exec(prose) ??
    /#(\d{6}|\d{8})\s*$/.exec(prose) ??
    /(?<!\w)(\d{6}|\d{8})(?!\w)/.exec(prose);
  return found?.[1] ?? null;
}

const maxMailBytes = 1024 * 1024;
/** How long a client may finish what it is sending when the catcher stops. */
const closeTimeoutMs = 1_000;

/**
 * A mail server inside this process that delivers into the inbox. It listens on the loopback interface only, on a
 * port that the system chooses.
 */
export class SmtpCatcher implements OnApplicationShutdown {
  private static readonly logger = new Logger(SmtpCatcher.name);

  private constructor(
    private readonly server: SMTPServer,
    /** For the mailer. */
    readonly url: string,
  ) {}

  /** Resolves once it listens, so that a catcher accepts mail from the start. */
  static async start(inbox: Inbox): Promise<SmtpCatcher> {
    const server = new SMTPServer({
      name: 'localhost',
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      size: maxMailBytes,
      closeTimeout: closeTimeoutMs,
      onData: (stream, session, callback) => {
        SmtpCatcher.receive(inbox, stream, session).then(() => {
          callback();
        }, callback);
      },
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    server.removeAllListeners('error');
    // A client that hangs up in the middle; without a listener it would end the process.
    server.on('error', (error) => {
      SmtpCatcher.logger.debug(error.message);
    });
    // The HTTP server keeps the process alive, not this one: a command that only builds the application can end.
    server.server.unref();
    return new SmtpCatcher(server, `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`);
  }

  /** After everything that sends: the hooks of modules that are destroyed earlier have run by now. */
  async onApplicationShutdown(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(resolve);
    });
  }

  private static async receive(
    inbox: Inbox,
    stream: SMTPServerDataStream,
    { envelope }: SMTPServerSession,
  ): Promise<void> {
    const mail = await simpleParser(stream, {
      skipHtmlToText: true,
      skipTextToHtml: true,
      skipImageLinks: true,
    });
    if (stream.sizeExceeded) {
      throw Object.assign(new Error('Message exceeds the maximum size'), { responseCode: 552 });
    }
    for (const { address } of envelope.rcptTo) inbox.add(messageIn(mail, address));
  }
}
