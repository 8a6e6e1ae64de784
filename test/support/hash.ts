import { KeyedHash } from '../../src/keyed-hash.js';

/** Always with the same key, so that two instances under test agree. */
export const testHash = new KeyedHash(Buffer.alloc(32, 7));

/** Under which name Redis counts a key of the limit `email`. */
export function redisKey(key: string): string {
  return `strike-auth:limit:email:${testHash.digest('limit', 'email', key).toString('base64url', 0, 16)}`;
}
