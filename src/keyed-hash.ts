import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/**
 * HMAC-SHA-256 (RFC 2104) of things that must be compared or counted but never read back: identifiers in the
 * limiter's store, link tokens, codes. Every use names its domain, so that a hash from one is worthless in another.
 *
 * While keys are being changed there are several. What is written bears the current one; what is looked for may bear
 * any of them.
 */
export class KeyedHash {
  private readonly current: KeyObject;
  private readonly others: readonly KeyObject[];

  /**
   * @param current at least 32 random bytes
   * @param others further keys under which hashes may have been made
   */
  constructor(current: Buffer, ...others: Buffer[]) {
    this.current = createSecretKey(current);
    this.others = others.map((key) => createSecretKey(key));
  }

  /**
   * 32 bytes, under the current key. The parts are prefixed with their length in UTF-16 units: ("ab", "c") and
   * ("a", "bc") differ.
   */
  digest(domain: string, ...parts: readonly string[]): Buffer {
    return hmac(this.current, encode(domain, parts));
  }

  /** The same under every key, the current one first. */
  digests(domain: string, ...parts: readonly string[]): [Buffer, ...Buffer[]] {
    const message = encode(domain, parts);
    return [hmac(this.current, message), ...this.others.map((key) => hmac(key, message))];
  }
}

function encode(domain: string, parts: readonly string[]): string {
  let message = `${domain.length}:${domain}`;
  for (const part of parts) message += `${part.length}:${part}`;
  return message;
}

function hmac(key: KeyObject, message: string): Buffer {
  return createHmac('sha256', key).update(message, 'utf8').digest();
}
