import type { Channel } from '../messages/confirmation-type.js';

/**
 * The digits in what somebody typed or pasted for a code, as plain ones: those of every script, in which other keyboards
 * write them, without all that stands around them, seen (spaces, dashes, words) or not (zero-width characters, marks of
 * direction).
 */
export function digitsIn(text: string): string {
  return Array.from(text, digitOf).join('');
}

/** Decimal digits stand in rows from zero to nine, and rows that follow each other are whole (Unicode, section 4.6). */
function digitOf(character: string): string {
  if (!isDigit(character)) return '';
  const own = character.codePointAt(0) ?? 0;
  let before = 0;
  while (isDigit(String.fromCodePoint(own - before - 1))) before += 1;
  return String(before % 10);
}

function isDigit(character: string): boolean {
  return /^\p{Nd}$/u.test(character);
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
