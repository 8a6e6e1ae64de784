import { Injectable } from '@nestjs/common';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Limit } from '../config/config.js';
import { Transaction } from '../database/transaction.js';

/** A sliding log: when requests were admitted under one key, as far as they are still in the window. */
@Entity('sliding_logs')
export class SlidingLogEntity {
  /** Keyed hash of what is counted, with a domain for each use. */
  @PrimaryColumn('bytea') key: Buffer;
  @Column('timestamptz', { array: true }) times: Date[];
  /** When the newest has left its window. */
  @Index('sliding_logs_expires_at')
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}

/** Of the row `log`, those that are still in the longest window, which began at $3. */
const live = `SELECT t FROM unnest(log.times) t WHERE t > $3`;
/** Each window has an edge, where it began, and the most that may have come since. */
const hasRoom = `NOT EXISTS (
  SELECT FROM unnest($4::timestamptz[], $5::int[]) AS w (edge, most)
  WHERE (SELECT count(*) FROM unnest(log.times) t WHERE t > w.edge) >= w.most)`;

/** The row lock serialises the callers that count under one key. */
const take = `
  INSERT INTO sliding_logs AS log (key, times, expires_at) VALUES ($1, ARRAY[$2::timestamptz], $6)
  ON CONFLICT (key) DO UPDATE
    SET times = ARRAY(${live}) || $2::timestamptz, expires_at = greatest(log.expires_at, $6)
    WHERE ${hasRoom}
  RETURNING 1`;

/** In place of a time too many it writes one that never counts. */
const takeBlindly = `
  INSERT INTO sliding_logs AS log (key, times, expires_at) VALUES ($1, ARRAY[$2::timestamptz], $6)
  ON CONFLICT (key) DO UPDATE
    SET times = ARRAY(${live}) || CASE WHEN ${hasRoom} THEN $2::timestamptz ELSE 'epoch' END,
      expires_at = greatest(log.expires_at, $6)
  RETURNING times[cardinality(times)] > $3 AS "isTaken"`;

const giveBack = `
  UPDATE sliding_logs
  SET times = times[:array_position(times, $2::timestamptz) - 1]
    || times[array_position(times, $2::timestamptz) + 1:]
  WHERE key = $1 AND $2::timestamptz = ANY (times)`;

/**
 * The exact sliding log in the database, for what must survive a restart or belongs to a transaction: at no instant have
 * more than `max` been admitted in the last `windowMs`, for each of the windows. A refused one is not recorded and prolongs
 * nothing. All who count under one key must have the same longest window: what has left that is forgotten.
 */
@Injectable()
export class SqlSlidingLog {
  constructor(private readonly transaction: Transaction) {}

  /** Admits if there is room. */
  async take(key: Buffer, at: Date, limit: Limit | readonly Limit[]): Promise<boolean> {
    const admitted = await this.transaction.manager.query<unknown[]>(take, parameters(key, at, limit));
    return admitted.length > 0;
  }

  /** `take` against a timing side channel: it writes once, whether there is room or not. */
  async takeBlindly(key: Buffer, at: Date, limit: Limit): Promise<boolean> {
    const rows = await this.transaction.manager.query<{ isTaken: boolean }[]>(
      takeBlindly,
      parameters(key, at, limit),
    );
    return rows.every(({ isTaken }) => isTaken);
  }

  /** Takes out one admission of that moment, and no other that was made in the same millisecond. */
  async giveBack(key: Buffer, at: Date): Promise<void> {
    await this.transaction.manager.query(giveBack, [key, at]);
  }

  /** Milliseconds until there is room, 0 when there is. Reads without a lock, so that a flood forms no queue for the row. */
  async waitMs(key: Buffer, at: Date, { max, windowMs }: Limit): Promise<number> {
    const [row] = await this.transaction.manager.query<{ times: Date[] }[]>(
      'SELECT times FROM sliding_logs WHERE key = $1',
      [key],
    );
    // There is room when the `max`th from the newest has left the window.
    const times = (row?.times ?? []).map((time) => time.getTime()).sort((a, b) => b - a);
    return Math.max(0, (times[max - 1] ?? -Infinity) + windowMs - at.getTime());
  }
}

function parameters(key: Buffer, at: Date, limit: Limit | readonly Limit[]): unknown[] {
  const windows = [limit].flat();
  const edges = windows.map(({ windowMs }) => new Date(at.getTime() - windowMs));
  const longest = Math.max(...windows.map(({ windowMs }) => windowMs));
  const most = windows.map(({ max }) => max);
  return [key, at, new Date(at.getTime() - longest), edges, most, new Date(at.getTime() + longest)];
}
