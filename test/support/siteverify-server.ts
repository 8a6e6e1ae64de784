import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a vendor says of a good token; `undefined` leaves a member out. */
export type Verdict = Readonly<Record<string, unknown>>;

export interface SiteverifyQuestion {
  readonly method: string | undefined;
  readonly contentType: string | undefined;
  readonly form: Readonly<Record<string, string>>;
}

/** A real HTTP server that speaks the wire of hCaptcha, Turnstile and reCAPTCHA. Every token is good once. */
export class SiteverifyServer {
  readonly questions: SiteverifyQuestion[] = [];
  /** Answers in the place of the usual one; null: never. */
  misbehaviour: ((response: ServerResponse) => void) | null | undefined;
  private readonly tokens = new Map<string, Verdict>();
  private readonly server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      const form = Object.fromEntries(new URLSearchParams(body));
      this.questions.push({ method: request.method, contentType: request.headers['content-type'], form });
      if (this.misbehaviour === undefined) respond(response, this.verdictOn(form));
      else this.misbehaviour?.(response);
    });
  });

  private constructor(private readonly secret: string) {}

  static async start(secret: string): Promise<SiteverifyServer> {
    const vendor = new SiteverifyServer(secret);
    await new Promise<void>((resolve) => {
      vendor.server.listen(0, '127.0.0.1', resolve);
    });
    return vendor;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/siteverify`;
  }

  /** The widget on the page was solved. */
  issue(token: string, verdict: Verdict): void {
    this.tokens.set(token, verdict);
  }

  answersWith(status: number, body: string, headers: Record<string, string> = {}): void {
    this.misbehaviour = (response) => response.writeHead(status, headers).end(body);
  }

  /** Connections are refused from now on. */
  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  private verdictOn({ secret, response = '' }: Record<string, string>): Verdict {
    if (secret !== this.secret) return { success: false, 'error-codes': ['invalid-input-secret'] };
    const verdict = this.tokens.get(response);
    this.tokens.delete(response);
    return verdict
      ? { success: true, 'error-codes': [], ...verdict }
      : { success: false, 'error-codes': ['invalid-input-response'] };
  }
}

function respond(response: ServerResponse, verdict: Verdict): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(verdict));
}
