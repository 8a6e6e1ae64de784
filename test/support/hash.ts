import { KeyedHash } from '../../src/keyed-hash.js';

const key = Buffer.alloc(32, 7);
const nextKey = Buffer.alloc(32, 8);

/** Always with the same key, so that two instances under test agree. */
export const testHash = new KeyedHash(key);

/** Knows the key of `testHash` and the one that comes next, under which it hashes already. */
export const rotatedTestHash = new KeyedHash(nextKey, key);

/** Knows the next key only. */
export const nextTestHash = new KeyedHash(nextKey);

/** Under which name Redis counts a key of the limit `email`. */
export function redisKey(key: string, hash = testHash): string {
  return `strike-auth:limit:email:${hash.digest('limit', 'email', key).toString('base64url', 0, 16)}`;
}
