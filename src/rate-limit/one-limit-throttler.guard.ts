import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ThrottlerGuard } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { tooManyRequests } from '../http/api-error.js';
import { Config } from '../config/config.js';
import { KeyedHash } from '../platform/keyed-hash.js';
import { addCheckedLimit } from './rate-limit-headers.js';
import { Quota, type Slot } from './quota.js';
import { SlidingLogStorage } from './sliding-log.storage.js';

export type LimitName = 'ip' | 'email' | 'sms';

const refusals = {
  ip: 'over_request_rate_limit',
  email: 'over_email_send_rate_limit',
  sms: 'over_sms_send_rate_limit',
} as const satisfies Record<LimitName, string>;

/**
 * Checks exactly one limit. The stock guard checks all named throttlers one after another, so a request that the IP
 * limit refuses would already have spent the quota of the identifier in it.
 */
@Injectable()
export abstract class OneLimitThrottlerGuard extends ThrottlerGuard {
  constructor(
    // Nest reads the parent's tokens for its first two parameters unless they are named here.
    @Inject(Config) protected readonly config: Config,
    @Inject(SlidingLogStorage) storage: SlidingLogStorage,
    reflector: Reflector,
    private readonly hash: KeyedHash,
  ) {
    const { ip, email, sms } = config.limits;
    const throttlers = Object.entries({ ip, email, sms }).map(([name, { max, windowMs }]) => ({
      name,
      limit: max,
      ttl: windowMs,
    }));
    super({ throttlers, storage }, storage, reflector);
  }

  /** Which limit counts for this request. */
  protected abstract limitOf(request: FastifyRequest): LimitName;

  /** Who is counted. Known at once, unlike what `getTracker` of the stock guard promises. */
  protected abstract trackerOf(request: FastifyRequest): string;

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const name = this.limitOf(request);
    const key = this.generateKey(context, this.trackerOf(request), name);
    const quota = new Quota(this.storageService, name, this.config.limits[name], key);
    const slot = await this.take(quota, request, context);
    const retryAfter = addCheckedLimit(http.getResponse<FastifyReply>(), slot);
    if (!slot.isGranted) throw tooManyRequests(refusals[name], retryAfter);
    return true;
  }

  /** The slot for this request, granted or not. */
  protected abstract take(quota: Quota, request: FastifyRequest, context: ExecutionContext): Promise<Slot>;

  /** Every route has its own buckets. The store sees a keyed hash, never an address. */
  protected override generateKey(context: ExecutionContext, tracker: string, name: LimitName): string {
    const scope = `${context.getClass().name}.${context.getHandler().name}`;
    return `${scope}:${this.hash.pseudonym('limit', scope, name, tracker)}`;
  }
}
