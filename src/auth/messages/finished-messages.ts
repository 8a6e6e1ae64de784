import type { DataSource } from 'typeorm';
import type { Clock } from '../../platform/clock.js';
import type { Config } from '../../config/config.js';
import { RetentionJob } from '../../housekeeping/housekeeping.js';
import { firstUuidV7 } from '../../platform/ids.js';

const batchSize = 100;
const zeroUuid = '00000000-0000-0000-0000-000000000000';

/**
 * In the order of the primary key, which is that of time: a message that ended long ago was accepted before, so that the
 * overdue ones stand at the front and need no index of their own. What stands among them and is not overdue yet, because
 * it ended later than it came, is passed over. Attempts and events of a message go with it, in the same statement.
 */
const sweep = `
  WITH overdue AS MATERIALIZED (
    SELECT id FROM messages
    WHERE id > $1 AND id < $2 AND ended_at <= $3 AND status NOT IN ('accepted', 'sending')
    ORDER BY id LIMIT ${batchSize} FOR UPDATE SKIP LOCKED
  ), attempts AS (
    DELETE FROM delivery_attempts USING overdue WHERE message_id = overdue.id
  ), events AS (
    DELETE FROM delivery_events USING overdue WHERE message_id = overdue.id
  )
  DELETE FROM messages USING overdue WHERE messages.id = overdue.id RETURNING messages.id`;

/**
 * Messages that ended longer ago than `RETENTION`, or than the longest life of a code: guesses at it are counted in its row. What
 * has not ended stays, however old it is.
 */
export class FinishedMessages extends RetentionJob {
  readonly what = 'messages';

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly config: Config,
  ) {
    super();
  }

  async *sweep(): AsyncGenerator<number> {
    const { retentionMs, tokenLifetimeMs } = this.config;
    const horizon = this.clock.now() - Math.max(retentionMs, ...Object.values(tokenLifetimeMs));
    let last = zeroUuid;
    let deleted: { id: string }[];
    do {
      [deleted] = await this.dataSource.query<[{ id: string }[], number]>(sweep, [
        last,
        firstUuidV7(horizon + 1),
        new Date(horizon),
      ]);
      last = deleted.reduce((latest, { id }) => (id > latest ? id : latest), last);
      yield deleted.length;
    } while (deleted.length === batchSize);
  }
}
