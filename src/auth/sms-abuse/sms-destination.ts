import { parsePhoneNumberFromString, type PhoneNumber } from 'libphonenumber-js/max';
import { countingForm } from '../messages/counting-form.js';

/** Where a number leads, as far as the numbering plans tell. */
export interface SmsDestination {
  /** E.164 as the plan writes it: a zero that people dial at home is no other number. */
  readonly number: string;
  /**
   * The country as ISO 3166-1 alpha-2, or where several share a calling code and the number tells no more, all that it
   * may be. None for numbers of no country, and for those that no plan knows.
   */
  readonly countries: readonly string[];
  /** What is paid for together: the country, else the calling code, else `+`. */
  readonly scope: string;
  /** What is cut off together: the calling code and the leading digits, all but the last four, of the form that is counted. */
  readonly prefix: string;
  /**
   * How much of the number must be named expressly for a message to go there: 0 usually, the calling code when it
   * belongs to no country (satellite and other international services), more than that when the call is dearer than
   * the plan's usual (premium rate, shared cost).
   */
  readonly digitsToName: number;
}

/** Blocks of 10,000 numbers are what plans hand out to an operator, and what is rented out to collect termination fees. */
const digitsWithinPrefix = 4;
/** No more in countries with long numbers, so that digits at the end make no new prefix. */
const longestNationalPrefix = 6;

/**
 * @param number E.164 by syntax; whether it exists does not matter. The plans are those that libphonenumber knows:
 * https://github.com/google/libphonenumber/blob/master/FAQ.md
 */
export function smsDestinationOf(number: string): SmsDestination {
  const plan = parsePhoneNumberFromString(number);
  if (!plan) {
    return { number, countries: [], scope: '+', prefix: prefixOf('', number.slice(1)), digitsToName: 0 };
  }
  const { country, countryCallingCode } = plan;
  const countedDigits = countingForm('sms', number).slice(1);
  return {
    number: plan.number,
    countries: country ? [country] : plan.isNonGeographic() ? [] : plan.getPossibleCountries(),
    scope: country ?? `+${countryCallingCode}`,
    prefix: prefixOf(countryCallingCode, countedDigits.slice(countryCallingCode.length)),
    digitsToName: digitsToName(plan),
  };
}

function prefixOf(callingCode: string, national: string): string {
  const length = Math.min(longestNationalPrefix, Math.max(0, national.length - digitsWithinPrefix));
  return `+${callingCode}${national.slice(0, length)}`;
}

function digitsToName(plan: PhoneNumber): number {
  const callingCode = plan.countryCallingCode.length;
  if (plan.isNonGeographic()) return callingCode;
  const type = plan.getType();
  return type === 'PREMIUM_RATE' || type === 'SHARED_COST' ? callingCode + 1 : 0;
}

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
