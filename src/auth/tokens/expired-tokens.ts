import type { DataSource } from 'typeorm';
import type { Clock } from '../../platform/clock.js';
import type { Config } from '../../config/config.js';
import { RetentionJob } from '../../housekeeping/housekeeping.js';
import { firstUuidV7 } from '../../platform/ids.js';

const batchSize = 500;

/** By the primary key: older than the longest lifetime, nearly all have expired. The time of expiry itself decides. */
const sweep = `
  WITH expired AS MATERIALIZED (
    SELECT id FROM tokens WHERE id < $1 AND expires_at <= $2 ORDER BY id LIMIT ${batchSize} FOR UPDATE SKIP LOCKED
  )
  DELETE FROM tokens USING expired WHERE tokens.id = expired.id`;

/** Retention job of expired links and codes: nothing that is kept refers to them. */
export class ExpiredTokens extends RetentionJob {
  readonly what = 'tokens';

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly config: Config,
  ) {
    super();
  }

  async *sweep(): AsyncGenerator<number> {
    const now = this.clock.now();
    const longestMs = Math.max(...Object.values(this.config.tokenLifetimeMs));
    let deleted: number;
    do {
      [, deleted] = await this.dataSource.query<[unknown, number]>(sweep, [
        firstUuidV7(now - longestMs + 1),
        new Date(now),
      ]);
      yield deleted;
    } while (deleted === batchSize);
  }
}
