import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { Channel } from './confirmation-type.js';

/** One service under two names, which ignores dots: https://support.google.com/mail/answer/7436150 */
const gmailDomains: ReadonlySet<string> = new Set(['gmail.com', 'googlemail.com']);

/**
 * The one form of all spellings that lead to a mailbox or a telephone, as far as that is known from outside: what caps on
 * what is delivered count by. It identifies nobody: people sign up, are found and are written to under the address that they
 * gave. And no limit that refuses a request counts by it: a stranger who asks for ann+1@ would use up what Ann may ask for,
 * without a mail that tells her.
 * @param address in its normal form
 */
export function countingForm(channel: Channel, address: string): string {
  return channel === 'email' ? ofMailbox(address) : ofTelephone(address);
}

/** Whether all spellings of this address are known to lead to one mailbox. */
export function isGmail(email: string): boolean {
  return gmailDomains.has(domainOf(email));
}

/** The number as its numbering plan writes it: a zero that people dial at home is no other number. */
export function inPlansForm(phone: string): string {
  return parsePhoneNumberFromString(phone)?.number ?? phone;
}

function ofMailbox(email: string): string {
  const domain = domainOf(email);
  // Who begins with a plus has no tag, but a strange name.
  const mailbox = email.slice(0, -domain.length - 1).replace(/(?<=.)\+.*$/, '');
  return gmailDomains.has(domain) ? `${mailbox.replaceAll('.', '')}@gmail.com` : `${mailbox}@${domain}`;
}

function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1);
}

/**
 * Mexico dialled a 1 before mobile numbers from abroad until 2019, and Argentina does so with a 9: networks deliver with and
 * without. Elsewhere digits too many are another number.
 */
function ofTelephone(phone: string): string {
  return inPlansForm(phone).replace(/^\+(?:(52)1|(54)9)(\d{10})$/, '+$1$2$3');
}
