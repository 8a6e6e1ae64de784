// The service with a cheaper password hash: scrypt at full strength takes a fifth of a second, so three thousand sign-ups
// would take ten minutes, and its own spread would hide the side channel. Everything else is as in production, the call
// that hashes included.
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

const { scrypt } = crypto;
crypto.scrypt = /** @type {typeof scrypt} */ (
  (
    /** @type {string} */ password,
    /** @type {Buffer} */ salt,
    /** @type {number} */ length,
    /** @type {import('node:crypto').ScryptOptions} */ options,
    /** @type {(error: Error | null, key: Buffer) => void} */ done,
  ) => scrypt(password, salt, length, { ...options, N: 2 ** 11, p: 1 }, done)
);
syncBuiltinESMExports();
await import(new URL('../../dist/main.js', import.meta.url).href);
