import type { TokenPurpose } from '../messages/confirmation-type.js';
import type { KeyedHash } from '../../platform/keyed-hash.js';

/** Whose secret it is, what it is for, and the address that it goes to and proves. */
export interface TokenSubject {
  readonly userId: string;
  readonly purpose: TokenPurpose;
  /** Normalised email address, or E.164. */
  readonly recipient: string;
}

/** What is kept of a link's token, under each key; the current key's first, which is the one to store. */
export function linkHashes(keyedHash: KeyedHash, link: string): [Buffer, ...Buffer[]] {
  return keyedHash.digests('link token', link);
}

/** How long a code is; eight when there have been too many guesses at shorter ones. */
export type CodeLength = 6 | 8;

/**
 * Digits derived from the seed under the secret key, so that no code has to be kept to be repeated. One code for each key,
 * the current one's first.
 */
export function codesOf(keyedHash: KeyedHash, seed: string, length: CodeLength): [string, ...string[]] {
  const [current, ...others] = keyedHash.digests('code digits', seed);
  return [digits(current, length), ...others.map((digest) => digits(digest, length))];
}

/** What is kept of a code, under each key; the current key's first, which is the one to store. */
export function codeHashes(
  keyedHash: KeyedHash,
  { userId, purpose, recipient }: TokenSubject,
  code: string,
): [Buffer, ...Buffer[]] {
  return keyedHash.digests('code', userId, purpose, recipient, code);
}

function digits(digest: Buffer, length: CodeLength): string {
  return String(digest.readUIntBE(0, 6) % 10 ** length).padStart(length, '0');
}
