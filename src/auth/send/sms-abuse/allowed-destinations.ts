import type { SmsDestination } from './sms-destination.js';

/**
 * Whether SMS may go there. A number that may lie in several countries passes when all of them are allowed. What must be
 * named expressly passes only by an entry with enough of its digits.
 * @param entries two letters of a country, `+` and the digits that a number begins with, or `*` for every country
 */
export function isAllowedDestination(destination: SmsDestination, entries: readonly string[]): boolean {
  const { number, countries, digitsToName } = destination;
  const named = entries.filter((entry) => entry.startsWith('+') && number.startsWith(entry));
  if (named.some((entry) => entry.length - 1 >= digitsToName)) return true;
  if (digitsToName > 0) return false;
  if (entries.includes('*')) return true;
  return countries.length > 0 && countries.every((country) => entries.includes(country));
}
