import { type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

/** A mail that the server has taken over, whether or not whoever sent it lived to hear so. */
export interface Arrival {
  /** As the client got it in the answer: `msg_…`. */
  readonly messageId: string;
  /** The process that sent it. */
  readonly sender: string;
}

/**
 * A real SMTP server that many processes send to, each under a name of its own. It writes down a mail as soon as it has all
 * of it, and answers a moment later: who is killed in between has sent a mail without knowing it.
 */
export class RecordingSmtpServer {
  readonly arrivals: Arrival[] = [];
  /** Mails that came whole, were not taken over, and wait for an answer that does not come. */
  readonly held: Arrival[] = [];
  private readonly holding = new Set<string>();
  private readonly server: SMTPServer;

  private constructor(private readonly answerAfterMs: () => number) {
    this.server = new SMTPServer({
      name: 'recording.test',
      disabledCommands: ['STARTTLS'],
      authOptional: true,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      closeTimeout: 100,
      onAuth: (auth, _session, callback) => callback(null, { user: auth.username }),
      onData: (stream, session, callback) => {
        void buffer(stream).then(
          (raw) => this.take(raw.toString('latin1'), String(session.user), callback),
          callback,
        );
      },
    });
  }

  /** @param answerAfterMs how long the next answer takes */
  static async start(answerAfterMs: () => number): Promise<RecordingSmtpServer> {
    const recording = new RecordingSmtpServer(answerAfterMs);
    await new Promise<void>((listening, failed) => {
      recording.server.once('error', failed);
      recording.server.listen(0, '127.0.0.1', listening);
    });
    // Clients that are killed are what this is for.
    recording.server.removeAllListeners('error').on('error', () => undefined);
    return recording;
  }

  /** What the process of that name is given as `SMTP_URL`. */
  urlFor(sender: string): string {
    const { port } = this.server.server.address() as AddressInfo;
    return `smtp://${sender}:password@127.0.0.1:${port}/?maxConnections=10`;
  }

  /** From now on takes over nothing of that process. */
  hold(sender: string): void {
    this.holding.add(sender);
  }

  async stop(): Promise<void> {
    for (const connection of this.server.connections) connection._socket.destroy();
    await new Promise<void>((closed) => {
      this.server.close(closed);
    });
  }

  private take(raw: string, sender: string, answer: () => void): void {
    const messageId = /^Message-ID: <(msg_[0-9a-f]{32})@/im.exec(raw)?.[1];
    if (messageId === undefined) throw new Error(`A mail without the id of its message:\n${raw}`);
    if (this.holding.has(sender)) {
      this.held.push({ messageId, sender });
      return;
    }
    this.arrivals.push({ messageId, sender });
    setTimeout(answer, this.answerAfterMs());
  }
}
