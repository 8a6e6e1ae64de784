import type { KeyedHash } from '../../keyed-hash.js';

/** What is kept of a link's token, under each key; the current key's first, which is the one to store. */
export function linkHashes(keyedHash: KeyedHash, link: string): [Buffer, ...Buffer[]] {
  return keyedHash.digests('link token', link);
}
