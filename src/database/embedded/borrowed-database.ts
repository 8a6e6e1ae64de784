import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { EmbeddedConnection } from './embedded-connection.js';
import { EmbeddedConnections } from './embedded-connections.js';

/**
 * The embedded database of another thread of this process. That thread is sent one end of every new connection and
 * passes it on; what is asked and answered then goes past it.
 */
export class BorrowedDatabase extends EmbeddedConnections {
  /** @param owner leads to the thread that has the database, and takes `MessagePort`s */
  constructor(private readonly owner: MessagePort) {
    super();
  }

  override connect(): EmbeddedConnection {
    return new EmbeddedConnection(async () => {
      const { port1, port2 } = new MessageChannel();
      this.owner.postMessage(port2, [port2]);
      return port1;
    });
  }

  override async close(): Promise<void> {
    // Its owner closes it.
  }
}
