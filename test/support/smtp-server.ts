import { buffer } from 'node:stream/consumers';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import type { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import { freePort } from './free-port.js';

/** `data`: the command of that name; `message`: the whole mail has been taken, the answer is due. */
export type SmtpStage = 'connect' | 'ehlo' | 'auth' | 'mail' | 'rcpt' | 'data' | 'message';

/** What the server does when a session reaches a stage, instead of going on. */
type Misbehaviour =
  | { readonly kind: 'refuse'; readonly code: number; readonly text: string; readonly once?: true }
  | { readonly kind: 'hang' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'hangUp' };

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came over the wire, headers first. */
  readonly raw: string;
  readonly parsed: ParsedMail;
}

type Callback = (error?: Error | null) => void;

/** A real SMTP server on the loopback interface that keeps what it gets and misbehaves when told to. */
export class ScriptedSmtpServer {
  readonly received: ReceivedMail[] = [];
  connections = 0;
  /** What it says when it has taken a mail. */
  acknowledgement = 'OK: message accepted';
  private readonly script = new Map<SmtpStage, Misbehaviour>();
  private server: SMTPServer;
  private port = 0;

  private constructor() {}

  static async start(): Promise<ScriptedSmtpServer> {
    const scripted = new ScriptedSmtpServer();
    scripted.port = await freePort();
    await scripted.listen();
    return scripted;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** For a client that logs in. */
  get urlWithCredentials(): string {
    return `smtp://someone:password@127.0.0.1:${this.port}`;
  }

  refuseAt(stage: SmtpStage, code: number, text = 'No'): void {
    this.script.set(stage, { kind: 'refuse', code, text });
  }

  /** As greylisting does: whoever comes back gets through. */
  refuseOnceAt(stage: SmtpStage, code: number, text: string): void {
    this.script.set(stage, { kind: 'refuse', code, text, once: true });
  }

  /** Goes on as usual, but late. */
  dawdleAt(stage: SmtpStage, ms: number): void {
    this.script.set(stage, { kind: 'slow', ms });
  }

  /** Says nothing more in that session. */
  hangAt(stage: SmtpStage): void {
    this.script.set(stage, { kind: 'hang' });
  }

  /** Closes all connections without an answer. */
  hangUpAt(stage: SmtpStage): void {
    this.script.set(stage, { kind: 'hangUp' });
  }

  behave(): void {
    this.script.clear();
  }

  /** Clients that keep connections have to begin anew. */
  closeConnections(): void {
    this.hangUp();
  }

  /** Goes away, connections and all. `listen` brings it back on the same port. */
  async stop(): Promise<void> {
    this.hangUp();
    await new Promise<void>((resolve) => {
      this.server.close(resolve);
    });
  }

  async listen(): Promise<void> {
    this.server = this.createServer();
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.port, '127.0.0.1', resolve);
    });
    // Clients that hang up are part of the game.
    this.server.removeAllListeners('error').on('error', () => undefined);
  }

  private createServer(): SMTPServer {
    return new SMTPServer({
      name: 'scripted.test',
      disabledCommands: ['STARTTLS'],
      authOptional: true,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      closeTimeout: 100,
      onConnect: (session, callback) => {
        this.connections++;
        for (const connection of this.server.connections) {
          if (connection.session === session) this.scriptCommands(connection);
        }
        this.reach('connect', callback);
      },
      onAuth: (_auth, _session, callback) => {
        this.reach('auth', (error) => {
          callback(error, { user: 'someone' });
        });
      },
      onMailFrom: (_address, _session, callback) => {
        this.reach('mail', callback);
      },
      onRcptTo: (_address, _session, callback) => {
        this.reach('rcpt', callback);
      },
      onData: (stream, { envelope }, callback) => {
        void this.keep(stream, envelope).then(() => {
          this.reach('message', (error) => {
            callback(error, this.acknowledgement);
          });
        }, callback);
      },
    });
  }

  /** There is a callback for most commands, and none for these. */
  private scriptCommands(connection: SMTPConnection): void {
    const stages = { handler_EHLO: 'ehlo', handler_HELO: 'ehlo', handler_DATA: 'data' } as const;
    for (const [handler, stage] of Object.entries(stages) as [keyof typeof stages, SmtpStage][]) {
      const usual = connection[handler].bind(connection);
      connection[handler] = (command, callback) =>
        this.reach(stage, (error) => {
          if (!error) {
            usual(command, callback);
            return;
          }
          connection.send((error as Error & { responseCode: number }).responseCode, error.message);
          callback();
        });
    }
  }

  private async keep(
    stream: NodeJS.ReadableStream,
    envelope: { mailFrom: { address: string } | false; rcptTo: { address: string }[] },
  ): Promise<void> {
    const raw = await buffer(stream);
    this.received.push({
      from: envelope.mailFrom ? envelope.mailFrom.address : '',
      to: envelope.rcptTo.map(({ address }) => address),
      raw: raw.toString('utf8'),
      parsed: await simpleParser(raw),
    });
  }

  private reach(stage: SmtpStage, callback: Callback): void {
    const misbehaviour = this.script.get(stage);
    if (!misbehaviour) callback();
    else if (misbehaviour.kind === 'slow') setTimeout(callback, misbehaviour.ms);
    else if (misbehaviour.kind === 'refuse') {
      if (misbehaviour.once) this.script.delete(stage);
      callback(Object.assign(new Error(misbehaviour.text), { responseCode: misbehaviour.code }));
    } else if (misbehaviour.kind === 'hangUp') this.hangUp();
  }

  private hangUp(): void {
    for (const connection of this.server.connections) connection._socket.destroy();
  }
}
