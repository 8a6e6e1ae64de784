import { hash } from 'node:crypto';

/**
 * Message authentication codes of things that must be compared or counted but never read back: identifiers in the limiter's
 * store, link tokens, codes. Every use names its domain, so that a hash from one is worthless in another. The parts are
 * prefixed with their length in UTF-16 units: ("ab", "c") and ("a", "bc") differ.
 *
 * SHA3-256 (FIPS 202) over key and message. SHA-3 has no length extension and so needs no HMAC around it (Keccak team, "Is
 * SHA-3 (Keccak) used as a MAC?"), and one call takes less than half the time: two are on the path of every request.
 *
 * During a key rotation there are several keys. What is written bears the current one; what outlives the rotation is looked
 * for under all of them.
 */
export class KeyedHash {
  /** The current key first, in hexadecimal. */
  private readonly keys: readonly [string, ...string[]];

  /**
   * @param current at least 32 random bytes
   * @param others further keys under which hashes may have been made
   */
  constructor(current: Buffer, ...others: Buffer[]) {
    this.keys = [current.toString('hex'), ...others.map((key) => key.toString('hex'))];
  }

  /** 32 bytes under the current key. */
  digest(domain: string, ...parts: readonly string[]): Buffer {
    return digestOf(this.keys[0], messageOf(domain, parts));
  }

  /** The same under every key, the current one first. */
  digests(domain: string, ...parts: readonly string[]): [Buffer, ...Buffer[]] {
    const message = messageOf(domain, parts);
    const [current, ...others] = this.keys;
    return [digestOf(current, message), ...others.map((key) => digestOf(key, message))];
  }

  /** The first bytes of the same. */
  shortDigests(bytes: number, domain: string, ...parts: readonly string[]): [Buffer, ...Buffer[]] {
    const [current, ...others] = this.digests(domain, ...parts);
    return [current.subarray(0, bytes), ...others.map((digest) => digest.subarray(0, bytes))];
  }

  /** The first 132 bits of the digest under the current key, as 22 characters of base64url. */
  pseudonym(domain: string, ...parts: readonly string[]): string {
    return hash('sha3-256', this.keys[0] + messageOf(domain, parts), 'base64url').slice(0, 22);
  }
}

function messageOf(domain: string, parts: readonly string[]): string {
  let message = `${domain.length}:${domain}`;
  for (const part of parts) message += `${part.length}:${part}`;
  return message;
}

function digestOf(key: string, message: string): Buffer {
  return hash('sha3-256', key + message, 'buffer');
}
