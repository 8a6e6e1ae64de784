import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface GatewayRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A real HTTP server that stands where somebody's SMS gateway would. */
export class SmsGateway {
  readonly requests: GatewayRequest[] = [];
  /** Null: it never answers. */
  answer: ((response: ServerResponse) => void) | null = null;
  private readonly server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      this.requests.push({ path: request.url ?? '', headers: request.headers, body });
      this.answer?.(response);
    });
  });

  static async start(): Promise<SmsGateway> {
    const gateway = new SmsGateway();
    await new Promise<void>((resolve) => {
      gateway.server.listen(0, '127.0.0.1', resolve);
    });
    gateway.answerWith(200, '{}');
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/sms`;
  }

  answerWith(status: number, body = '', headers: Record<string, string> = {}): void {
    this.answer = (response) => {
      response.writeHead(status, headers).end(body);
    };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }
}
