import { Injectable } from '@nestjs/common';
import { Config } from '../../config.js';
import { SlidingLogStorage } from '../accept/throttling/sliding-log.storage.js';

/**
 * How many messages the whole service hands to its providers in a window, so that their quotas last. Counted here, at
 * delivery, where only messages to people count: requests for addresses that nobody has cannot use it up.
 */
@Injectable()
export class DeliveryLimit {
  constructor(
    private readonly storage: SlidingLogStorage,
    private readonly config: Config,
  ) {}

  /** Takes a slot and returns 0, or returns the milliseconds after which there may be one. */
  async waitMs(): Promise<number> {
    const limit = this.config.limits.delivery;
    if (!limit) return 0;
    const record = await this.storage.increment('all', limit.windowMs, limit.max, 0, 'delivery');
    return record.isBlocked ? record.timeToBlockExpire * 1_000 : 0;
  }
}
