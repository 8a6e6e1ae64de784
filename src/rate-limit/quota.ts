import type { FastifyReply } from 'fastify';
import type { ThrottlerStorage } from '@nestjs/throttler';
import type { Limit } from '../config/config.js';

/** What became of a request for a slot. */
export interface Slot {
  readonly isGranted: boolean;
  /** `ip`, `email` or `sms`; with `-captcha` the quota that only a captcha opens. */
  readonly name: string;
  readonly limit: Limit;
  readonly remaining: number;
  /** Whole seconds until a slot is free. */
  readonly reset: number;
}

/**
 * What one client or address has of a limit, and how little of it is granted without a captcha. All thresholds look at
 * one log, so whatever was granted counts against each of them; only the second quota has a log of its own.
 */
export class Quota {
  constructor(
    private readonly storage: ThrottlerStorage,
    private readonly name: string,
    private readonly limit: Limit,
    private readonly key: string,
  ) {}

  take(): Promise<Slot> {
    return this.takeFrom(this.name, this.limit.max);
  }

  /** A slot, unless no more than a fifth of them, or the last one, is left. A limit of one is never scarce. */
  async takeUnlessScarce(): Promise<Slot> {
    const { max } = this.limit;
    const kept = max === 1 ? 0 : Math.max(1, Math.floor(max / 5));
    const slot = await this.takeFrom(this.name, max - kept);
    return slot.isGranted ? { ...slot, limit: this.limit, remaining: slot.remaining + kept } : slot;
  }

  /** One out of three slots, for requests about which less is known than should be. */
  takeStrictly(): Promise<Slot> {
    return this.takeFrom(this.name, Math.max(1, Math.floor(this.limit.max / 3)));
  }

  /**
   * A slot of the second quota, as large as the first.
   * @param refused what `take` said: whoever gets none here can have the next one of either
   */
  async takeBehindCaptcha(refused: Slot): Promise<Slot> {
    const slot = await this.takeFrom(`${this.name}-captcha`, this.limit.max);
    return slot.isGranted ? slot : { ...slot, reset: Math.min(slot.reset, refused.reset) };
  }

  private async takeFrom(name: string, max: number): Promise<Slot> {
    const { windowMs } = this.limit;
    const record = await this.storage.increment(this.key, windowMs, max, 0, name);
    return {
      name,
      limit: { max, windowMs },
      remaining: Math.max(0, max - record.totalHits),
      reset: record.timeToExpire,
      isGranted: !record.isBlocked,
    };
  }
}

/** What a client's countdown reads besides `Retry-After`; for `Access-Control-Expose-Headers`. */
export const rateLimitHeaderNames = [
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'RateLimit-Policy',
  'RateLimit',
] as const;

/**
 * Says in the answer's headers what is left of a limit, whatever the answer will be. `RateLimit-Policy` and `RateLimit` are
 * the fields of draft-ietf-httpapi-ratelimit-headers-10, with an item for each limit; `X-RateLimit-*` speaks of the limit
 * with the fewest left.
 * @returns the seconds until every limit that is used up has a slot again; 0 when none is
 */
export function announce(reply: FastifyReply, { name, limit, remaining, reset }: Slot): number {
  append(reply, 'ratelimit-policy', `"${name}";q=${limit.max};w=${Math.ceil(limit.windowMs / 1000)}`);
  append(reply, 'ratelimit', `"${name}";r=${remaining};t=${reset}`);
  const fewest = Number(reply.getHeader('x-ratelimit-remaining') ?? Infinity);
  const wait = Number(reply.getHeader('x-ratelimit-reset'));
  // Of two limits with as many left, the one that makes the client wait longer.
  if (remaining > fewest || (remaining === fewest && reset <= wait)) return fewest === 0 ? wait : 0;
  reply.header('x-ratelimit-limit', String(limit.max));
  reply.header('x-ratelimit-remaining', String(remaining));
  reply.header('x-ratelimit-reset', String(reset));
  return remaining === 0 ? reset : 0;
}

function append(reply: FastifyReply, name: string, item: string): void {
  const items = reply.getHeader(name) as string | undefined;
  reply.header(name, items === undefined ? item : `${items}, ${item}`);
}
