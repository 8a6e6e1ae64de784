import { isSupportedCountry } from 'libphonenumber-js/max';
import { makeValidator } from 'envalid';
import { count, duration, oneOf } from './readers.js';

/** What one SMS costs. Money is in millionths of the currency that the operator counts in. */
export interface SmsCost {
  /** The name of a provider, or `*` for any. */
  readonly provider: string;
  /** `+` and the digits that a number begins with, or `*` for any. */
  readonly prefix: string;
  readonly micros: number;
}

const money = makeValidator<number | undefined>((text) => {
  const micros = microsOf(text);
  if (micros === null) throw new Error('must be an amount such as 50 or 12.50');
  return micros;
});

const destinations = makeValidator<readonly string[] | undefined>((text) => {
  const items = text.split(',').map((item) => item.trim());
  if (!items.every(isDestination)) {
    throw new Error(
      'must be * or a list of countries in two capital letters (ISO 3166-1: GB, not UK) and prefixes such as +49',
    );
  }
  return items;
});

const costs = makeValidator<readonly SmsCost[]>((text) => {
  const table = text.split(',').map((item) => costOf(item.trim()));
  const keys = table.map((cost) => cost && `${cost.provider}:${cost.prefix}`);
  if (!table.every((cost) => cost !== null) || new Set(keys).size < keys.length) {
    throw new Error(
      'must be a list such as twilio:+1=0.0083,twilio:*=0.10, with each provider and prefix once, and * for any',
    );
  }
  return table;
});

export const smsLimitVariables = {
  SMS_ABUSE_MODE: oneOf(
    'enforce',
    'record-only',
    'off',
  )({ default: 'enforce', devDefault: 'record-only' as const }),
  SMS_COUNTRIES: destinations({ default: undefined }),
  SMS_DAILY_PER_NUMBER: count(0, 10_000)({ default: 10 }),
  SMS_COSTS: costs({ default: [] }),
  SMS_DAILY_BUDGET: money({ default: undefined }),
  SMS_DAILY_BUDGET_PER_PREFIX: money({ default: undefined }),
  SMS_UNVERIFIED_MAX: count(0, 10_000)({ default: 30 }),
  SMS_VERIFIED_CREDIT: count(1, 100)({ default: 5 }),
  SMS_PROBE_INTERVAL: duration({ default: 15 * 60_000 }),
};

/** The variables of this file as they were read. */
interface SmsLimitVariables {
  readonly SMS_ABUSE_MODE: 'enforce' | 'record-only' | 'off';
  readonly SMS_COUNTRIES: readonly string[] | undefined;
  readonly SMS_DAILY_PER_NUMBER: number;
  readonly SMS_COSTS: readonly SmsCost[];
  readonly SMS_DAILY_BUDGET: number | undefined;
  readonly SMS_DAILY_BUDGET_PER_PREFIX: number | undefined;
  readonly SMS_UNVERIFIED_MAX: number;
  readonly SMS_VERIFIED_CREDIT: number;
  readonly SMS_PROBE_INTERVAL: number;
}

/**
 * Rules that tie these variables together. Each sentence says what to do.
 * @param v without those that are malformed
 */
export function smsLimitRules(v: Partial<SmsLimitVariables>): [broken: boolean, whatToDo: string][] {
  const budgets = ['SMS_DAILY_BUDGET', 'SMS_DAILY_BUDGET_PER_PREFIX'] as const;
  return budgets.map((name) => [
    v[name] !== undefined && v.SMS_COSTS?.length === 0,
    `${name} needs SMS_COSTS, what a message costs: *:*=0.10, or by provider and prefix twilio:+1=0.0083,twilio:*=0.10`,
  ]);
}

export function smsLimitConfig(v: SmsLimitVariables) {
  return Object.freeze({
    mode: v.SMS_ABUSE_MODE,
    /** Undefined: nobody has said. */
    countries: v.SMS_COUNTRIES && Object.freeze(v.SMS_COUNTRIES),
    /** 0: no cap. */
    dailyPerNumber: v.SMS_DAILY_PER_NUMBER,
    costs: Object.freeze(v.SMS_COSTS),
    dailyBudgetMicros: v.SMS_DAILY_BUDGET,
    dailyBudgetPerPrefixMicros: v.SMS_DAILY_BUDGET_PER_PREFIX,
    /** 0: prefixes are never cut. */
    unverifiedMax: v.SMS_UNVERIFIED_MAX,
    verifiedCredit: v.SMS_VERIFIED_CREDIT,
    probeIntervalMs: v.SMS_PROBE_INTERVAL,
  });
}

function isDestination(item: string): boolean {
  return item === '*' || /^\+[1-9]\d{0,9}$/.test(item) || isSupportedCountry(item);
}

function costOf(item: string): SmsCost | null {
  const match = /^([a-z][a-z0-9-]*|\*):(\+[1-9]\d{0,9}|\*)=(\S+)$/.exec(item);
  const [, provider, prefix, amount] = match ?? [];
  const micros = microsOf(amount ?? '');
  return provider === undefined || prefix === undefined || micros === null
    ? null
    : { provider, prefix, micros };
}

/** Decimal text to whole millionths, by its digits: 0.1 has no exact binary fraction. */
function microsOf(text: string): number | null {
  const [, units, fraction = ''] = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  return units === undefined ? null : Number(units + fraction.padEnd(6, '0'));
}
