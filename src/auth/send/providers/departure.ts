import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** Node's fetch tells of each head that it writes: https://undici.nodejs.org/#/docs/api/DiagnosticsChannel */
const channel = 'undici:client:sendHeaders';

/**
 * Knows whether a request has begun to leave. Before that, while a name is looked up, a connection made or a certificate
 * checked, nobody can have taken it; afterwards a lost answer says nothing.
 */
export class Departure {
  private seen = false;

  /** @param mark stands in a header of the request, and of no other that is under way */
  constructor(private readonly mark: string) {
    subscribe(channel, this.look);
  }

  get hasBegun(): boolean {
    return this.seen;
  }

  /** To be called when the request has ended, however it did. */
  stop(): void {
    unsubscribe(channel, this.look);
  }

  private readonly look = (event: unknown): void => {
    const { headers } = event as { headers: string };
    if (headers.includes(this.mark)) this.seen = true;
  };
}
