import type { EmbeddedConnection } from './embedded-connection.js';

/** Where connections to the embedded database come from: the thread that owns it, or another one. */
export abstract class EmbeddedConnections {
  /** A stream for `pg`: `new Client({ stream: () => connections.connect() })`. */
  abstract connect(): EmbeddedConnection;

  /** Gives back what this source holds. No connection of it works from then on. */
  abstract close(): Promise<void>;
}
