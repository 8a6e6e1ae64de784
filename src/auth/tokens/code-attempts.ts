import { Injectable } from '@nestjs/common';
import { type ApiError, tooManyRequests } from '../../http/api-error.js';
import { Clock } from '../../platform/clock.js';
import { Config, type Limit } from '../../config/config.js';
import { networkAround } from '../../http/client-ip.js';
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

/** How many times the guesses of an identifier a client has over all of them, and the IPv6 network (/48) around it. */
const shares = { client: 6, network: 30 } as const;

/**
 * The windows in which guesses are counted: for each identifier and purpose over all of its codes, whether or not a user has
 * that identifier, and for each client over all identifiers. All instances share the counts, no new message resets them, and
 * a change of the hashing key begins them anew.
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
  count(identifier: string, purpose: TokenPurpose): Promise<CodeAttempt> {
    return this.take(this.keyedHash.digest('code attempts', purpose, identifier), this.config.limits.verify);
  }

  /**
   * Counts a guess by who makes it, in the same way.
   * @param client see `clientIpKey`
   * @throws ApiError 429 with the seconds until the next guess
   */
  async countOfClient(client: string): Promise<CodeAttempt[]> {
    const { max, windowMs } = this.config.limits.verify;
    const network = networkAround(client);
    const counts = [{ who: client, max: max * shares.client }];
    if (network !== null) counts.push({ who: network, max: max * shares.network });
    const attempts: CodeAttempt[] = [];
    for (const { who, max } of counts) {
      const key = this.keyedHash.digest('code attempts of a client', who);
      attempts.push(await this.take(key, { max, windowMs }));
    }
    return attempts;
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

  private async take(key: Buffer, limit: Limit): Promise<CodeAttempt> {
    const at = new Date(this.clock.now());
    const waitMs = await this.log.waitMs(key, at, limit);
    if (waitMs > 0) throw refusal(waitMs);
    if (await this.log.take(key, at, limit)) return { key, at };
    throw refusal(await this.log.waitMs(key, at, limit));
  }

  /** A right code is no guess. */
  forget({ key, at }: CodeAttempt): Promise<void> {
    return this.log.giveBack(key, at);
  }
}

/** @param waitMs 0 when room was made meanwhile: a right code was taken out of the count */
function refusal(waitMs: number): ApiError {
  return tooManyRequests('over_verify_limit', Math.max(minRetryAfter, Math.ceil(waitMs / 1_000)));
}
