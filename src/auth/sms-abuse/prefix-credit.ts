import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { Injectable, Optional } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Transaction } from '../../database/transaction.js';

/** What the numbers of one prefix have made of their codes. */
@Entity('sms_prefixes')
@Index('sms_prefixes_by_time', ['at'])
export class SmsPrefixEntity {
  /** `+` and the leading digits of the numbers. */
  @PrimaryColumn('text') prefix: string;
  /** The time that must pass until nothing is left of it: above 0 unverified codes, below 0 credit. */
  @Column('bigint', { name: 'debt_ms' }) debtMs: string;
  /** When it was so. */
  @Column('timestamptz') at: Date;
}

/** How many codes to the numbers of a prefix may be unverified before it is cut. */
const unverifiedMaxOf = 30;
/** How many codes one that is verified pays for: a prefix is cut when fewer than a fifth are verified. */
const verifiedCredit = 5;
/** How often a prefix that is cut gets one code all the same, in milliseconds. */
const probeIntervalMs = 15 * 60_000;
/** A prefix saves up as many codes as this many times the unverified that it may have. */
const creditFactor = 5;

/** After so many milliseconds nothing is left of any debt or credit. */
export const debtLifetimeMs = creditFactor * unverifiedMaxOf * probeIntervalMs;

/** What is left of `debt_ms` at $2: it decays towards 0 from either side, one millisecond of it in each millisecond of time. */
const remaining = `(sign(log.debt_ms)::bigint * greatest(0, abs(log.debt_ms)
  - greatest(0, (extract(epoch FROM $2::timestamptz - log.at) * 1000)::bigint)))`;

/**
 * Whether the numbers of a prefix are worth their messages. Every code that is sent there is a debt of one; every code
 * that comes back verified pays for `verifiedCredit`, in advance too. A prefix that owes `unverifiedMax` is cut. Debt and
 * credit wear off by one in `probeIntervalMs`, so a prefix that is
 * cut gets one code in that time, and one verified code opens it again. A debt is kept as the time in which it wears off.
 */
@Injectable()
export class PrefixCredit {
  constructor(
    private readonly transaction: Transaction,
    private readonly clock: Clock,
    @Optional() private readonly unverifiedMax: number = unverifiedMaxOf,
  ) {}

  /** Whether a code may be sent there, which is then owed. */
  take(prefix: string, at: Date): Promise<boolean> {
    return this.owe(prefix, 1, at);
  }

  /** Nothing was sent. */
  async giveBack(prefix: string): Promise<void> {
    await this.owe(prefix, -1, new Date(this.clock.now()));
  }

  /** A code that was sent there has been verified. */
  async earn(prefix: string): Promise<void> {
    await this.owe(prefix, -verifiedCredit, new Date(this.clock.now()));
  }

  private async owe(prefix: string, codes: number, at: Date): Promise<boolean> {
    const most = this.unverifiedMax * probeIntervalMs;
    const moved = await this.transaction.manager.query<unknown[]>(
      `INSERT INTO sms_prefixes AS log (prefix, debt_ms, at) VALUES ($1, greatest($3::bigint, $5::bigint), $2)
       ON CONFLICT (prefix) DO UPDATE SET
         debt_ms = greatest($5::bigint, ${remaining} + $3::bigint),
         at = greatest(log.at, $2)
         WHERE $3::bigint < 0 OR ${remaining} + $3::bigint <= $4::bigint
       RETURNING 1`,
      [prefix, at, codes * probeIntervalMs, most, -creditFactor * most],
    );
    return moved.length > 0;
  }
}
