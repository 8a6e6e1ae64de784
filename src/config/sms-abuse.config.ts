import { isSupportedCountry } from 'libphonenumber-js/max';
import { count, list, oneOf } from './readers.js';
import { Section, variable } from './section.js';

/** What one SMS costs. Money is in millionths of the currency that the operator counts in. */
export interface SmsCost {
  /** The name of a provider, or `*` for any. */
  readonly provider: string;
  /** `+` and the digits that a number begins with, or `*` for any. */
  readonly prefix: string;
  readonly micros: number;
}

/** What may be spent on a day, in millionths; undefined: no limit. */
export interface DailyBudget {
  readonly everywhere?: number | undefined;
  readonly country?: number | undefined;
}

function destinations(given: string): readonly string[] {
  const items = given.split(',').map((item) => item.trim());
  if (items.every(isDestination)) return items;
  throw new Error(
    'must be * or a list of countries in two capital letters (ISO 3166-1: GB, not UK) and prefixes such as +49',
  );
}

function costs(given: string): readonly SmsCost[] {
  const table = list(given).map(costOf);
  const keys = table.map((cost) => cost && `${cost.provider}:${cost.prefix}`);
  if (table.every((cost) => cost !== null) && new Set(keys).size === keys.length && !/,\s*$/.test(given))
    return table;
  throw new Error(
    'must be a list such as twilio:+1=0.0083,twilio:*=0.10, with each provider and prefix once, and * for any',
  );
}

function dailyBudget(given: string): DailyBudget {
  const [, total, country] = /^([\d.]+)?(?:(?:^|,\s*)country=([\d.]+))?$/.exec(given) ?? [];
  const budget = { everywhere: total && microsOf(total), country: country && microsOf(country) };
  const { everywhere, country: each } = budget;
  if ((everywhere ?? each) !== undefined && everywhere !== null && each !== null)
    return budget as DailyBudget;
  throw new Error('must be an amount such as 50 or 12.50, and may have one for each country: 50,country=20');
}

export const smsAbuse = new Section(
  'What SMS may cost',
  {
    mode: variable('SMS_ABUSE_MODE', oneOf('enforce', 'record-only', 'off'), {
      default: 'record-only',
      inProduction: 'enforce',
      about:
        'What becomes of an SMS that these limits refuse: `enforce` stops it, `record-only` sends, counts and logs it, `off` asks nothing.',
    }),
    countries: variable('SMS_COUNTRIES', destinations, {
      about:
        'Where SMS may go, separated by commas: countries (`DE`, `GB`), or what numbers begin with (`+49`, `+1876`), or `*`. Required in production with a carrier; in development without it every country. Premium-rate and satellite numbers need digits of their own, such as `+881`.',
    }),
    dailyPerNumber: variable('SMS_DAILY_PER_NUMBER', count(0, 10_000), {
      default: '10',
      about: 'SMS to one number in 24 hours; 0 is any number of them.',
    }),
    costs: variable('SMS_COSTS', costs, {
      default: '',
      about:
        'What an SMS costs, by provider and what numbers begin with, in any currency: `twilio:+1=0.0083,twilio:*=0.10`, or `*:*=0.10`. The longest prefix counts.',
    }),
    dailyBudget: variable('SMS_DAILY_BUDGET', dailyBudget, {
      about:
        'What may be spent on SMS on a day (UTC), in the currency of `SMS_COSTS`: `50`, or `50,country=20` for at most 20 in one country. Required in production with a carrier; in development without it no limit.',
    }),
  },
  {
    check: (own) => [
      own.dailyBudget !== undefined &&
        own.costs?.length === 0 &&
        'SMS_DAILY_BUDGET needs SMS_COSTS, what a message costs: *:*=0.10, or by provider and prefix twilio:+1=0.0083,twilio:*=0.10',
    ],
  },
);

/** SMS cost money, and there are people who earn by them: who has a carrier says where SMS go and what a day may cost. */
export function missingForCarriers({
  mode,
  countries,
  dailyBudget,
}: {
  readonly mode?: string;
  readonly countries?: unknown;
  readonly dailyBudget?: unknown;
}): readonly (string | false)[] {
  if (mode === 'off') return [];
  return [
    countries === undefined &&
      'SMS_COUNTRIES is required in production with a carrier of SMS: strangers have SMS sent to numbers that they earn by. ' +
        'Name the countries of your people, SMS_COUNTRIES=DE,AT, or write SMS_COUNTRIES=*',
    dailyBudget === undefined &&
      'SMS_DAILY_BUDGET is required in production with a carrier of SMS: nothing else ends what they cost. ' +
        'Write what a day may cost, SMS_DAILY_BUDGET=50, and what a message costs, SMS_COSTS=*:*=0.10',
  ];
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
