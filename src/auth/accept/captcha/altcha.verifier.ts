import { Injectable, Optional } from '@nestjs/common';
import { type Challenge, createChallenge, type Payload, verifySolution } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { Clock } from '../../../platform/clock.js';
import { KeyedHash } from '../../../platform/keyed-hash.js';
import { SlidingLogStorage } from '../../../rate-limit/sliding-log.storage.js';
import { captchaMaxAgeMs, CaptchaVerifier } from './captcha-verifier.js';

/** The first byte of the derived key must be zero: 256 attempts on average, one to check. */
const keyPrefix = '00';
/** Iterations of one derivation: a second or two for all of them on one core. */
const costOfDerivation = 5_000;

/**
 * ALTCHA's proof of work, version 2 (https://altcha.org/docs/v2/proof-of-work/): the client derives keys until one fits,
 * and the token is the base64 of `{challenge, solution}`. No third party, and no memory of the challenges that were
 * issued: they are signed. What is remembered, by all instances together, is which have been used.
 */
@Injectable()
export class AltchaVerifier extends CaptchaVerifier {
  /** The current one first: it signs. A challenge that was issued before a change of keys bears another. */
  private readonly keys: readonly [string, ...string[]];

  constructor(
    private readonly clock: Clock,
    private readonly storage: SlidingLogStorage,
    hash: KeyedHash,
    @Optional() private readonly cost: number = costOfDerivation,
  ) {
    super();
    const [current, ...others] = hash.digests('altcha');
    this.keys = [current.toString('base64'), ...others.map((other) => other.toString('base64'))];
  }

  /** A new challenge, good for `captchaMaxAgeMs`. */
  issue(): Promise<Challenge> {
    return createChallenge({
      algorithm: 'PBKDF2/SHA-256',
      cost: this.cost,
      keyPrefix,
      deriveKey,
      expiresAt: Math.floor((this.clock.now() + captchaMaxAgeMs) / 1000),
      hmacSignatureSecret: this.keys[0],
    });
  }

  override async verify(token: string): Promise<boolean> {
    const payload = readPayload(token);
    if (!payload) return false;
    // Signature first: only after it anything in the challenge is ours, and only then work is done.
    if (!(await this.isSolved(payload))) return false;
    const { expiresAt = 0, nonce } = payload.challenge.parameters;
    if (expiresAt * 1000 <= this.clock.now()) return false;
    // A challenge has many solutions; the nonce is what they have in common. It is kept for longer than the challenge
    // lives, because the clocks of the instances differ.
    const use = await this.storage.increment(nonce, 2 * captchaMaxAgeMs, 1, 0, 'altcha');
    return !use.isBlocked;
  }

  /** At most one key fits the signature, so the work is done once, however many there are. */
  private async isSolved(payload: Payload): Promise<boolean> {
    for (const hmacSignatureSecret of this.keys) {
      const { verified } = await verifySolution({ ...payload, deriveKey, hmacSignatureSecret });
      if (verified) return true;
    }
    return false;
  }
}

/** Null when the token is none of ALTCHA's. What stands in the members is for the signature to say. */
function readPayload(token: string): Payload | null {
  try {
    const payload = JSON.parse(Buffer.from(token, 'base64').toString('utf8')) as Partial<Payload> | null;
    const { challenge, solution } = payload ?? {};
    if (!isObject(challenge) || !isObject(challenge.parameters) || !isObject(solution)) return null;
    return typeof challenge.signature === 'string' ? { challenge, solution } : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
