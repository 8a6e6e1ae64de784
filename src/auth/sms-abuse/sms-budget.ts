import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import type { SmsCost } from '../../config/sms-abuse.config.js';
import { Transaction } from '../../database/transaction.js';

/** What was spent on SMS on one day. */
@Entity('sms_spending')
export class SmsSpendingEntity {
  /** By UTC: `2026-01-31`. */
  @PrimaryColumn('date') day: string;
  /** A country, a calling code, or `*` for all together. */
  @PrimaryColumn('text') scope: string;
  /** Millionths of the currency that the costs are in. */
  @Column('bigint') micros: string;
}

/**
 * What a message to the number costs at the provider, in millionths. The longest prefix counts; entries for the provider
 * come before those for any. What no entry covers costs as much as the dearest: a gap in the table must not be free.
 */
export function smsCostOf(costs: readonly SmsCost[], provider: string, number: string): number {
  const matching = costs.filter(({ prefix }) => prefix === '*' || number.startsWith(prefix));
  const own = matching.filter((cost) => cost.provider === provider);
  const candidates = own.length > 0 ? own : matching.filter((cost) => cost.provider === '*');
  const [best] = candidates.sort((a, b) => b.prefix.length - a.prefix.length);
  return best?.micros ?? Math.max(0, ...costs.map(({ micros }) => micros));
}

/** The scope of all countries together. */
export const everywhere = '*';

/**
 * What is spent on SMS on a day of UTC, as vendors bill it. Money is in millionths. Each scope is one row, and one
 * statement compares and adds: however many send at once, what is spent never exceeds the limit.
 */
@Injectable()
export class SmsBudget {
  constructor(
    private readonly transaction: Transaction,
    private readonly config: Config,
  ) {}

  /** Whether the budget of the scope allows for it. */
  async take(scope: string, micros: number, at: Date): Promise<boolean> {
    const { dailyBudget } = this.config.smsLimits;
    const limit = scope === everywhere ? dailyBudget?.everywhere : dailyBudget?.country;
    const taken = await this.transaction.manager.query<unknown[]>(
      `INSERT INTO sms_spending AS books (day, scope, micros)
         SELECT $1::date, $2, $3::bigint WHERE $3::bigint <= $4::bigint
       ON CONFLICT (day, scope) DO UPDATE SET micros = books.micros + $3::bigint
         WHERE books.micros + $3::bigint <= $4::bigint
       RETURNING 1`,
      [dayOf(at), scope, micros, limit ?? Number.MAX_SAFE_INTEGER],
    );
    return taken.length > 0;
  }

  /**
   * Corrects what was taken.
   * @param micros below 0 when less was spent
   * @param at when it was taken: that day's books are corrected
   */
  async correct(scope: string, micros: number, at: Date): Promise<void> {
    await this.transaction.manager.query(
      `UPDATE sms_spending SET micros = greatest(0, micros + $3::bigint) WHERE day = $1::date AND scope = $2`,
      [dayOf(at), scope, micros],
    );
  }
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}
