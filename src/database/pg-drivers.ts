import pg from 'pg';
import type { EmbeddedConnections } from './embedded/embedded-connections.js';

type Query = (...query: unknown[]) => unknown;

/**
 * Closes its connection on a query timeout. `pg` would return it to the pool with the late answer still due, and each later
 * query on it would wait behind that answer in vain.
 */
export class QueryTimeoutClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    const query = this.query.bind(this) as Query;
    this.query = ((...parts: unknown[]) => {
      const answer = query(...parts);
      if (answer instanceof Promise) answer.catch((error: unknown) => this.endAfterTimeout(error));
      return answer;
    }) as typeof this.query;
  }

  private endAfterTimeout(error: unknown): void {
    if (error instanceof Error && error.message === 'Query read timeout') void this.end();
  }
}

/**
 * TypeORM's `driver` option for the embedded database: the package `pg`, with a pool whose connections lead there. The
 * database starts with the first connection and is closed with the pool.
 */
export function embeddedDriver(connections: EmbeddedConnections) {
  return {
    ...pg,
    Pool: class EmbeddedPool extends pg.Pool {
      constructor(options?: pg.PoolConfig) {
        super({ ...options, stream: () => connections.connect() });
      }

      override end(callback?: (error?: Error) => void): Promise<void> {
        const ended = super.end().then(() => connections.close());
        if (callback) ended.then(() => callback(), callback);
        return ended;
      }
    },
  };
}
