import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

/**
 * Keyed hashes of things that must be compared or counted but never read back: identifiers in the limiter's store, link
 * tokens, codes. Every use names its domain, so that a hash from one is worthless in another. The parts are prefixed with
 * their length in UTF-16 units: ("ab", "c") and ("a", "bc") differ.
 *
 * While keys are being changed there are several. What is written bears the current one; what is looked for may bear
 * any of them.
 */
export class KeyedHash {
  /** The current one first. */
  private readonly keys: readonly [KeyObject, ...KeyObject[]];
  private readonly prefixes: readonly string[];

  /**
   * @param current at least 32 random bytes
   * @param others further keys under which hashes may have been made
   */
  constructor(current: Buffer, ...others: Buffer[]) {
    this.keys = [createSecretKey(current), ...others.map((key) => createSecretKey(key))];
    this.prefixes = [current, ...others].map((key) => key.toString('hex'));
  }

  /** 32 bytes: HMAC-SHA-256 (RFC 2104) under the current key. */
  digest(domain: string, ...parts: readonly string[]): Buffer {
    return hmac(this.keys[0], messageOf(domain, parts));
  }

  /** The same under every key, the current one first. */
  digests(domain: string, ...parts: readonly string[]): [Buffer, ...Buffer[]] {
    const message = messageOf(domain, parts);
    const [current, ...others] = this.keys;
    return [hmac(current, message), ...others.map((key) => hmac(key, message))];
  }

  /**
   * 132 bits as 22 characters of base64url under every key, for what is counted on every request: SHA3-256 (FIPS 202)
   * over key and message. SHA-3 needs no HMAC around it, since knowing a hash does not help to extend its message (Keccak
   * team, "Is SHA-3 (Keccak) used as a MAC?"), and one call is a quarter of the work.
   */
  pseudonyms(domain: string, ...parts: readonly string[]): string[] {
    const message = messageOf(domain, parts);
    return this.prefixes.map((prefix) => hash('sha3-256', prefix + message, 'base64url').slice(0, 22));
  }
}

function messageOf(domain: string, parts: readonly string[]): string {
  let message = `${domain.length}:${domain}`;
  for (const part of parts) message += `${part.length}:${part}`;
  return message;
}

function hmac(key: KeyObject, message: string): Buffer {
  return createHmac('sha256', key).update(message, 'utf8').digest();
}
