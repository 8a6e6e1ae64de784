import { Injectable } from '@nestjs/common';
import { type ApiError, tooManyRequests } from '../../http/api-error.js';
import { Clock } from '../../platform/clock.js';
import { Config } from '../../config/config.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import { SqlSlidingLog } from '../../rate-limit/sql-sliding-log.js';
import type { TokenPurpose } from '../messages/confirmation-type.js';

/** One guess that has been counted. */
export interface CodeAttempt {
  readonly key: Buffer;
  readonly at: Date;
}

/** Seconds. */
const minRetryAfter = 1;

/**
 * Brute-force protection of codes: counts guesses for each identifier and purpose over all of its codes, whether or not a
 * user has that identifier. All instances share the count, no new message resets it, and a change of the hashing key
 * begins it anew.
 */
@Injectable()
export class CodeAttempts {
  constructor(
    private readonly log: SqlSlidingLog,
    private readonly keyedHash: KeyedHash,
    private readonly clock: Clock,
    private readonly config: Config,
  ) {}

  /**
   * Counts a guess before it is compared: of a hundred at once, five are compared. A refused guess adds nothing and prolongs
   * nothing. A flood of guesses at one identifier is refused without a lock; it would otherwise queue for one row on every
   * connection of the pool.
   * @throws ApiError 429 with the seconds until the next guess
   */
  async count(identifier: string, purpose: TokenPurpose): Promise<CodeAttempt> {
    const { verify } = this.config.limits;
    const key = this.keyedHash.digest('code attempts', purpose, identifier);
    const at = new Date(this.clock.now());
    const waitMs = await this.log.waitMs(key, at, verify);
    if (waitMs > 0) throw refusal(waitMs);
    if (await this.log.take(key, at, verify)) return { key, at };
    throw refusal(await this.log.waitMs(key, at, verify));
  }

  /**
   * Counts a guess by the address that its code goes to, where that may be another than the one that is named: people who
   * wait for one address have codes there, each under a name of their own. Null when there have been enough; then the guess
   * must be answered as a wrong one, because a refusal would tell who waits for which address. It writes in either case, so
   * that time does not tell either.
   */
  async countAtRecipient(recipient: string, purpose: TokenPurpose): Promise<CodeAttempt | null> {
    const key = this.keyedHash.digest('code attempts at recipient', purpose, recipient);
    const at = new Date(this.clock.now());
    return (await this.log.takeBlindly(key, at, this.config.limits.verify)) ? { key, at } : null;
  }

  /** A right code is no guess. */
  forget({ key, at }: CodeAttempt): Promise<void> {
    return this.log.giveBack(key, at);
  }
}

/** @param waitMs 0 when room was made meanwhile: a right code was taken out of the count */
function refusal(waitMs: number): ApiError {
  return tooManyRequests('over_request_rate_limit', Math.max(minRetryAfter, Math.ceil(waitMs / 1_000)));
}
