import { domainToASCII } from 'node:url';
import { isEmail } from 'class-validator';

/** Longest address of a mailbox that SMTP can carry (RFC 5321, section 4.5.3.1.3, erratum 1690). */
const maxEmailLength = 254;

/** RFC 5321, section 4.5.3.1.1. */
const maxLocalPartLength = 64;

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const controlCharacter = /[\u0000-\u001f\u007f]/;

/** Printable ASCII without spaces: what is left of a local part once quoting and look-alikes are out. */
const plainLocalPart = /^[!-~]+$/;

/**
 * The one spelling under which an address is counted, looked up and sent to: trimmed, lower-cased, the domain in
 * ASCII (IDNA, UTS 46). Null when it is not a valid address of at most 254 characters. A local part outside ASCII is
 * refused, since few servers take it (RFC 6531) and its look-alikes would each have a quota of their own.
 */
export function normaliseEmail(text: string): string | null {
  if (text.length > 4 * maxEmailLength || controlCharacter.test(text)) return null;
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf('@');
  const localPart = trimmed.slice(0, at);
  if (at < 1 || !plainLocalPart.test(localPart)) return null;
  const email = `${localPart}@${asciiDomain(trimmed.slice(at + 1))}`.toLowerCase();
  return email.length <= maxEmailLength && (isUsual(email) || isEmail(email)) ? email : null;
}

/**
 * Letters, digits and what most people have between them, which `isEmail` always takes; it takes more, and eight times
 * as long.
 */
function isUsual(email: string): boolean {
  return (
    /^[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z]{2,63}$/.test(email) &&
    email.lastIndexOf('@') <= maxLocalPartLength &&
    !/[^.@]{64}/.test(email)
  );
}

function asciiDomain(domain: string): string {
  // The usual domain has nothing to convert, and the check is a hundred times cheaper than the conversion.
  return /^[a-z0-9.-]+$/i.test(domain) ? domain : domainToASCII(domain);
}

/**
 * The number in E.164 by syntax only: `+`, then 2 to 15 digits, the first not 0. Spaces, dots, dashes and brackets
 * are taken out first. Null when something else is left.
 */
export function normalisePhone(text: string): string | null {
  if (text.length > 64) return null;
  const phone = text.replace(/[ .\-()[\]]/g, '');
  return /^\+[1-9][0-9]{1,14}$/.test(phone) ? phone : null;
}
