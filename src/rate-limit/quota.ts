import type { ThrottlerStorage } from '@nestjs/throttler';
import type { Limit } from '../config/config.js';
import type { CheckedLimit } from './rate-limit-headers.js';

/** What became of a request for a slot, in the words of the headers. */
export interface Slot extends CheckedLimit {
  readonly isGranted: boolean;
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
