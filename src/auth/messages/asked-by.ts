import type { KeyedHash } from '../../platform/keyed-hash.js';
import type { TokenPurpose } from './confirmation-type.js';

/** Who asked for a code, and for which. */
export interface Asker {
  /** The address that was named, in its normal form. */
  readonly identifier: string;
  readonly purpose: TokenPurpose;
  /** See `clientIpKey`. */
  readonly client: string;
}

/** What the outbox keeps of it: 128 bits of a keyed hash, under each key, the current one's first. */
export function askedBy(keyedHash: KeyedHash, { identifier, purpose, client }: Asker): [Buffer, ...Buffer[]] {
  return keyedHash.shortDigests(16, 'asked by', purpose, identifier, client);
}
