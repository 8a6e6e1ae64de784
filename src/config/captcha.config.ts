import { str } from 'envalid';
import { count, duration, isConfidential, list, listOf, oneOf, share, url } from './readers.js';

const vendors = ['hcaptcha', 'turnstile', 'recaptcha-v2', 'recaptcha-v3'] as const;

/** Whose tokens are checked by asking the vendor. */
export type CaptchaVendor = (typeof vendors)[number];

export const captchaVariables = {
  CAPTCHA_MODE: oneOf('off', 'always', 'step-up')({ default: 'off' }),
  CAPTCHA_PROVIDERS: listOf(...vendors, 'altcha')({ default: ['altcha'] }),
  CAPTCHA_ON_OUTAGE: oneOf('closed', 'open')({ default: 'closed' }),
  CAPTCHA_HOSTNAMES: list({ default: [] }),
  CAPTCHA_MIN_SCORE: share({ default: 0.5 }),
  CAPTCHA_MAX_AGE: duration({ default: 5 * 60_000 }),
  HCAPTCHA_SECRET: str({ default: undefined }),
  HCAPTCHA_URL: url('https', 'http')({ default: 'https://api.hcaptcha.com/siteverify' }),
  TURNSTILE_SECRET: str({ default: undefined }),
  TURNSTILE_URL: url(
    'https',
    'http',
  )({ default: 'https://challenges.cloudflare.com/turnstile/v0/siteverify' }),
  RECAPTCHA_V2_SECRET: str({ default: undefined }),
  RECAPTCHA_V3_SECRET: str({ default: undefined }),
  RECAPTCHA_URL: url('https', 'http')({ default: 'https://www.google.com/recaptcha/api/siteverify' }),
  ALTCHA_COST: count(1, 1_000_000)({ default: 5_000 }),
};

/** The variables of this file as they were read. */
interface CaptchaVariables {
  readonly CAPTCHA_MODE: 'off' | 'always' | 'step-up';
  readonly CAPTCHA_PROVIDERS: readonly (CaptchaVendor | 'altcha')[];
  readonly CAPTCHA_ON_OUTAGE: 'closed' | 'open';
  readonly CAPTCHA_HOSTNAMES: readonly string[];
  readonly CAPTCHA_MIN_SCORE: number;
  readonly CAPTCHA_MAX_AGE: number;
  readonly HCAPTCHA_SECRET: string | undefined;
  readonly HCAPTCHA_URL: string;
  readonly TURNSTILE_SECRET: string | undefined;
  readonly TURNSTILE_URL: string;
  readonly RECAPTCHA_V2_SECRET: string | undefined;
  readonly RECAPTCHA_V3_SECRET: string | undefined;
  readonly RECAPTCHA_URL: string;
  readonly ALTCHA_COST: number;
}

/** Which variable holds the secret of a vendor, and which the address to ask at. */
const namesOf = {
  hcaptcha: { secret: 'HCAPTCHA_SECRET', url: 'HCAPTCHA_URL' },
  turnstile: { secret: 'TURNSTILE_SECRET', url: 'TURNSTILE_URL' },
  'recaptcha-v2': { secret: 'RECAPTCHA_V2_SECRET', url: 'RECAPTCHA_URL' },
  'recaptcha-v3': { secret: 'RECAPTCHA_V3_SECRET', url: 'RECAPTCHA_URL' },
} as const;

/**
 * Rules that tie these variables together. Each sentence says what to do.
 * @param v without those that are malformed
 */
export function captchaRules(v: Partial<CaptchaVariables>): [broken: boolean, whatToDo: string][] {
  const providers = v.CAPTCHA_PROVIDERS ?? ['altcha'];
  const on = v.CAPTCHA_MODE !== 'off';
  const addresses = [...new Set(Object.values(namesOf).map((names) => names.url))];
  return [
    [on && providers.length === 0, 'CAPTCHA_PROVIDERS must name at least one, such as altcha'],
    ...vendors.map((name): [boolean, string] => [
      on && providers.includes(name) && !v[namesOf[name].secret],
      `CAPTCHA_PROVIDERS names ${name}, which needs ${namesOf[name].secret}`,
    ]),
    ...addresses.map((name): [boolean, string] => [
      !isConfidential(v[name]),
      `${name} must begin with https:// unless it is on this machine: the secret is sent there`,
    ]),
  ];
}

/** @param siteUrl whose pages show the captcha unless others are named */
export function captchaConfig(v: CaptchaVariables, siteUrl: string) {
  const { hostname } = new URL(siteUrl);
  return Object.freeze({
    mode: v.CAPTCHA_MODE,
    altcha: v.CAPTCHA_MODE !== 'off' && v.CAPTCHA_PROVIDERS.includes('altcha'),
    /** In the order in which they are asked. */
    vendors: Object.freeze(
      v.CAPTCHA_MODE === 'off'
        ? []
        : [...new Set(v.CAPTCHA_PROVIDERS)]
            .filter((name) => name !== 'altcha')
            .map((name) => {
              const names = namesOf[name];
              return Object.freeze({ name, secret: v[names.secret] ?? '', url: v[names.url] });
            }),
    ),
    onOutage: v.CAPTCHA_ON_OUTAGE,
    hostnames: v.CAPTCHA_HOSTNAMES.length > 0 ? v.CAPTCHA_HOSTNAMES : Object.freeze([hostname]),
    minScore: v.CAPTCHA_MIN_SCORE,
    maxAgeMs: v.CAPTCHA_MAX_AGE,
    altchaCost: v.ALTCHA_COST,
  });
}
