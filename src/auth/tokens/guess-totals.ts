import { Injectable } from '@nestjs/common';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { Clock } from '../../platform/clock.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import { Transaction } from '../../database/transaction.js';
import type { TokenPurpose } from '../messages/confirmation-type.js';

/** How many codes have been guessed at since the last that was right, for an address and a purpose. */
@Entity('guess_totals')
export class GuessTotalEntity {
  /** Keyed hash of address and purpose. */
  @PrimaryColumn('bytea') key: Buffer;
  @Column('int') total: number;
  /** Whether the last guess was counted, or was one too many. */
  @Column('boolean', { name: 'is_counted' }) isCounted: boolean;
  /** When it is forgotten, unless somebody guesses meanwhile. */
  @Index('guess_totals_expires_at')
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;
}

/** NIST SP 800-63B-4, section 3.2.2. */
const allGuesses = 100;
/**
 * How many may be compared of guesses that belong to a message, which no stranger can keep from it; of others; and of one that
 * is not to be compared in any case.
 */
const most = { bound: 2 ** 31 - 1, unbound: 30, none: 0 } as const;
/** Milliseconds. */
const keptMs = 30 * 86_400_000;

/** It writes once, whether the guess is one too many or not: the time that it takes tells nothing. */
const count = `
  INSERT INTO guess_totals AS known (key, total, is_counted, expires_at) VALUES ($1, 1, true, $4)
  ON CONFLICT (key) DO UPDATE SET
    total = CASE WHEN known.expires_at <= $3 THEN 1 ELSE known.total + (known.total < $2)::int END,
    is_counted = known.expires_at <= $3 OR known.total < $2,
    expires_at = $4
  RETURNING is_counted AS "isCounted"`;

/**
 * The end of guessing: guesses that were compared, by address and purpose, whether or not anybody has that address, since
 * the last success. No new code begins it anew, nor does time, unless nobody guesses for thirty days. No answer tells it.
 */
@Injectable()
export class GuessTotals {
  constructor(
    private readonly transaction: Transaction,
    private readonly keyedHash: KeyedHash,
    private readonly clock: Clock,
  ) {}

  /**
   * Counts a guess.
   * @param recipient where its code goes to
   * @returns whether it may be compared; if not it was not counted either
   */
  async count(recipient: string, purpose: TokenPurpose, kind: keyof typeof most): Promise<boolean> {
    const now = this.clock.now();
    const [row] = await this.transaction.manager.query<{ isCounted: boolean }[]>(count, [
      this.keyOf(recipient, purpose),
      most[kind],
      new Date(now),
      new Date(now + keptMs),
    ]);
    return row?.isCounted === true;
  }

  /** Whether there have been so many that no code of six digits is to be sent any more. */
  async areTooMany(recipient: string, purpose: TokenPurpose): Promise<boolean> {
    const [row] = await this.transaction.manager.query<{ total: number }[]>(
      'SELECT total FROM guess_totals WHERE key = $1 AND expires_at > $2',
      [this.keyOf(recipient, purpose), new Date(this.clock.now())],
    );
    return (row?.total ?? 0) >= allGuesses;
  }

  /** After a link or a code that was right. */
  async forget(recipient: string, purpose: TokenPurpose): Promise<void> {
    await this.transaction.manager.query('DELETE FROM guess_totals WHERE key = $1', [
      this.keyOf(recipient, purpose),
    ]);
  }

  private keyOf(recipient: string, purpose: TokenPurpose): Buffer {
    return this.keyedHash.digest('guess total', purpose, recipient);
  }
}
