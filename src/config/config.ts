import { existsSync } from 'node:fs';
import { addresses } from './addresses.config.js';
import { captcha, captchaSettings } from './captcha.config.js';
import { keys } from './keys.config.js';
import { mail } from './mail.config.js';
import { type AnySection, readSections } from './section.js';
import { lifetimes, limits, service, stores } from './service.config.js';
import { smsAbuse } from './sms-abuse.config.js';

export type { CaptchaVendor } from './captcha.config.js';
export type { Limit } from './readers.js';

/** What every service has; vendors bring sections of their own. In the order of the documentation. */
export const coreSections = [
  service,
  stores,
  addresses,
  limits,
  keys,
  lifetimes,
  mail,
  smsAbuse,
  captcha,
] as const;

/** NIST SP 800-63B, section 5.1.3.2: a secret sent out of band is good for at most ten minutes. */
const smsCodeMs = 10 * 60_000;

/** Says which variables are wrong and what they should be; never what stands in them. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(problems: readonly string[]) {
    super(
      `The configuration is wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\nSee docs/configuration.md.`,
    );
  }
}

/**
 * The whole configuration, parsed once and frozen: plain data, which can be sent to another thread. Durations are
 * milliseconds.
 * @param vendors the sections that are read besides those of the core; each finds its values with `of(config)`
 * @throws ConfigurationError with every problem at once
 */
export function readConfig(env: NodeJS.ProcessEnv, vendors: readonly AnySection[] = []) {
  const { values: sections, problems } = readSections([...coreSections, ...vendors], env);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const read = { sections };
  const basics = service.of(read);
  const { throttleStore, redisUrl, ...ownStores } = stores.of(read);
  const { smtpUrls, ...ownMail } = mail.of(read);
  const { signupMs, recoveryMs, accessTokenMs, ...ownLifetimes } = lifetimes.of(read);
  const { publicUrl = `http://localhost:${basics.port}`, ...places } = addresses.of(read);
  const siteUrl = places.siteUrl ?? `${publicUrl}/`;
  return deepFreeze({
    ...basics,
    ...ownStores,
    redisUrl: throttleStore === 'memory' ? undefined : redisUrl,
    ...places,
    publicUrl,
    siteUrl,
    limits: limits.of(read),
    ...keys.of(read),
    ...ownLifetimes,
    tokenLifetimeMs: {
      sms: smsCodeMs,
      signup: signupMs,
      email_change: signupMs,
      recovery: recoveryMs,
      magiclink: recoveryMs,
    },
    accessTokenLifetimeMs: accessTokenMs,
    ...ownMail,
    /** In order of preference; none: mail goes to the inbox. */
    smtpUrls: smtpUrls ?? [],
    /** Shows every code to every visitor: only without a mail server, and never in production. */
    inbox: !basics.production && smtpUrls === undefined,
    smsLimits: smsAbuse.of(read),
    captcha: captchaSettings(captcha.of(read), siteUrl),
    sections,
  });
}

type ReadConfig = ReturnType<typeof readConfig>;

/** The type of the configuration and the token under which it is injected. */
export abstract class Config implements ReadConfig {}
export interface Config extends ReadConfig {}

/** The environment, and what a `.env` file in the working directory adds to it; what is set already wins. */
export function environment(): NodeJS.ProcessEnv {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
