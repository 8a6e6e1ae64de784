import { KeyedHash } from '../../src/platform/keyed-hash.js';

/** Always with the same key, so that two instances under test agree. */
export const testHash = new KeyedHash(Buffer.alloc(32, 7));
