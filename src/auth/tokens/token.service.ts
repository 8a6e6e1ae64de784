import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { In, IsNull, MoreThan, MoreThanOrEqual, Not } from 'typeorm';
import { Clock } from '../../clock.js';
import { Config } from '../../config.js';
import { Transaction } from '../../database/transaction.js';
import { KeyedHash } from '../../keyed-hash.js';
import { firstUuidV7, uuidV7 } from '../../uuid-v7.js';
import type { TokenPurpose } from '../confirmation-type.js';
import { linkHashes } from './link-hashes.js';
import { candidates, consume, insert, sweepSize } from './token.statements.js';
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

/** The hash of no code. */
const noCode = Buffer.alloc(32);

/** For how long a used link is known as one, in milliseconds: people open old mails again. */
const usedLinkLifetimeMs = 30 * 24 * 60 * 60 * 1_000;

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
    const recent = await this.recentCode(subject, now - lifetimeMs / 2);
    const { code, codeSeed } = recent ?? { code: this.codesOf(id)[0], codeSeed: id };
    const expiresAt = new Date(now + lifetimeMs);
    await this.sweep(now);
    await this.transaction.manager.query(insert, [
      id,
      subject.userId,
      subject.purpose,
      subject.recipient,
      link === null ? null : linkHashes(this.keyedHash, link)[0],
      this.codeHashes(subject, code)[0],
      codeSeed,
      expiresAt,
    ]);
    return { link, code, expiresAt };
  }

  /**
   * The code that a message repeats, with its seed: made since `since`, still alive. With a code of its own for every
   * message a stranger could have hundreds of codes alive at once by asking again and again, and a guess would hit one
   * of them hundreds of times as often. Null also when the code was derived under a key that is no longer known.
   */
  private async recentCode(
    subject: TokenSubject,
    since: number,
  ): Promise<{ code: string; codeSeed: string } | null> {
    const { userId, purpose, recipient } = subject;
    const recent = await this.transaction.manager.findOne(TokenEntity, {
      select: { id: true, codeSeed: true, codeHash: true },
      where: {
        userId,
        purpose,
        recipient,
        codeSeed: MoreThanOrEqual(firstUuidV7(since)),
        codeHash: Not(IsNull()),
        ...this.unexpired(),
      },
      order: { codeSeed: 'DESC' },
    });
    if (!recent?.codeHash) return null;
    const { codeSeed, codeHash } = recent;
    // The stored hash tells which of the keys the code comes from.
    const code = this.codesOf(codeSeed).find((it) => equalsAny(codeHash, this.codeHashes(subject, it)));
    return code === undefined ? null : { code, codeSeed };
  }

  /**
   * Six digits that nobody can tell from the seed without the key, so that no code has to be kept to be repeated. One
   * code for each key, the current one's first.
   */
  private codesOf(seed: string): [string, ...string[]] {
    const [current, ...others] = this.keyedHash.digests('code digits', seed);
    return [sixDigits(current), ...others.map(sixDigits)];
  }

  /** Null when the link is unknown, used, expired or for another purpose. Changes nothing. */
  async findByLink(link: string, purpose: TokenPurpose): Promise<LiveToken | null> {
    const hashes = linkHashes(this.keyedHash, link);
    const token = await this.transaction.manager.findOneBy(TokenEntity, {
      linkHash: In(hashes),
      purpose,
      ...this.unexpired(),
    });
    return token?.linkHash && equalsAny(token.linkHash, hashes) ? token : null;
  }

  /**
   * Null when the code is wrong, used or expired. Changes nothing, and locks nothing: a lock is written to disk, and
   * the time it takes would tell which identifiers have a code waiting. So would the making of an entity out of each row.
   */
  async findByCode(code: string, subject: TokenSubject): Promise<LiveToken | null> {
    const { userId, purpose, recipient } = subject;
    const codeHashes = this.codeHashes(subject, code);
    const rows = await this.transaction.manager.query<{ id: string; codeHash: Buffer }[]>(candidates, [
      userId,
      purpose,
      recipient,
      new Date(this.clock.now()),
      noCode,
    ]);
    const [matching] = rows.filter((row) => equalsAny(row.codeHash, codeHashes));
    return matching ? { id: matching.id, userId, purpose, recipient } : null;
  }

  /**
   * Ends all tokens of the user and purpose. True for exactly one of any number of simultaneous uses, whichever of
   * the tokens they show: the rows are locked in the order of their ids, so that nobody waits in a circle, and who
   * comes second finds them gone. Within a transaction that is rolled back nothing has been used, nor is remembered.
   */
  async consume(token: LiveToken): Promise<boolean> {
    const now = this.clock.now();
    const ended = await this.transaction.manager.query<{ id: string }[]>(consume, [
      token.userId,
      token.purpose,
      token.recipient,
      new Date(now + usedLinkLifetimeMs),
      new Date(now),
    ]);
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

  private codeHashes({ userId, purpose, recipient }: TokenSubject, code: string): [Buffer, ...Buffer[]] {
    return this.keyedHash.digests('code', userId, purpose, recipient, code);
  }
}

/** Compares with all of them, in constant time: neither how much is right nor which key it was shows. */
function equalsAny(hash: Buffer, candidates: readonly Buffer[]): boolean {
  return candidates.filter((candidate) => timingSafeEqual(hash, candidate)).length > 0;
}

function sixDigits(digest: Buffer): string {
  return String(digest.readUIntBE(0, 6) % 1_000_000).padStart(6, '0');
}
