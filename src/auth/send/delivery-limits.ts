import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { SlidingLogStorage } from '../../rate-limit/sliding-log.storage.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import { confirmationRules, type ConfirmationType } from '../messages/confirmation-type.js';

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

/**
 * How many messages one address gets, of the types that may go elsewhere than to the address that was named. A request is
 * counted where it is made, against the address in it; but any number of people can wait for one and the same new address,
 * and only here is it known. As many as a client may ask for: `LIMIT_EMAIL`, for each type by itself.
 */
@Injectable()
export class RecipientLimit {
  constructor(
    private readonly storage: SlidingLogStorage,
    private readonly keyedHash: KeyedHash,
    private readonly config: Config,
  ) {}

  /**
   * Takes a slot if there is one. Each attempt takes its own: whether one that broke off has arrived is not known, and the
   * next may go to another address, which is the pending one by then.
   * @param to in its normal form
   */
  async admits(type: ConfirmationType, to: string): Promise<boolean> {
    if (!confirmationRules[type].mayGoElsewhere) return true;
    const { max, windowMs } = this.config.limits.email;
    const key = this.keyedHash.pseudonym('recipient', type, to);
    const record = await this.storage.increment(key, windowMs, max, 0, 'recipient');
    return !record.isBlocked;
  }
}
