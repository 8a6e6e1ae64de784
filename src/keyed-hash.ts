import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/**
 * HMAC-SHA-256 (RFC 2104) of things that must be compared or counted but never read back: identifiers in the
 * limiter's store, link tokens, codes. Every use names its domain, so that a hash from one is worthless in another.
 */
export class KeyedHash {
  private readonly key: KeyObject;

  /** @param key at least 32 random bytes */
  constructor(key: Buffer) {
    this.key = createSecretKey(key);
  }

  /** 32 bytes. The parts are prefixed with their length in UTF-16 units: ("ab", "c") and ("a", "bc") differ. */
  digest(domain: string, ...parts: readonly string[]): Buffer {
    let message = `${domain.length}:${domain}`;
    for (const part of parts) message += `${part.length}:${part}`;
    return createHmac('sha256', this.key).update(message, 'utf8').digest();
  }
}
