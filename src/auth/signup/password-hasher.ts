import { randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { Injectable } from '@nestjs/common';
import { unavailable } from '../../http/api-error.js';

/** One of the settings that OWASP's Password Storage Cheat Sheet gives as equals: 32 MiB, three passes. */
const cost = { log2N: 15, r: 8, p: 3 };
const options = { N: 2 ** cost.log2N, r: cost.r, p: cost.p, maxmem: 64 * 1024 * 1024 };
const saltBytes = 16;
const hashBytes = 32;

/** The pool that hashes has four threads, and name lookups and files need them too. */
const maxRunning = 2;
const maxWaiting = 16;

const derive = promisify<string, Buffer, number, typeof options, Buffer>(scrypt);

/** Hashes passwords, a few at a time: a flood of sign-ups must not stop the mail. */
@Injectable()
export class PasswordHasher {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /**
   * A PHC string with a salt of its own: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`, base64 without padding. The password
   * is normalised first (NFKC, as NIST SP 800-63B asks), so that every keyboard types the same one.
   * @throws ApiError 503 `unavailable` when too many wait
   */
  async hash(password: string): Promise<string> {
    await this.turn();
    try {
      const salt = randomBytes(saltBytes);
      const hash = await derive(password.normalize('NFKC'), salt, hashBytes, options);
      return `$scrypt$ln=${cost.log2N},r=${cost.r},p=${cost.p}$${unpadded(salt)}$${unpadded(hash)}`;
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }

  private async turn(): Promise<void> {
    if (this.running < maxRunning) {
      this.running += 1;
      return;
    }
    if (this.waiting.length >= maxWaiting) throw unavailable();
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
