import { domainToASCII } from 'node:url';
import { isEmail } from 'class-validator';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** Longest address of a mailbox that SMTP can carry (RFC 5321, section 4.5.3.1.3, erratum 1690). */
const maxEmailLength = 254;

/** RFC 5321, section 4.5.3.1.1. */
const maxLocalPartLength = 64;

/** Letters, digits and what most people have between them, which `isEmail` always takes; it takes more, and eight times as long. */
const usualForm = /^[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z]{2,63}$/i;

/** White space, and what nobody sees, such as the marks of direction that other programs put around what is copied. */
const unseen = String.raw`\s\p{Cf}\p{Default_Ignorable_Code_Point}`;
/** Each run is looked at once: what is pasted may be nothing but spaces. */
const unseenEdges = new RegExp(`^[${unseen}]+|(?<![${unseen}])[${unseen}]+$`, 'gu');
/** Within an address it is refused: the conversion of domains would silently leave most of it out. */
const unseenOrControl = new RegExp(String.raw`[${unseen}\p{Cc}]`, 'u');

/** RFC 5322, section 3.2.3, of printable ASCII. */
const dotAtom = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;

/**
 * The one spelling under which an address is counted, looked up and sent to: trimmed, lower-cased, the domain in
 * ASCII (IDNA, UTS 46), without quotes that it does not need. Null when it is not a valid address of at most 254 characters.
 *
 * A local part that needs its quotes is refused: mail programs take them off or leave them, each in its own way, so one
 * mailbox would have many spellings. One outside ASCII is refused, since few servers take it (RFC 6531) and its look-alikes
 * would each have a quota of their own.
 */
export function normaliseEmail(text: string): string | null {
  if (text.length > 4 * maxEmailLength) return null;
  if (isUsual(text)) return text.toLowerCase();
  const trimmed = text.replace(unseenEdges, '');
  if (unseenOrControl.test(trimmed)) return null;
  const at = trimmed.lastIndexOf('@');
  const localPart = unquoted(trimmed.slice(0, Math.max(0, at)));
  if (!dotAtom.test(localPart)) return null;
  const email = `${localPart}@${asciiDomain(trimmed.slice(at + 1))}`.toLowerCase();
  return email.length <= maxEmailLength && (isUsual(email) || isEmail(email)) ? email : null;
}

function isUsual(email: string): boolean {
  return (
    email.length <= maxEmailLength &&
    usualForm.test(email) &&
    email.lastIndexOf('@') <= maxLocalPartLength &&
    !/[^.@]{64}/.test(email)
  );
}

/** `"ann"` and `"a\nn"` are `ann` (RFC 5322, section 3.2.4); what is not whole within its quotes stays as it is. */
function unquoted(localPart: string): string {
  const content = /^"((?:[^"\\]|\\.)*)"$/.exec(localPart)?.[1];
  return content === undefined ? localPart : content.replace(/\\(.)/g, '$1');
}

function asciiDomain(domain: string): string {
  // The usual domain has nothing to convert, and the check is a hundred times cheaper than the conversion.
  return /^[a-z0-9.-]+$/i.test(domain) ? domain : domainToASCII(domain);
}

const maxPhoneText = 64;
/** What people and programs write between the digits of a number: spaces, dashes, dots, brackets, marks of direction. */
const betweenDigits = /[\p{Zs}\p{Pd}\u2212.\uff0e\u00b7()[\]\uff08\uff09\p{Cf}]/gu;
/** The zero that is dialled at home, as it stands in letterheads: +44 (0)7911 123456. */
const trunkZero = /^(\+[1-9]\d{0,2})\p{Zs}*[(\uff08]0[)\uff09]/u;

/**
 * The number in E.164 by syntax only: `+`, then 2 to 15 digits, the first not 0, of whatever script. Spaces, dots, dashes,
 * brackets and marks that nobody sees are taken out first. Null when something else is left.
 */
export function normalisePhone(text: string): string | null {
  if (text.length > maxPhoneText) return null;
  const written = asciiDigits(text.replace(unseenEdges, '')).replace(/^[\uff0b\ufe62]/, '+');
  const phone = written.replace(betweenDigits, '');
  if (!/^\+[1-9][0-9]{1,14}$/.test(phone)) return null;
  return trunkZero.test(written) ? dialledFromAbroad(phone, written.replace(trunkZero, '$1')) : phone;
}

/** Digits of any script as those of ASCII. */
export function asciiDigits(text: string): string {
  return text.replace(/[^\P{Nd}0-9]/gu, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    let zero = code;
    // Scripts have their digits in a row, from 0 to 9; those of mathematics, several rows in one.
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
    return String((code - zero) % 10);
  });
}

/** Without the zero, unless the number's plan has it there for callers from abroad, too, as that of Italy. */
function dialledFromAbroad(withZero: string, written: string): string {
  const plan = parsePhoneNumberFromString(withZero);
  if (plan && (plan.number !== withZero || plan.isValid())) return plan.number;
  return written.replace(betweenDigits, '');
}
