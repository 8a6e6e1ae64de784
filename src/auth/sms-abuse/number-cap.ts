import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Config } from '../../config/config.js';
import { Transaction } from '../../database/transaction.js';
import { KeyedHash } from '../../platform/keyed-hash.js';

/** When messages went to one number in the last day. Whose it is can be recognised, not read back. */
@Entity('sms_numbers')
@Index('sms_numbers_by_time', ['lastSentAt'])
export class SmsNumberEntity {
  /** Keyed hash of the number. */
  @PrimaryColumn('bytea') key: Buffer;
  @Column('timestamptz', { name: 'sent_at', array: true }) sentAt: Date[];
  @Column('timestamptz', { name: 'last_sent_at' }) lastSentAt: Date;
}

const windowMs = 24 * 3_600_000;

/**
 * How many messages one number gets. The window slides: at no instant have there been more than
 * `smsLimits.dailyPerNumber` in the last 24 hours. While hashing keys are being changed, a message is counted under each
 * key and must find room under each.
 */
@Injectable()
export class NumberCap {
  constructor(
    private readonly transaction: Transaction,
    private readonly keyedHash: KeyedHash,
    private readonly clock: Clock,
    private readonly config: Config,
  ) {}

  /** Whether there is room. Called in a transaction that is rolled back when there is none: some keys may have been counted. */
  async take(number: string, at: Date): Promise<boolean> {
    const max = this.config.smsLimits.dailyPerNumber;
    if (max === 0) return true;
    const keys = this.keysOf(number);
    const counted = await this.transaction.manager.query<unknown[]>(
      // In the order of the keys, here and below, so that nobody waits in a circle.
      `INSERT INTO sms_numbers AS log (key, sent_at, last_sent_at)
         SELECT key, ARRAY[$2::timestamptz], $2 FROM unnest($1::bytea[]) key ORDER BY key
       ON CONFLICT (key) DO UPDATE SET
         sent_at = ARRAY(SELECT t FROM unnest(log.sent_at) t WHERE t > $3) || $2::timestamptz,
         last_sent_at = greatest(log.last_sent_at, $2)
         WHERE (SELECT count(*) FROM unnest(log.sent_at) t WHERE t > $3) < $4
       RETURNING 1`,
      [keys, at, new Date(at.getTime() - windowMs), max],
    );
    return counted.length === keys.length;
  }

  /** Takes out one message, and no other that was counted in the same millisecond. */
  async giveBack(number: string, at: Date): Promise<void> {
    await this.transaction.manager.query(
      `WITH kept AS MATERIALIZED (
         SELECT key FROM sms_numbers WHERE key = ANY ($1::bytea[]) ORDER BY key FOR UPDATE
       )
       UPDATE sms_numbers SET sent_at =
         sent_at[:array_position(sent_at, $2::timestamptz) - 1]
         || sent_at[array_position(sent_at, $2::timestamptz) + 1:]
       FROM kept WHERE sms_numbers.key = kept.key AND $2::timestamptz = ANY (sent_at)`,
      [this.keysOf(number), at],
    );
  }

  /** Deletes up to `limit` rows that count nothing any more, the oldest first. */
  async sweep(limit: number): Promise<void> {
    await this.transaction.manager.query(
      `WITH over AS MATERIALIZED (
         SELECT key FROM sms_numbers WHERE last_sent_at <= $1
         ORDER BY last_sent_at LIMIT $2 FOR UPDATE SKIP LOCKED
       )
       DELETE FROM sms_numbers USING over WHERE sms_numbers.key = over.key`,
      [new Date(this.clock.now() - windowMs), limit],
    );
  }

  private keysOf(number: string): [Buffer, ...Buffer[]] {
    return this.keyedHash.digests('sms number', number);
  }
}
