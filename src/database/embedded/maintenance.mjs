import { messagesIn, query } from './wire.mjs';

/**
 * In place of autovacuum and checkpointer, background processes that PGlite does not have: without them the write-ahead
 * log and the tables would grow for ever. Each row is a statement that is due. The thresholds of VACUUM are autovacuum's
 * scale factors and 1,000 rows; 32 MB of log are about a second of recovery after a crash.
 */
const due = query(`
  SELECT 'VACUUM (ANALYZE) ' || relid::regclass FROM pg_stat_user_tables
    WHERE n_dead_tup > 1000 + 0.2 * n_live_tup OR n_mod_since_analyze > 1000 + 0.2 * n_live_tup
  UNION ALL
  SELECT 'CHECKPOINT' FROM pg_control_checkpoint()
    WHERE pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn) > 32 * 1024 * 1024`);

/**
 * Must not be called while a transaction is open.
 *
 * @param {(request: Buffer) => Buffer} execute
 */
export function maintain(execute) {
  const answer = execute(due);
  const statements = [...messagesIn(answer)]
    .filter(([type]) => type === 'D')
    // DataRow of one column: header (5 bytes), count of columns (2), length of the value (4), value.
    .map(([, start, end]) => answer.toString('utf8', start + 11, end));
  for (const statement of statements) execute(query(statement));
}
