import pg from 'pg';
import { EmbeddedDatabase } from './embedded-database.js';

/**
 * What TypeORM takes in place of the package `pg`: the same one, whose connections lead to the embedded database.
 * The database starts with the pool's first connection and is shut down when the pool ends.
 */
export function embeddedDriver(folder: string) {
  return {
    ...pg,
    Pool: class EmbeddedPool extends pg.Pool {
      private readonly database: EmbeddedDatabase;

      constructor(options?: pg.PoolConfig) {
        const database = new EmbeddedDatabase(folder);
        super({ ...options, stream: () => database.connect() });
        this.database = database;
      }

      override end(callback?: (error?: Error) => void): Promise<void> {
        const ended = super.end().then(() => this.database.close());
        if (callback) ended.then(() => callback(), callback);
        return ended;
      }
    },
  };
}
