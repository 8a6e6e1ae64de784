import type { Channel } from '../messages/confirmation-type.js';
import { asciiDigits } from '../requests/normal-form.js';

/**
 * The digits in what somebody typed or pasted for a code, as plain ones: those of every script, in which other keyboards
 * write them, without all that stands around them, seen (spaces, dashes, words) or not (zero-width characters, marks of
 * direction).
 */
export function digitsIn(text: string): string {
  return asciiDigits(text).replace(/\D/g, '');
}

/** Whether these digits can be a code: six, or eight in an SMS to a number that has been guessed at too often. */
export function isCode(digits: string, channel: Channel = 'email'): boolean {
  return digits.length === 6 || (channel === 'sms' && digits.length === 8);
}

/** Whether it has the form of a link's token: 256 bits in base64url. */
export function isLinkToken(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

/** Whether what stands alone was meant as a code, and only the address is missing: no letters, as nearly every token has. */
export function isMeantAsCode(text: string): boolean {
  return isCode(digitsIn(text)) && !/[a-z_]/i.test(text);
}
