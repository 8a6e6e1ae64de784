import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import { SqlSlidingLog } from '../../rate-limit/sql-sliding-log.js';
import { countingForm } from '../messages/counting-form.js';

const windowMs = 24 * 3_600_000;

/**
 * How many messages one number gets, however it is spelt: at no instant have there been more than `smsLimits.dailyPerNumber` in the last 24
 * hours. A change of the hashing key begins it anew.
 */
@Injectable()
export class NumberCap {
  constructor(
    private readonly log: SqlSlidingLog,
    private readonly keyedHash: KeyedHash,
    private readonly config: Config,
  ) {}

  /** Whether there is room. */
  async take(number: string, at: Date): Promise<boolean> {
    const max = this.config.smsLimits.dailyPerNumber;
    return max === 0 || this.log.take(this.keyOf(number), at, { max, windowMs });
  }

  /** Takes out one message, and no other that was counted in the same millisecond. */
  giveBack(number: string, at: Date): Promise<void> {
    return this.log.giveBack(this.keyOf(number), at);
  }

  private keyOf(number: string): Buffer {
    return this.keyedHash.digest('sms number', countingForm('sms', number));
  }
}
