import { type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CaptchaAction } from './captcha/captcha-verifier.js';
import { clientIpKey } from '../../http/client-ip.js';
import { type LimitName, OneLimitThrottlerGuard } from '../../rate-limit/one-limit-throttler.guard.js';
import type { Quota, Slot } from '../../rate-limit/quota.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The client's quota is so far used up that it must solve a captcha; `spent`: this is the one behind the captcha. */
    ipQuota?: 'scarce' | 'spent';
  }
}

/**
 * The general limit, per client address. Stands first: what it refuses costs nobody anything. With
 * `CAPTCHA_MODE=step-up`, on a route that takes a captcha, there is a second quota beyond the first. Its slots are taken
 * before the captcha is checked, so a client can have no more captchas checked than it has slots.
 */
@Injectable()
export class IpThrottlerGuard extends OneLimitThrottlerGuard {
  protected limitOf(): LimitName {
    return 'ip';
  }

  protected trackerOf(request: FastifyRequest): string {
    return clientIpKey(request);
  }

  protected take(quota: Quota, request: FastifyRequest, context: ExecutionContext): Promise<Slot> {
    const stepsUp =
      this.config.captcha.mode === 'step-up' && this.reflector.get(CaptchaAction, context.getHandler());
    return stepsUp ? takeInSteps(quota, request) : quota.take();
  }
}

async function takeInSteps(quota: Quota, request: FastifyRequest): Promise<Slot> {
  const free = await quota.takeUnlessScarce();
  if (free.isGranted) return free;
  request.ipQuota = 'scarce';
  const last = await quota.take();
  if (last.isGranted) return last;
  request.ipQuota = 'spent';
  return quota.takeBehindCaptcha(last);
}
