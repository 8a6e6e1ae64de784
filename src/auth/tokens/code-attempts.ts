import { randomBytes } from 'node:crypto';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Injectable } from '@nestjs/common';
import { tooManyRequests } from '../../http/api-error.js';
import { Clock } from '../../platform/clock.js';
import { Config } from '../../config/config.js';
import { Transaction } from '../../database/transaction.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import type { TokenPurpose } from '../messages/confirmation-type.js';

/** The guesses of late for one identifier and purpose, known or not; the key is a keyed hash of both. */
@Entity('code_attempts')
export class CodeAttemptEntity {
  @PrimaryColumn('bytea') key: Buffer;
  @Column('timestamptz', { name: 'attempted_at', array: true }) attemptedAt: Date[];
}

/** One guess that has been counted. */
export interface CodeAttempt {
  /** The same guess stands under each of them. */
  readonly keys: readonly Buffer[];
  readonly at: Date;
}

/** Seconds. */
const minRetryAfter = 1;

/** One guess in so many looks for rows that nobody needs any more, and at so many of them. */
const sweepEvery = 8;
const sweepSize = 64;

/**
 * Counts guesses at codes, for each identifier and purpose over all of its codes, whether somebody has that identifier
 * or not. The count is in the database, so that all instances share it, and no new message resets it. The window
 * slides: at no instant have more than `limits.verify.max` been let through in the last `limits.verify.windowMs`.
 *
 * While hashing keys are being changed, a guess is counted under each key and must find room under each: whoever knows
 * only one of the keys, before or after the change or beside it, then sees every guess too.
 */
@Injectable()
export class CodeAttempts {
  constructor(
    private readonly transaction: Transaction,
    private readonly keyedHash: KeyedHash,
    private readonly clock: Clock,
    private readonly config: Config,
  ) {}

  /**
   * Counts a guess before anybody compares it: of a hundred at once, five are compared. A refused guess adds nothing
   * and prolongs nothing.
   * @throws ApiError 429 with the seconds until the next guess
   */
  async count(identifier: string, purpose: TokenPurpose): Promise<CodeAttempt> {
    const { max, windowMs } = this.config.limits.verify;
    const keys = this.keyedHash.digests('code attempts', purpose, identifier);
    const at = new Date(this.clock.now());
    const horizon = new Date(at.getTime() - windowMs);
    await this.refuseIfSpent(keys, at, horizon);
    const counted = await this.transaction.manager.query<unknown[]>(
      // Looked at again under a lock, in the order of the keys, here and below, so that nobody waits in a circle.
      `WITH kept AS MATERIALIZED (
         SELECT attempted_at FROM code_attempts WHERE key = ANY ($1::bytea[]) ORDER BY key FOR UPDATE
       )
       INSERT INTO code_attempts AS log (key, attempted_at)
         SELECT key, ARRAY[$2::timestamptz] FROM unnest($1::bytea[]) key
         WHERE NOT EXISTS (
           SELECT FROM kept WHERE (SELECT count(*) FROM unnest(kept.attempted_at) t WHERE t > $3) >= $4
         )
         ORDER BY key
       ON CONFLICT (key) DO UPDATE
         SET attempted_at = ARRAY(SELECT t FROM unnest(log.attempted_at) t WHERE t > $3) || $2::timestamptz
         WHERE (SELECT count(*) FROM unnest(log.attempted_at) t WHERE t > $3) < $4
       RETURNING 1`,
      [keys, at, horizon, max],
    );
    if (counted.length < keys.length) {
      await this.refuseIfSpent(keys, at, horizon);
      // What was in the way has left meanwhile: a right code was taken out of the count.
      throw tooManyRequests('over_request_rate_limit', minRetryAfter);
    }
    if (Math.random() * sweepEvery < 1) await this.sweep(horizon);
    return { keys, at };
  }

  /**
   * Counts a guess by the address that its code goes to, where that may be another than the one that is named: people who
   * wait for one address have codes there, each under a name of their own. Null when there have been enough; then the guess
   * must be answered as a wrong one, because a refusal would tell who waits for which address. The statement writes in
   * either case, so that time does not tell either: in place of a guess too many a time that never counts.
   */
  async countAtRecipient(recipient: string, purpose: TokenPurpose): Promise<CodeAttempt | null> {
    const { max, windowMs } = this.config.limits.verify;
    const keys = this.keyedHash.digests('code attempts at recipient', purpose, recipient);
    const at = new Date(this.clock.now());
    const counted = await this.transaction.manager.query<{ isCounted: boolean }[]>(
      `INSERT INTO code_attempts AS log (key, attempted_at)
         SELECT key, ARRAY[$2::timestamptz] FROM unnest($1::bytea[]) key ORDER BY key
       ON CONFLICT (key) DO UPDATE SET attempted_at = ARRAY(SELECT t FROM unnest(log.attempted_at) t WHERE t > $3)
         || CASE WHEN (SELECT count(*) FROM unnest(log.attempted_at) t WHERE t > $3) < $4
              THEN $2::timestamptz ELSE 'epoch' END
       RETURNING attempted_at[cardinality(attempted_at)] > $3 AS "isCounted"`,
      [keys, at, new Date(at.getTime() - windowMs), max],
    );
    return counted.every(({ isCounted }) => isCounted) ? { keys, at } : null;
  }

  /** A right code is no guess: takes its entry out, and no other that was made in the same millisecond. */
  async forget({ keys, at }: CodeAttempt): Promise<void> {
    await this.transaction.manager.query(
      `WITH kept AS MATERIALIZED (
         SELECT key FROM code_attempts WHERE key = ANY ($1::bytea[]) ORDER BY key FOR UPDATE
       )
       UPDATE code_attempts SET attempted_at =
         attempted_at[:array_position(attempted_at, $2::timestamptz) - 1]
         || attempted_at[array_position(attempted_at, $2::timestamptz) + 1:]
       FROM kept WHERE code_attempts.key = kept.key AND $2::timestamptz = ANY (attempted_at)`,
      [keys, at],
    );
  }

  /**
   * Refuses without a lock and without a write. A flood of guesses at one identifier would otherwise stand in a queue for
   * its row, on every connection of the pool, and nobody else would be served.
   */
  private async refuseIfSpent(keys: readonly Buffer[], at: Date, horizon: Date): Promise<void> {
    const { max, windowMs } = this.config.limits.verify;
    const rows = await this.transaction.manager.query<{ attemptedAt: Date[] }[]>(
      'SELECT attempted_at AS "attemptedAt" FROM code_attempts WHERE key = ANY ($1::bytea[])',
      [keys],
    );
    // The guess that has to leave the window before there is room: under each key the `max`th from the newest.
    const inTheWay = rows
      .map(({ attemptedAt }) => attemptedAt.map((each) => each.getTime()).sort((a, b) => b - a)[max - 1] ?? 0)
      .filter((time) => time > horizon.getTime());
    if (inTheWay.length > 0) {
      const waitMs = Math.max(...inTheWay) + windowMs - at.getTime();
      throw tooManyRequests('over_request_rate_limit', Math.max(minRetryAfter, Math.ceil(waitMs / 1_000)));
    }
  }

  /**
   * Deletes rows whose guesses have all left the window, from a stretch of the table that starts at random: keys are
   * hashes, so every row's turn comes, and one sweep reads `sweepSize` rows however large the table is.
   */
  private async sweep(horizon: Date): Promise<void> {
    await this.transaction.manager.query(
      `WITH stretch AS MATERIALIZED (
         SELECT key, attempted_at FROM code_attempts WHERE key >= $1 ORDER BY key LIMIT $3 FOR UPDATE SKIP LOCKED
       )
       DELETE FROM code_attempts USING stretch WHERE code_attempts.key = stretch.key
         AND NOT EXISTS (SELECT FROM unnest(stretch.attempted_at) t WHERE t > $2)`,
      [randomBytes(32), horizon, sweepSize],
    );
  }
}
