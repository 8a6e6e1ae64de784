import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

/**
 * HMAC-SHA-256 (RFC 2104) of things that must be compared or counted but never read back: identifiers in the
 * limiter's store, link tokens, codes. Every use names its domain, so that a hash from one is worthless in another.
 */
export class KeyedHash {
  private readonly key: KeyObject;
  private readonly prefix: string;

  /** @param key at least 32 random bytes */
  constructor(key: Buffer) {
    this.key = createSecretKey(key);
    this.prefix = key.toString('hex');
  }

  /** 32 bytes. The parts are prefixed with their length in UTF-16 units: ("ab", "c") and ("a", "bc") differ. */
  digest(domain: string, ...parts: readonly string[]): Buffer {
    return createHmac('sha256', this.key).update(messageOf(domain, parts), 'utf8').digest();
  }

  /**
   * 132 bits as 22 characters of base64url, for what is counted on every request: SHA3-256 (FIPS 202) over key and
   * message. SHA-3 needs no HMAC around it, since knowing a hash does not help to extend its message (Keccak team,
   * "Is SHA-3 (Keccak) used as a MAC?"), and one call is a quarter of the work.
   */
  pseudonym(domain: string, ...parts: readonly string[]): string {
    return hash('sha3-256', this.prefix + messageOf(domain, parts), 'base64url').slice(0, 22);
  }
}

function messageOf(domain: string, parts: readonly string[]): string {
  let message = `${domain.length}:${domain}`;
  for (const part of parts) message += `${part.length}:${part}`;
  return message;
}
