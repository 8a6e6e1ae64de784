import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { MoreThan, MoreThanOrEqual } from 'typeorm';
import { Clock } from '../../clock.js';
import { Config } from '../../config.js';
import { Transaction } from '../../database/transaction.js';
import { KeyedHash } from '../../keyed-hash.js';
import { firstUuidV7, uuidV7 } from '../../uuid-v7.js';
import type { TokenPurpose } from '../confirmation-type.js';
import { TokenEntity } from './token.entity.js';

/** Whose secret it is, what it is for, and the address that it goes to and proves. */
export interface TokenSubject {
  readonly userId: string;
  readonly purpose: TokenPurpose;
  /** Normalised email address, or E.164. */
  readonly recipient: string;
}

export interface MintedToken {
  /** 256 random bits as 43 characters of base64url; null when none was asked for. */
  readonly link: string | null;
  /** Six decimal digits. */
  readonly code: string;
  readonly expiresAt: Date;
}

/** A secret that somebody showed and that was good when it was looked up; only `consume` makes it count. */
export interface LiveToken extends TokenSubject {
  readonly id: string;
}

/** How many overdue tokens one new token takes away with it: more than one, so that they cannot pile up. */
const sweepSize = 4;

/**
 * The secrets in messages: a link, a code, or both. All unexpired ones of a purpose work beside each other, and the
 * first use ends them all. The database holds keyed hashes only.
 */
@Injectable()
export class TokenService {
  constructor(
    private readonly transaction: Transaction,
    private readonly keyedHash: KeyedHash,
    private readonly clock: Clock,
    private readonly config: Config,
  ) {}

  async mint({ withLink, ...subject }: TokenSubject & { withLink: boolean }): Promise<MintedToken> {
    const now = this.clock.now();
    const link = withLink ? randomBytes(32).toString('base64url') : null;
    const id = uuidV7(now);
    const lifetimeMs = this.config.tokenLifetimeMs[subject.purpose];
    const codeSeed = (await this.recentSeed(subject, now - lifetimeMs / 2)) ?? id;
    const code = this.codeOf(codeSeed);
    const expiresAt = new Date(now + lifetimeMs);
    await this.sweep(now);
    await this.transaction.manager.insert(TokenEntity, {
      id,
      ...subject,
      linkHash: link === null ? null : this.linkHash(link),
      codeHash: this.codeHash(subject, code),
      codeSeed,
      expiresAt,
    });
    return { link, code, expiresAt };
  }

  /**
   * The seed that a message repeats, so that it carries the code of the one before: made since `since`, still alive.
   * With a code of its own for every message a stranger could have hundreds of codes alive at once by asking again and
   * again, and a guess would hit one of them hundreds of times as often.
   */
  private async recentSeed(
    { userId, purpose, recipient }: TokenSubject,
    since: number,
  ): Promise<string | null> {
    const recent = await this.transaction.manager.findOne(TokenEntity, {
      select: { id: true, codeSeed: true },
      where: {
        userId,
        purpose,
        recipient,
        codeSeed: MoreThanOrEqual(firstUuidV7(since)),
        ...this.unexpired(),
      },
      order: { codeSeed: 'DESC' },
    });
    return recent?.codeSeed ?? null;
  }

  /** Six digits that nobody can tell from the seed without the key, so that no code has to be kept to be repeated. */
  private codeOf(seed: string): string {
    const digest = this.keyedHash.digest('code digits', seed);
    return String(digest.readUIntBE(0, 6) % 1_000_000).padStart(6, '0');
  }

  /** Null when the link is unknown, used, expired or for another purpose. Changes nothing. */
  async findByLink(link: string, purpose: TokenPurpose): Promise<LiveToken | null> {
    const linkHash = this.linkHash(link);
    const token = await this.transaction.manager.findOneBy(TokenEntity, {
      linkHash,
      purpose,
      ...this.unexpired(),
    });
    return token?.linkHash && timingSafeEqual(token.linkHash, linkHash) ? token : null;
  }

  /**
   * Null when the code is wrong, used or expired. Changes nothing, and locks nothing: a lock is written to disk, and
   * the time it takes would tell which identifiers have a code waiting.
   */
  async findByCode(code: string, subject: TokenSubject): Promise<LiveToken | null> {
    const { userId, purpose, recipient } = subject;
    const codeHash = this.codeHash(subject, code);
    const where = { userId, purpose, recipient, ...this.unexpired() };
    const candidates = await this.transaction.manager.findBy(TokenEntity, where);
    const matching = candidates.filter((token) => timingSafeEqual(token.codeHash, codeHash));
    return matching[0] ?? null;
  }

  /**
   * Ends all tokens of the user and purpose. True for exactly one of any number of simultaneous uses, whichever of
   * the tokens they show: the rows are locked in the order of their ids, so that nobody waits in a circle, and who
   * comes second finds them gone. Within a transaction that is rolled back nothing has been used.
   */
  async consume(token: LiveToken): Promise<boolean> {
    const [ended] = await this.transaction.manager.query<[{ id: string }[], number]>(
      `WITH locked AS MATERIALIZED (
         SELECT id FROM tokens WHERE user_id = $1 AND purpose = $2 ORDER BY id FOR UPDATE
       )
       DELETE FROM tokens USING locked WHERE tokens.id = locked.id RETURNING tokens.id`,
      [token.userId, token.purpose],
    );
    return ended.some(({ id }) => id === token.id);
  }

  /** Takes away a few that are overdue by any lifetime. Ids rise with time, so that finding them costs nothing. */
  private async sweep(now: number): Promise<void> {
    const oldest = now - Math.max(...Object.values(this.config.tokenLifetimeMs));
    await this.transaction.manager.query(
      `WITH overdue AS MATERIALIZED (
         SELECT id FROM tokens WHERE id < $1 AND expires_at <= $2 ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
       )
       DELETE FROM tokens USING overdue WHERE tokens.id = overdue.id`,
      [firstUuidV7(oldest), new Date(now), sweepSize],
    );
  }

  private unexpired() {
    return { expiresAt: MoreThan(new Date(this.clock.now())) };
  }

  private linkHash(link: string): Buffer {
    return this.keyedHash.digest('link token', link);
  }

  private codeHash({ userId, purpose, recipient }: TokenSubject, code: string): Buffer {
    return this.keyedHash.digest('code', userId, purpose, recipient, code);
  }
}
