import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Config } from '../../config.js';
import { messageIdOf } from '../../message-id.js';
import { confirmationRules, meantUser, purposeOf } from '../confirmation-type.js';
import type { ClaimedMessage, Outcome } from '../outbox/delivery.js';
import { RedirectAllowList } from '../redirect-allow-list.js';
import { TokenService } from '../tokens/token.service.js';
import type { User } from '../users/user.js';
import { UsersRepository } from '../users/users.repository.js';
import { DeliveryLimit } from './delivery-limit.js';
import { MessageRenderer } from './message-renderer.js';
import {
  NotificationProvider,
  PermanentDeliveryError,
  TransientDeliveryError,
} from './notification-provider.js';

/** Sees one accepted message through an attempt: user, eligibility, secret, text, provider, outcome. */
@Injectable()
export class ResendService {
  constructor(
    private readonly users: UsersRepository,
    private readonly tokens: TokenService,
    private readonly renderer: MessageRenderer,
    @Inject(NotificationProvider) private readonly providers: readonly NotificationProvider[],
    private readonly limit: DeliveryLimit,
    private readonly redirects: RedirectAllowList,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  async deliver(message: ClaimedMessage): Promise<Outcome> {
    const now = this.clock.now();
    // What merely waited, for a worker or for the limit of the service, is still tried once.
    const tooOld = now - message.acceptedAt.getTime() > this.config.retryMaxAgeMs;
    if (tooOld && message.attempts > 1) return failed('expired');
    const user = await this.find(message);
    if (!user) return dropped('unknown_user');
    if (user.bannedUntil && user.bannedUntil.getTime() > now) return dropped('banned');
    const rules = confirmationRules[message.type];
    const refusal = rules.refusal(user, message.channel);
    if (refusal) return dropped(refusal);
    const provider = this.providers.find(({ channel }) => channel === message.channel);
    if (!provider) return failed('no_provider');
    const waitMs = await this.limit.waitMs();
    if (waitMs > 0) return { status: 'delayed', waitMs };
    return this.send(message, user, rules.recipient(user, message.recipient, message.channel), provider);
  }

  private async find({ type, channel, recipient }: ClaimedMessage): Promise<User | null> {
    const found = [];
    for (const key of confirmationRules[type].lookup[channel] ?? [])
      found.push(await this.users.find(key, recipient));
    return meantUser(type, channel, found);
  }

  private async send(
    message: ClaimedMessage,
    user: User,
    to: string,
    provider: NotificationProvider,
  ): Promise<Outcome> {
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
    try {
      await provider.send({ messageId: messageIdOf(message.id), to, ...content });
      return { status: 'sent' };
    } catch (error) {
      if (error instanceof PermanentDeliveryError) return failed(error.reason);
      if (error instanceof TransientDeliveryError) return { status: 'retry', reason: error.reason };
      throw error;
    }
  }

  private linkUrl(message: ClaimedMessage, token: string): string {
    const url = new URL(`${this.config.publicUrl}/verify`);
    url.searchParams.set('token', token);
    url.searchParams.set('type', message.type);
    url.searchParams.set('redirect_to', message.redirectTo ?? this.redirects.defaultUrl);
    return url.href;
  }
}

function dropped(reason: string): Outcome {
  return { status: 'dropped', reason };
}

function failed(reason: string): Outcome {
  return { status: 'failed', reason };
}
