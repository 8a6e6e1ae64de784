import pg from 'pg';
import type { EmbeddedConnections } from './embedded-connections.js';

/**
 * What TypeORM takes in place of the package `pg`: the same one, whose connections lead to the embedded database.
 * The database starts with the first connection and is shut down when the pool ends.
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
