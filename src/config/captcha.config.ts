import { list, oneOf, someOf, text } from './readers.js';
import { Section, variable } from './section.js';

/** Vendors whose tokens are checked by asking them, each with the member that holds its secret. */
const secretOf = {
  hcaptcha: 'hcaptchaSecret',
  turnstile: 'turnstileSecret',
  'recaptcha-v2': 'recaptchaV2Secret',
  'recaptcha-v3': 'recaptchaV3Secret',
} as const;

export type CaptchaVendor = keyof typeof secretOf;

const vendorNames = Object.keys(secretOf) as CaptchaVendor[];

const variables = {
  mode: variable('CAPTCHA_MODE', oneOf('off', 'always', 'step-up'), {
    default: 'off',
    about: '`off`, `always`, or `step-up`: only when a quota is nearly spent or beyond it.',
  }),
  providers: variable('CAPTCHA_PROVIDERS', someOf('altcha', ...vendorNames), {
    default: 'altcha',
    about:
      'Whose tokens are taken, separated by commas: `altcha`, `hcaptcha`, `turnstile`, `recaptcha-v2`, `recaptcha-v3`.',
  }),
  onOutage: variable('CAPTCHA_ON_OUTAGE', oneOf('closed', 'open'), {
    default: 'closed',
    about:
      'While the vendor is away, `closed` answers 503, and `open` lets a third of the usual number pass.',
  }),
  hostnames: variable('CAPTCHA_HOSTNAMES', list, {
    default: '',
    about:
      'Hosts of the pages that show the captcha, separated by commas. Without it: the host of `SITE_URL`.',
  }),
  hcaptchaSecret: variable('HCAPTCHA_SECRET', text, {
    secret: true,
    about: 'The secret of the account at hCaptcha.',
  }),
  turnstileSecret: variable('TURNSTILE_SECRET', text, {
    secret: true,
    about: 'The secret of the widget at Cloudflare Turnstile.',
  }),
  recaptchaV2Secret: variable('RECAPTCHA_V2_SECRET', text, {
    secret: true,
    about: 'The secret of the key at reCAPTCHA v2.',
  }),
  recaptchaV3Secret: variable('RECAPTCHA_V3_SECRET', text, {
    secret: true,
    about: 'The secret of the key at reCAPTCHA v3.',
  }),
};

export const captcha = new Section('Captcha', variables, {
  check: (own) =>
    vendorNames.map(
      (name) =>
        own.mode !== 'off' &&
        own.providers?.includes(name) &&
        !own[secretOf[name]] &&
        `CAPTCHA_PROVIDERS names ${name}, which needs ${variables[secretOf[name]].name}`,
    ),
});

/** @param siteUrl whose pages show the captcha unless others are named */
export function captchaSettings(read: ReturnType<typeof captcha.of>, siteUrl: string) {
  const { mode, onOutage, hostnames } = read;
  const providers = mode === 'off' ? [] : read.providers;
  return {
    mode,
    altcha: providers.includes('altcha'),
    /** In the order in which they are asked. */
    vendors: providers
      .filter((name) => name !== 'altcha')
      .map((name) => ({ name, secret: read[secretOf[name]] ?? '' })),
    onOutage,
    hostnames: hostnames.length > 0 ? hostnames : [new URL(siteUrl).hostname],
  };
}
