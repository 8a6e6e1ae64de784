import type { ThrottlerStorage } from '@nestjs/throttler';

/** What `increment` decided. Seconds are whole, rounded up, and never earlier than the slot. */
export interface SlidingLogRecord {
  /** Admitted requests in the window, this one included; when refused, one more than the limit. */
  readonly totalHits: number;
  /** Seconds until the oldest request that still counts leaves the window, which frees a slot. */
  readonly timeToExpire: number;
  /** Whether this request is refused. Then it was not recorded. */
  readonly isBlocked: boolean;
  /** Seconds until the next request can be admitted; 0 when this one was. */
  readonly timeToBlockExpire: number;
}

/** Where the limits are counted: `memory` by choice, or `memory-fallback` because Redis is away. */
export type SlidingLogState = 'memory' | 'redis' | 'memory-fallback';

/**
 * Counts requests by an exact sliding log: at no instant have more than `limit` been admitted in the last `ttl`
 * milliseconds. A request admitted at t counts in [t, t + ttl). A refused one is not recorded and prolongs nothing.
 */
export abstract class SlidingLogStorage implements ThrottlerStorage {
  /**
   * Admits the request if the window has room.
   * @param key who is counted, together with `throttlerName`
   * @param ttl length of the window in milliseconds
   * @param blockDuration not used: a refused client waits for a slot and no longer
   */
  abstract increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<SlidingLogRecord>;

  abstract state(): SlidingLogState;
}
