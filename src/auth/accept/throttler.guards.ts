import { type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import {
  type Bucket,
  type LimitName,
  OneLimitThrottlerGuard,
} from '../../rate-limit/one-limit-throttler.guard.js';
import { backendIn } from '../../http/client-ip.js';
import type { Quota, Slot } from '../../rate-limit/quota.js';
import { AcceptContext, type CaptchaOutcome } from '../requests/accept-context.js';
import { CaptchaAction } from './captcha/captcha-verifier.js';

/**
 * The general limit, per client address, one for all routes that ask for messages. Stands first: what it refuses costs no identifier anything. With
 * `CAPTCHA_MODE=step-up`, on a route that takes a captcha, there is a second quota beyond the first. Its slots are taken
 * before the captcha is checked, so a client can have no more captchas checked than it has slots.
 */
@Injectable()
export class IpThrottlerGuard extends OneLimitThrottlerGuard {
  /**
   * First of all it is settled who asks: a site's own server is no client, and calls for many. Who shows a wrong key is
   * counted as the client that it is.
   */
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    let refusal: Error | undefined;
    try {
      AcceptContext.of(request).backend = backendIn(request.headers, this.config.backendKeys);
    } catch (error) {
      refusal = error as Error;
    }
    await super.canActivate(context);
    if (refusal) throw refusal;
    return true;
  }

  protected override limitOf(request: FastifyRequest): LimitName {
    return AcceptContext.of(request).backend?.visitor === null ? 'backend' : 'ip';
  }

  protected override bucketOf(request: FastifyRequest): Bucket {
    const { backend, client } = AcceptContext.of(request);
    return backend?.visitor === null
      ? { kind: 'backend', who: backend.key }
      : { kind: 'messages', who: client };
  }

  protected override take(quota: Quota, request: FastifyRequest, context: ExecutionContext): Promise<Slot> {
    const stepsUp =
      this.limitOf(request) === 'ip' &&
      this.config.captcha.mode === 'step-up' &&
      this.reflector.get(CaptchaAction, context.getHandler());
    return stepsUp ? takeInSteps(quota, AcceptContext.of(request)) : quota.take();
  }
}

/** The same for challenges of ALTCHA, which send nothing to anybody. */
@Injectable()
export class ChallengeThrottlerGuard extends IpThrottlerGuard {
  protected override bucketOf(request: FastifyRequest): Bucket {
    return { ...super.bucketOf(request), kind: 'challenges' };
  }
}

async function takeInSteps(quota: Quota, accepted: AcceptContext): Promise<Slot> {
  const free = await quota.takeUnlessScarce();
  if (free.isGranted) return free;
  accepted.ipQuota = 'scarce';
  const last = await quota.take();
  if (last.isGranted) return last;
  accepted.ipQuota = 'spent';
  return quota.takeBehindCaptcha(last);
}

/**
 * The limit of the channel, per address and type of message, known or not: a type for which nothing is sent uses up the quota
 * of no other. Stands after the guard that validates the body, and after
 * `CaptchaGuard`, whose captcha opens a second quota with `CAPTCHA_MODE=step-up`: a stranger who spends an address's quota
 * cannot lock out a person who can solve one. A replay of an `Idempotency-Key` costs nothing.
 */
@Injectable()
export class IdentifierThrottlerGuard extends OneLimitThrottlerGuard {
  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    return Promise.resolve(
      AcceptContext.of(context.switchToHttp().getRequest<FastifyRequest>()).replayOf !== undefined,
    );
  }

  protected override limitOf(request: FastifyRequest): LimitName {
    return recipientOf(request).channel;
  }

  protected override bucketOf(request: FastifyRequest): Bucket {
    return recipientOf(request).bucket;
  }

  protected override take(quota: Quota, request: FastifyRequest): Promise<Slot> {
    const { checkCaptcha } = AcceptContext.of(request);
    return checkCaptcha ? this.takeWithCaptcha(quota, checkCaptcha) : quota.take();
  }

  private async takeWithCaptcha(quota: Quota, checkCaptcha: () => Promise<CaptchaOutcome>): Promise<Slot> {
    if (this.config.captcha.mode === 'step-up') {
      const free = await quota.takeUnlessScarce();
      if (free.isGranted) return free;
    }
    if ((await checkCaptcha()) === 'unverified') return quota.takeStrictly();
    const slot = await quota.take();
    if (slot.isGranted || this.config.captcha.mode === 'always') return slot;
    return quota.takeBehindCaptcha(slot);
  }
}

function recipientOf(request: FastifyRequest) {
  const { recipient } = AcceptContext.of(request);
  if (!recipient)
    throw new Error('IdentifierThrottlerGuard must stand after the guard that validates the body');
  return recipient;
}
