import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Channel } from '../messages/confirmation-type.js';
import type { CaptchaOutcome } from './captcha/captcha.guard.js';
import { type LimitName, OneLimitThrottlerGuard } from '../../rate-limit/one-limit-throttler.guard.js';
import type { Quota, Slot } from '../../rate-limit/quota.js';

/** What a validated body must say to be limited by its identifier. */
export interface LimitedRequest {
  readonly channel: Channel;
  /** Normalised, so that every spelling of an address shares one bucket. */
  readonly identifier: string;
}

/**
 * The limit of the channel, per address, known or not. Stands after the guard that validates the body, and after
 * `CaptchaGuard`, whose captcha opens a second quota with `CAPTCHA_MODE=step-up`: a stranger who spends somebody's quota
 * locks nobody out who can solve one.
 */
@Injectable()
export class IdentifierThrottlerGuard extends OneLimitThrottlerGuard {
  protected limitOf(request: FastifyRequest): LimitName {
    return limitedBody(request).channel;
  }

  protected trackerOf(request: FastifyRequest): string {
    return limitedBody(request).identifier;
  }

  protected take(quota: Quota, { checkCaptcha }: FastifyRequest): Promise<Slot> {
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

function limitedBody(request: FastifyRequest): LimitedRequest {
  const body = request.body as Partial<LimitedRequest> | undefined;
  if (body?.channel === undefined || !body.identifier) {
    throw new Error('IdentifierThrottlerGuard must stand after the guard that validates the body');
  }
  return body as LimitedRequest;
}
