import type { AddressInfo } from 'node:net';
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { Inbox } from './inbox.js';
import { messageIn } from './mail-content.js';

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

  /** Resolves once it listens: whoever is given a catcher can send to it. */
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
