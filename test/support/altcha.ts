import { type Challenge, solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';

/** What the widget makes of a challenge: the token that a page sends. */
export async function solveAltcha(challenge: Challenge, counterStart = 0): Promise<string> {
  const solution = await solveChallenge({ challenge, deriveKey, counterStart });
  return altchaToken({ challenge, solution });
}

export function altchaToken(payload: unknown): string {
  return Buffer.from(JSON.stringify(payload)).toString('base64');
}
