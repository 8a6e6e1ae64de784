import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Config } from '../../config/config.js';
import { Transaction } from '../../database/transaction.js';
import { Log, maskIdentifier } from '../../platform/log.js';
import { messageIdOf } from '../../platform/ids.js';
import { Metrics } from '../../platform/metrics.js';
import type { AttemptOutcome } from '../messages/message.entities.js';
import { NotificationProvider } from '../messages/notification-provider.js';
import { isAllowedDestination, type SmsDestination, smsDestinationOf } from './sms-destination.js';
import { NumberCap } from './number-cap.js';
import { PrefixCredit } from './prefix-credit.js';
import { everywhere, SmsBudget, smsCostOf } from './sms-budget.js';

/**
 * Refusals that protect somebody are `dropped`. Those of a budget are `failed`: the message was meant to arrive, and
 * can be sent again once the budget is raised. Tomorrow's budget is of no use to a code that lives for minutes.
 */
const refusals = {
  country_not_allowed: 'dropped',
  number_daily_cap: 'dropped',
  prefix_cut: 'dropped',
  prefix_budget_exhausted: 'failed',
  budget_exhausted: 'failed',
} as const;
type RefusalReason = keyof typeof refusals;

interface Refusal {
  readonly status: (typeof refusals)[RefusalReason];
  readonly reason: RefusalReason;
}

/** What was set aside for a message before it is sent; null when there is nothing to account for. */
interface Reservation {
  readonly destination: SmsDestination;
  readonly at: Date;
  readonly micros: number;
}

export type Admission =
  { readonly refusal: Refusal } | { readonly refusal: null; readonly reservation: Reservation | null };

/** What came of asking one provider. */
export interface Tried {
  readonly provider: string;
  readonly outcome: AttemptOutcome;
}

const nothingToAccountFor: Admission = { refusal: null, reservation: null };

/**
 * Whether an SMS may be sent, by country, number, prefix and money. It is asked at delivery, where no client waits for
 * the answer. Each admission must be settled, so that what was not sent costs nothing.
 */
@Injectable()
export class SmsAllowance {
  private hasWarned = false;
  private readonly providers: readonly string[];

  constructor(
    @Inject(NotificationProvider) providers: readonly Pick<NotificationProvider, 'name' | 'channel'>[],
    private readonly cap: NumberCap,
    private readonly credit: PrefixCredit,
    private readonly budget: SmsBudget,
    private readonly transaction: Transaction,
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {
    this.providers = providers.filter(({ channel }) => channel === 'sms').map(({ name }) => name);
  }

  /**
   * Sets aside what an SMS may cost, all of it or nothing; any provider may be asked, so the dearest counts.
   * @param to E.164
   */
  async admit(messageUuid: string, to: string): Promise<Admission> {
    const { mode, costs } = this.config.smsLimits;
    if (mode === 'off') return nothingToAccountFor;
    this.warnWhenOpen();
    const destination = smsDestinationOf(to);
    const micros = Math.max(0, ...this.providers.map((provider) => smsCostOf(costs, provider, to)));
    const reservation = { destination, at: new Date(this.clock.now()), micros };
    const reason = await this.reserve(reservation);
    if (reason === null) return { refusal: null, reservation };
    this.record(reason, messageUuid, destination);
    // What would have been dropped is not in the books, which so remain what they would have been.
    return mode === 'enforce' ? { refusal: { status: refusals[reason], reason } } : nothingToAccountFor;
  }

  /**
   * Replaces what was set aside by what was spent. Money is counted by attempt, and what is not known was spent; messages
   * to a number or prefix are counted once, when they are sent: after an outage no number is over its cap. Never rejects:
   * what has been sent has been sent, and what cannot be written down stays set aside.
   * @param tried the providers that were asked, none when nothing came of it
   */
  async settle(admission: Admission, tried: readonly Tried[]): Promise<void> {
    if (admission.refusal || !admission.reservation) return;
    const { destination, at, micros } = admission.reservation;
    const { costs } = this.config.smsLimits;
    const paid = tried.filter(({ outcome }) => outcome === 'sent' || outcome === 'unknown');
    const spent = paid.reduce((sum, it) => sum + smsCostOf(costs, it.provider, destination.number), 0);
    try {
      if (spent !== micros) {
        for (const scope of [destination.scope, everywhere])
          await this.budget.correct(scope, spent - micros, at);
      }
      if (tried.some(({ outcome }) => outcome === 'sent')) return;
      await this.cap.giveBack(destination.number, at);
      await this.credit.giveBack(destination.prefix);
    } catch (err) {
      this.log.warn({ err }, 'What an SMS did not cost could not be given back');
    }
  }

  /** A code that was sent to the number has been verified: its prefix earns credit. Never rejects. */
  async verified(number: string): Promise<void> {
    if (this.config.smsLimits.mode === 'off') return;
    try {
      await this.credit.earn(smsDestinationOf(number).prefix);
    } catch (err) {
      this.log.warn({ err }, 'A verified code could not be put to the credit of its prefix');
    }
  }

  private async reserve({ destination, at, micros }: Reservation): Promise<RefusalReason | null> {
    const { countries, costs } = this.config.smsLimits;
    if (!isAllowedDestination(destination, countries ?? ['*'])) return 'country_not_allowed';
    const { number, prefix, scope } = destination;
    return this.orRollBack(async () => {
      // No deadlock: rows are locked in one order, the most contested last, which so is held the shortest.
      if (!(await this.cap.take(number, at))) return 'number_daily_cap';
      if (!(await this.credit.take(prefix, at))) return 'prefix_cut';
      if (costs.length === 0) return null;
      if (!(await this.budget.take(scope, micros, at))) return 'prefix_budget_exhausted';
      if (!(await this.budget.take(everywhere, micros, at))) return 'budget_exhausted';
      return null;
    });
  }

  /** Commits when there is no reason against it; else nothing was taken. */
  private async orRollBack(take: () => Promise<RefusalReason | null>): Promise<RefusalReason | null> {
    let reason: RefusalReason | null = null;
    const refused = new Error('There is a reason against it');
    try {
      await this.transaction.run(async () => {
        reason = await take();
        if (reason !== null) throw refused;
      });
    } catch (error) {
      if (error !== refused) throw error;
    }
    return reason;
  }

  /** Neither the whole number nor its prefix, which together with what the mask shows would nearly be the number. */
  private record(reason: RefusalReason, messageUuid: string, { number, scope }: SmsDestination): void {
    const { mode } = this.config.smsLimits;
    this.metrics.smsRefusals.inc({ reason, mode });
    this.log.warn(
      {
        event: 'sms_refusal',
        messageId: messageIdOf(messageUuid),
        to: maskIdentifier(number),
        country: scope,
        reason,
        mode,
      },
      'sms refusal',
    );
  }

  private warnWhenOpen(): void {
    const { production, smsLimits } = this.config;
    if (this.hasWarned || !production || smsLimits.countries) return;
    this.hasWarned = true;
    this.log.warn('SMS go to every country. Name those you have users in: SMS_COUNTRIES=DE,AT (or * if all)');
  }
}
