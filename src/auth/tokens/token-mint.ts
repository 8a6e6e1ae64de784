import { randomBytes } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { Config } from '../../config/config.js';
import type { KeyedHash } from '../../platform/keyed-hash.js';
import { firstUuidV7, uuidV7 } from '../../platform/ids.js';
import { equalsAny } from '../../platform/constant-time.js';
import { codeHashes, type CodeLength, codesOf, linkHashes, type TokenSubject } from './token-hashes.js';
import { insert, lockSubjects, newestCodes } from './token.statements.js';

export interface MintedToken {
  /** 256 random bits as 43 characters of base64url; null when none was asked for. */
  readonly link: string | null;
  /** Decimal digits; empty when none was asked for. */
  readonly code: string;
  readonly expiresAt: Date;
}

/** What a message is to bring. */
export interface SecretForm {
  readonly withLink: boolean;
  /** Six by default; 0: no code. */
  readonly codeLength?: CodeLength | 0;
}

interface Code {
  readonly code: string;
  readonly codeSeed: string;
}

/** A token that waits for the group commit that writes it. */
export class PendingToken {
  readonly id: string;
  readonly link: string | null;
  readonly codeLength: CodeLength | 0;
  readonly expiresAt: Date;
  /** Set by `TokenMint`. */
  code?: Code;
  private readonly lifetimeMs: number;

  constructor(
    readonly subject: TokenSubject,
    { withLink, codeLength = 6 }: SecretForm,
    { tokenLifetimeMs }: Config,
    private readonly now: number,
  ) {
    this.lifetimeMs = tokenLifetimeMs[subject.purpose];
    this.id = uuidV7(now);
    this.codeLength = codeLength;
    this.link = withLink ? randomBytes(32).toString('base64url') : null;
    this.expiresAt = new Date(now + this.lifetimeMs);
  }

  /** The seed of the oldest code that may be repeated. */
  get oldestSeed(): string {
    return firstUuidV7(this.now - this.lifetimeMs / 2);
  }

  /** @throws before it was minted */
  get minted(): MintedToken {
    if (!this.code) throw new Error('Not minted yet');
    return { link: this.link, code: this.code.code, expiresAt: this.expiresAt };
  }

  /** Those of one batch with the same key share a code. */
  get key(): string {
    return `${this.subject.userId} ${this.subject.purpose} ${this.subject.recipient} ${this.codeLength}`;
  }
}

/** Writes the tokens of one batch, in one transaction. */
export class TokenMint {
  constructor(
    private readonly manager: EntityManager,
    private readonly keyedHash: KeyedHash,
    private readonly now: number,
  ) {}

  /**
   * Writes all of them. Who mints or uses secrets of the same person and purpose waits until the transaction has ended:
   * looked at beside each other, none would see the code of another, and each would bring its own.
   */
  async all(batch: readonly PendingToken[]): Promise<void> {
    await lockSubjectsOf(
      this.manager,
      batch.map(({ subject }) => subject),
    );
    const codes = await this.recentCodes(batch);
    const coded = batch.map((token) => {
      const { key, id, codeLength } = token;
      const fresh = () => (codeLength === 0 ? '' : codesOf(this.keyedHash, id, codeLength)[0]);
      const code = codes.get(key) ?? { code: fresh(), codeSeed: id };
      codes.set(key, code);
      return Object.assign(token, { code });
    });
    await this.write(coded);
  }

  /**
   * The codes that messages repeat, by key: made within half a lifetime, still alive. With a code of its own for every
   * message a stranger could have hundreds of codes alive at once by asking again and again, and a guess would hit one
   * of them hundreds of times as often. A code that was derived under a key that is no longer known is not repeated.
   */
  private async recentCodes(batch: readonly PendingToken[]): Promise<Map<string, Code>> {
    const rows = await this.manager.query<{ n: number; codeSeed: string; codeHash: Buffer }[]>(newestCodes, [
      batch.map(({ subject }) => subject.userId),
      batch.map(({ subject }) => subject.purpose),
      batch.map(({ subject }) => subject.recipient),
      batch.map(({ oldestSeed }) => oldestSeed),
      new Date(this.now),
    ]);
    const codes = new Map<string, Code>();
    for (const { n, codeSeed, codeHash } of rows) {
      const token = batch[n];
      if (!token?.codeLength) continue;
      // The stored hash tells which of the keys the code comes from.
      const code = codesOf(this.keyedHash, codeSeed, token.codeLength).find((it) =>
        equalsAny(codeHash, codeHashes(this.keyedHash, token.subject, it)),
      );
      if (code !== undefined) codes.set(token.key, { code, codeSeed });
    }
    return codes;
  }

  private async write(batch: readonly (PendingToken & { code: Code })[]): Promise<void> {
    const last = new Map(batch.map(({ key, id }) => [key, id]));
    const rows = batch.map(({ subject, id, key, link, code: { code, codeSeed }, expiresAt }) => [
      id,
      subject.userId,
      subject.purpose,
      subject.recipient,
      link === null ? null : linkHashes(this.keyedHash, link)[0],
      code !== '' && last.get(key) === id ? codeHashes(this.keyedHash, subject, code)[0] : null,
      codeSeed,
      expiresAt,
    ]);
    await this.manager.query(insert, [
      ...[0, 1, 2, 3, 4, 5, 6, 7].map((column) => rows.map((row) => row[column])),
      new Date(this.now),
    ]);
  }
}

/** Until the end of the transaction no other one mints or uses secrets of these people and purposes. */
export async function lockSubjectsOf(
  manager: EntityManager,
  subjects: readonly Pick<TokenSubject, 'userId' | 'purpose'>[],
): Promise<void> {
  await manager.query(lockSubjects, [
    subjects.map(({ userId }) => userId),
    subjects.map(({ purpose }) => purpose),
  ]);
}
