import { Injectable } from '@nestjs/common';
import { In, MoreThan } from 'typeorm';
import { Clock } from '../../platform/clock.js';
import { Config } from '../../config/config.js';
import { Transaction } from '../../database/transaction.js';
import { GroupCommit } from '../../platform/group-commit.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import type { TokenPurpose } from '../messages/confirmation-type.js';
import { equalsAny } from '../../platform/constant-time.js';
import { codeHashes, linkHashes, type TokenSubject } from './token-hashes.js';
import { lockSubjectsOf, TokenMint, type MintedToken, PendingToken, type SecretForm } from './token-mint.js';
import { candidates, consume, TokenEntity } from './token.statements.js';

/** A secret that was shown and was good when it was looked up; only `consume` makes it count. */
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
  private readonly pending: GroupCommit<PendingToken>;

  constructor(
    private readonly transaction: Transaction,
    private readonly keyedHash: KeyedHash,
    private readonly clock: Clock,
    private readonly config: Config,
  ) {
    this.pending = new GroupCommit((batch) => this.mintAll(batch));
  }

  /** Those that are asked for at the same moment are written together. */
  async mint({ withLink, codeLength = 6, ...subject }: TokenSubject & SecretForm): Promise<MintedToken> {
    const form = { withLink, codeLength };
    const token = new PendingToken(subject, form, this.config, this.clock.now());
    await this.pending.add(token);
    return token.minted;
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
   * Null when the code is wrong, used or expired. Changes nothing, and locks nothing (timing attack): a lock is written to disk, and
   * the time it takes would tell which identifiers have a code waiting. So would the making of an entity out of each row.
   */
  async findByCode(code: string, subject: TokenSubject): Promise<LiveToken | null> {
    const { userId, purpose, recipient } = subject;
    const hashes = codeHashes(this.keyedHash, subject, code);
    const rows = await this.transaction.manager.query<{ id: string; codeHash: Buffer }[]>(candidates, [
      userId,
      purpose,
      recipient,
      new Date(this.clock.now()),
      noCode,
    ]);
    const [matching] = rows.filter((row) => equalsAny(row.codeHash, hashes));
    return matching ? { id: matching.id, userId, purpose, recipient } : null;
  }

  /**
   * Ends all tokens of the user and purpose. True for exactly one of any number of simultaneous uses, whichever of
   * the tokens they show: who comes second waits and finds them gone. A message that is being made meanwhile either has
   * its secrets ended as well, or brings a code that is none of these. Belongs into a transaction; within one that is
   * rolled back nothing has been used, nor is remembered.
   */
  async consume(token: LiveToken): Promise<boolean> {
    await lockSubjectsOf(this.transaction.manager, [token]);
    const ended = await this.transaction.manager.query<{ id: string }[]>(consume, [
      token.userId,
      token.purpose,
      token.recipient,
      new Date(this.clock.now() + usedLinkLifetimeMs),
    ]);
    return ended.some(({ id }) => id === token.id);
  }

  private async mintAll(batch: readonly PendingToken[]): Promise<void> {
    await this.transaction.run(() =>
      new TokenMint(this.transaction.manager, this.keyedHash, this.clock.now()).all(batch),
    );
  }

  private unexpired() {
    return { expiresAt: MoreThan(new Date(this.clock.now())) };
  }
}
