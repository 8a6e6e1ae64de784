import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Config } from '../../config/config.js';
import { Log } from '../../platform/log.js';
import { messageIdOf } from '../../platform/ids.js';
import { confirmationRules, meantUser, purposeOf } from '../messages/confirmation-type.js';
import type { ClaimedMessage, Delivery, Outcome, ProviderAttempt } from '../messages/delivery.js';
import { RedirectAllowList } from '../requests/redirect-allow-list.js';
import { SuppressionList, type SuppressionReason } from '../messages/suppression-list.js';
import { TokenService } from '../tokens/token.service.js';
import type { User } from '../messages/user.js';
import { UsersRepository } from '../users/users.repository.js';
import type { OutgoingMessage } from '../messages/notification-provider.js';
import { SmsAllowance } from '../sms-abuse/sms-allowance.js';
import { DeliveryLimit, RecipientLimit } from './delivery-limits.js';
import { Failover } from './failover.js';
import { MessageRenderer } from './message-renderer.js';

/** The address has had as many messages as it gets. */
const overRecipientLimit = 'recipient_limit';

/** Sees one accepted message through an attempt: user, eligibility, secret, text, providers, outcome. */
@Injectable()
export class ResendService {
  constructor(
    private readonly users: UsersRepository,
    private readonly tokens: TokenService,
    private readonly renderer: MessageRenderer,
    private readonly suppressions: SuppressionList,
    private readonly failover: Failover,
    private readonly limit: DeliveryLimit,
    private readonly recipientLimit: RecipientLimit,
    private readonly smsAllowance: SmsAllowance,
    private readonly redirects: RedirectAllowList,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  async deliver(message: ClaimedMessage): Promise<Delivery> {
    const now = this.clock.now();
    const obstacle = this.failover.obstacle(message.channel);
    // Before anything is looked up: while all providers are away, messages come by often and in vain.
    if (obstacle?.status === 'waiting')
      return untried(this.isTooOld(message, now) ? failed('expired') : obstacle);
    // What merely waited, for a worker, a provider or the limit of the service, is still tried once.
    if (this.isOutlived(message, now) || (message.tried && this.isTooOld(message, now)))
      return untried(failed('expired'));
    const user = await this.find(message);
    if (!user) return untried(dropped('unknown_user'));
    if (user.bannedUntil && user.bannedUntil.getTime() > now) return untried(dropped('banned'));
    const rules = confirmationRules[message.type];
    const refusal = rules.refusal(user, message.channel);
    if (refusal) return untried(dropped(refusal));
    const to = rules.recipient(user, message.recipient, message.channel);
    if (await this.suppressions.contains(message.channel, to)) return untried(dropped('suppressed'));
    if (obstacle) return untried(obstacle);
    const waitMs = await this.limit.waitMs();
    if (waitMs > 0) return untried({ status: 'delayed', waitMs });
    if (!(await this.recipientLimit.admits(message.type, to))) {
      // What was let through once is only late.
      return untried(
        message.tried ? { status: 'retry', reason: overRecipientLimit } : dropped(overRecipientLimit),
      );
    }
    return this.send(message, user, to);
  }

  private isTooOld(message: ClaimedMessage, now: number): boolean {
    return this.isOutlived(message, now) || ageMs(message, now) > this.config.retryMaxAgeMs;
  }

  /** Somebody who waits for a code has given up, or asked again, when it would have expired; and each SMS costs money. */
  private isOutlived(message: ClaimedMessage, now: number): boolean {
    return message.channel === 'sms' && ageMs(message, now) > this.config.tokenLifetimeMs.sms;
  }

  private async find({ type, channel, recipient }: ClaimedMessage): Promise<User | null> {
    const found = [];
    for (const key of confirmationRules[type].lookup[channel] ?? [])
      found.push(await this.users.find(key, recipient));
    return meantUser(type, channel, found);
  }

  private async send(message: ClaimedMessage, user: User, to: string): Promise<Delivery> {
    const admission = await this.smsAllowance.admit(message, to, this.failover.providersOf(message.channel));
    if (admission.refusal) return untried(admission.refusal);
    let tries: readonly ProviderAttempt[] = [];
    try {
      const delivery = await this.failover.send(
        message.channel,
        await this.compose(message, user, to),
        message.uncertain,
      );
      tries = delivery.tries;
      if (delivery.recipientLoss) await this.suppress(message, to, delivery.recipientLoss);
      return delivery;
    } finally {
      await this.smsAllowance.settle(admission, tries);
    }
  }

  /** Never rejects: the attempt has been made, and the next message would be refused in the same way. */
  private async suppress(
    { id, channel }: ClaimedMessage,
    to: string,
    reason: SuppressionReason,
  ): Promise<void> {
    try {
      await this.suppressions.add(channel, to, reason, id);
    } catch (err) {
      this.log.warn(
        { err, messageId: messageIdOf(id) },
        'A recipient could not be put on the suppression list',
      );
    }
  }

  /** With a new secret for each attempt: what leaves is good for as long as it says, however long the message waited. */
  private async compose(message: ClaimedMessage, user: User, to: string): Promise<OutgoingMessage> {
    const purpose = purposeOf(message.type, message.channel);
    const withLink = message.channel === 'email';
    const { link, code, expiresAt } = await this.tokens.mint({
      userId: user.id,
      purpose,
      recipient: to,
      withLink,
    });
    const content = this.renderer.render(message.type, message.channel, {
      to,
      link: link === null ? null : this.linkUrl(message, link),
      code,
      validForMs: expiresAt.getTime() - this.clock.now(),
    });
    return { messageId: messageIdOf(message.id), to, ...content };
  }

  private linkUrl(message: ClaimedMessage, token: string): string {
    const url = new URL(`${this.config.publicUrl}/verify`);
    url.searchParams.set('token', token);
    url.searchParams.set('type', message.type);
    url.searchParams.set('redirect_to', message.redirectTo ?? this.redirects.defaultUrl);
    return url.href;
  }
}

/** Counted anew from when an operator asked for it once more. */
function ageMs({ requeuedAt, acceptedAt }: ClaimedMessage, now: number): number {
  return now - (requeuedAt ?? acceptedAt).getTime();
}

function untried(outcome: Outcome): Delivery {
  return { outcome, tries: [] };
}

function dropped(reason: string): Outcome {
  return { status: 'dropped', reason };
}

function failed(reason: string): Outcome {
  return { status: 'failed', reason };
}
