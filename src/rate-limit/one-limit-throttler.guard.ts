import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  ThrottlerGuard,
  type ThrottlerLimitDetail,
  type ThrottlerModuleOptions,
  type ThrottlerRequest,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { tooManyRequests } from '../http/api-error.js';
import { Config } from '../config/config.js';
import { KeyedHash } from '../platform/keyed-hash.js';
import { announce, Quota, type Slot } from './quota.js';

export type LimitName = 'ip' | 'backend' | 'email' | 'sms';

const refusals = {
  ip: 'over_request_rate_limit',
  backend: 'over_request_rate_limit',
  email: 'over_email_send_rate_limit',
  sms: 'over_sms_send_rate_limit',
} as const satisfies Record<LimitName, string>;

interface Refusal extends ThrottlerLimitDetail {
  readonly name: LimitName;
}

/** What is counted together. */
export interface Bucket {
  /** Of which kind it is: one word, or two. */
  readonly kind: string;
  /** Whose it is; the store sees a keyed hash of it. */
  readonly who: string;
}

/**
 * Checks exactly one of the named throttlers of `ThrottlerModule`. The stock guard checks all of them one after another,
 * so a request that the IP limit refuses would already have spent the quota of the identifier in it.
 */
@Injectable()
export abstract class OneLimitThrottlerGuard extends ThrottlerGuard {
  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    @Inject(Config) protected readonly config: Config,
    private readonly hash: KeyedHash,
  ) {
    super(options, storage, reflector);
  }

  override async onModuleInit(): Promise<void> {
    await super.onModuleInit();
    this.throttlers = this.throttlers.map((throttler) => ({
      ...throttler,
      skipIf: (context) =>
        throttler.name !== this.limitOf(context.switchToHttp().getRequest<FastifyRequest>()),
    }));
  }

  /** Which limit counts for this request. */
  protected abstract limitOf(request: FastifyRequest): LimitName;

  protected abstract bucketOf(request: FastifyRequest): Bucket;

  /** The slot for this request, granted or not. */
  protected abstract take(quota: Quota, request: FastifyRequest, context: ExecutionContext): Promise<Slot>;

  protected override async handleRequest(props: ThrottlerRequest): Promise<true> {
    const { context, limit, ttl, throttler, getTracker, generateKey } = props;
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const name = throttler.name as LimitName;
    const tracker = await getTracker(request, context);
    const key = generateKey(context, tracker, name);
    const quota = new Quota(this.storageService, name, { max: limit, windowMs: ttl }, key);
    const slot = await this.take(quota, request, context);
    const wait = announce(http.getResponse<FastifyReply>(), slot);
    if (slot.isGranted) return true;
    const seconds = { totalHits: limit + 1, timeToExpire: slot.reset, timeToBlockExpire: wait };
    return this.throwThrottlingException(context, {
      name,
      limit,
      ttl,
      key,
      tracker,
      isBlocked: true,
      ...seconds,
    });
  }

  protected override throwThrottlingException(_context: ExecutionContext, refusal: Refusal): Promise<never> {
    return Promise.reject(tooManyRequests(refusals[refusal.name], refusal.timeToBlockExpire));
  }

  protected override getTracker(request: FastifyRequest): Promise<string> {
    return Promise.resolve(this.bucketOf(request).who);
  }

  /** The store sees a keyed hash, never an address. */
  protected override generateKey(context: ExecutionContext, tracker: string, name: LimitName): string {
    const { kind } = this.bucketOf(context.switchToHttp().getRequest<FastifyRequest>());
    return `${kind}:${this.hash.pseudonym('limit', kind, name, tracker)}`;
  }
}
