import type { DataSource } from 'typeorm';
import type { Clock } from '../platform/clock.js';
import { RetentionJob } from './housekeeping.js';

/** How long the rows of one table are kept. */
export interface Retention {
  readonly table: string;
  /** The columns of its primary key. */
  readonly key: readonly string[];
  /** The column that says from when the rows are kept; there is an index on it. */
  readonly from: string;
  /** SQL: whether a row is over at $1. By default when `from` is not later. */
  readonly isOver?: string;
  /** Milliseconds after `from`. */
  readonly keptMs: number;
}

const batchSize = 500;

/** Deletes what a table keeps no longer, the oldest rows first. */
export class ExpiredRows extends RetentionJob {
  readonly what: string;
  private readonly statement: string;

  constructor(
    private readonly retention: Retention,
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {
    super();
    const { table, key, from, isOver = `${from} <= $1::timestamptz` } = retention;
    const keyOf = (row: string) => key.map((column) => `${row}.${column}`).join(', ');
    this.what = table;
    this.statement = `
      WITH over AS MATERIALIZED (
        SELECT ${key.join(', ')} FROM ${table} WHERE ${isOver}
        ORDER BY ${from} LIMIT ${batchSize} FOR UPDATE SKIP LOCKED
      )
      DELETE FROM ${table} USING over WHERE (${keyOf(table)}) = (${keyOf('over')})`;
  }

  async *sweep(): AsyncGenerator<number> {
    const horizon = new Date(this.clock.now() - this.retention.keptMs);
    let deleted: number;
    do {
      [, deleted] = await this.dataSource.query<[unknown, number]>(this.statement, [horizon]);
      yield deleted;
    } while (deleted === batchSize);
  }
}
