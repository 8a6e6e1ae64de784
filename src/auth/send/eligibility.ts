import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Clock } from '../../platform/clock.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import { SlidingLogStorage } from '../../rate-limit/sliding-log.storage.js';
import { confirmationRules, meantUser } from '../messages/confirmation-type.js';
import type { ClaimedMessage, Outcome } from '../messages/delivery.js';
import { StopLinks } from '../messages/stop-links.js';
import { StoppedMails } from '../messages/stopped-mails.js';
import { SuppressionList } from '../messages/suppression-list.js';
import type { User } from '../messages/user.js';
import { UsersRepository } from '../users/users.repository.js';
import { ProviderCircuits } from './provider-circuits.js';
import { RecipientLimit, type RecipientSlot } from './recipient-limit.js';

/** The person a message is for, and the address that it goes to. */
export interface Recipient {
  readonly user: User;
  /** In its normal form. */
  readonly to: string;
  /** What this message takes of what the person may get. */
  readonly slot: RecipientSlot;
}

/** Whom a message goes to, and whether it may go now: lookup, rules, suppression list, age, limits. */
@Injectable()
export class Eligibility {
  constructor(
    private readonly users: UsersRepository,
    private readonly suppressions: SuppressionList,
    private readonly stopped: StoppedMails,
    private readonly stopLinks: StopLinks,
    private readonly circuits: ProviderCircuits,
    private readonly limiter: SlidingLogStorage,
    private readonly recipientLimit: RecipientLimit,
    private readonly keyedHash: KeyedHash,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** The recipient, or what becomes of the message without an attempt. */
  async recipientOf(message: ClaimedMessage): Promise<Recipient | Outcome> {
    const now = this.clock.now();
    const waitMs = this.circuits.waitMs(message.channel);
    // Before anything is looked up: while all providers are away, messages come by often and in vain.
    if (waitMs !== null) {
      if (this.isTooOld(message, now)) return failed('expired');
      return { status: 'waiting', reason: 'providers_away', waitMs };
    }
    // What merely waited, for a worker, a provider or the limit of the service, is still tried once.
    if (this.isOutlived(message, now) || (message.tried && this.isTooOld(message, now)))
      return failed('expired');
    const user = await this.find(message);
    if (!user) return dropped('unknown_user');
    if (user.bannedUntil && user.bannedUntil.getTime() > now) return dropped('banned');
    const rules = confirmationRules[message.type];
    const refusal = rules.refusal(user, message.channel);
    if (refusal) return dropped(refusal);
    const to = rules.recipient(user, message.recipient, message.channel);
    if (await this.suppressions.contains(message.channel, to)) return dropped('suppressed');
    if (message.channel === 'email' && (await this.stopped.until(this.stopLinks.keys(message.type, to))))
      return dropped('stopped');
    if (this.circuits.of(message.channel).length === 0) return failed('no_provider');
    const slotOrOutcome = await this.limited(message, to);
    return 'status' in slotOrOutcome ? slotOrOutcome : { user, to, slot: slotOrOutcome };
  }

  private isTooOld(message: ClaimedMessage, now: number): boolean {
    return this.isOutlived(message, now) || ageMs(message, now) > this.config.retryMaxAgeMs;
  }

  /** The person has given up, or asked again, by the time an SMS code would have expired; and each SMS costs money. */
  private isOutlived(message: ClaimedMessage, now: number): boolean {
    return message.channel === 'sms' && ageMs(message, now) > this.config.tokenLifetimeMs.sms;
  }

  private async find({ type, channel, recipient }: ClaimedMessage): Promise<User | null> {
    const found = [];
    for (const key of confirmationRules[type].lookup[channel] ?? [])
      found.push(await this.users.find(key, recipient));
    return meantUser(type, channel, found);
  }

  private async limited(message: ClaimedMessage, to: string): Promise<RecipientSlot | Outcome> {
    const waitMs = await this.serviceLimitWaitMs();
    if (waitMs > 0) return { status: 'delayed', waitMs };
    const slot = await this.recipientLimit.take(message.type, message.channel, to);
    // What was let through once is only late.
    return slot ?? { status: message.tried ? 'retry' : 'dropped', reason: 'recipient_limit' };
  }

  /**
   * `LIMIT_DELIVERY`: how many messages the whole service hands to its providers in a window, so that their quotas last.
   * Counted here, at delivery, where only messages to people count: requests for addresses that no user has cannot use
   * it up. Takes a slot and returns 0, or returns the milliseconds after which there may be one.
   */
  private async serviceLimitWaitMs(): Promise<number> {
    const limit = this.config.limits.delivery;
    if (!limit) return 0;
    // Under a key of this deployment: another one on the same Redis has a quota of its own.
    const key = this.keyedHash.pseudonym('delivery limit');
    const record = await this.limiter.increment(key, limit.windowMs, limit.max, 0, 'delivery');
    return record.isBlocked ? record.timeToBlockExpire * 1_000 : 0;
  }
}

/** Counted anew from when an operator asked for it once more. */
function ageMs({ requeuedAt, acceptedAt }: ClaimedMessage, now: number): number {
  return now - (requeuedAt ?? acceptedAt).getTime();
}

function dropped(reason: string): Outcome {
  return { status: 'dropped', reason };
}

function failed(reason: string): Outcome {
  return { status: 'failed', reason };
}
