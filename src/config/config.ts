import { existsSync } from 'node:fs';
import { captchaConfig } from './captcha.config.js';
import { eventsConfig } from './reports.config.js';
import { operationsConfig } from './operations.config.js';
import { contradictions } from './rules.js';
import { smsConfig } from './sms.config.js';
import { smsLimitConfig } from './sms-abuse.config.js';
import { parse, type Variables } from './variables.js';

export type { CaptchaVendor } from './captcha.config.js';
export type { Limit } from './readers.js';
export type { SmsCost } from './sms-abuse.config.js';
export { variableNames } from './variables.js';

/** Says which variables are wrong and what they should be; never what stands in them. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(problems: readonly string[]) {
    super(
      `The configuration is wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\nSee .env.example.`,
    );
  }
}

function tokenLifetimes(v: Variables) {
  return Object.freeze({
    sms: v.LIFETIME_SMS,
    signup: v.LIFETIME_SIGNUP,
    email_change: v.LIFETIME_EMAIL_CHANGE,
    recovery: v.LIFETIME_RECOVERY,
    magiclink: v.LIFETIME_MAGICLINK,
  });
}

function allProblems(v: Variables, malformed: ReadonlyMap<string, string>): string[] {
  const names = [...malformed.keys()];
  return [
    ...[...malformed].map(([name, problem]) => `${name} ${problem}`),
    // What is malformed is there, though of no use: no rule may call it missing.
    ...contradictions(v).filter((whatToDo) => !names.some((name) => whatToDo.includes(name))),
  ];
}

/**
 * The whole configuration, parsed once and frozen. Durations are milliseconds.
 * @throws ConfigurationError with every problem at once
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env) {
  const { values: v, problems: malformed } = parse(env);
  const problems = allProblems(v, malformed);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const publicUrl = (v.PUBLIC_URL ?? `http://localhost:${v.PORT}`).replace(/\/+$/, '');
  const siteUrl = v.SITE_URL ?? `${publicUrl}/`;
  return Object.freeze({
    production: v.NODE_ENV === 'production',
    role: v.ROLE,
    host: v.HOST,
    port: v.PORT,
    logLevel: v.LOG_LEVEL,
    dataDir: v.DATA_DIR,
    databaseUrl: v.DATABASE_URL,
    databasePoolSize: v.DATABASE_POOL_SIZE,
    redisCluster: v.REDIS_CLUSTER === 'true',
    redisUrl: v.THROTTLE_STORE === 'memory' ? undefined : v.REDIS_URL,
    publicUrl,
    siteUrl,
    redirectAllowList: v.REDIRECT_ALLOW_LIST,
    corsOrigins: v.CORS_ORIGINS,
    trustProxy: v.TRUST_PROXY,
    requestTimeoutMs: v.REQUEST_TIMEOUT,
    limits: Object.freeze({
      email: v.LIMIT_EMAIL,
      sms: v.LIMIT_SMS,
      ip: v.LIMIT_IP,
      verify: v.LIMIT_VERIFY,
      delivery: v.LIMIT_DELIVERY,
    }),
    captcha: captchaConfig(v, siteUrl),
    /** In order of preference; none: mail goes to the inbox. */
    smtpUrls: Object.freeze(v.SMTP_URL ?? []),
    // Where nobody named a mail server, and never in production: it shows everybody's codes.
    inbox: v.NODE_ENV !== 'production' && v.SMTP_URL === undefined,
    mailFrom: v.MAIL_FROM ?? '',
    mailReturnPath: v.MAIL_RETURN_PATH,
    sms: smsConfig(v),
    events: eventsConfig(v),
    smsLimits: smsLimitConfig(v),
    retryMaxAgeMs: v.RETRY_MAX_AGE,
    tokenLifetimeMs: tokenLifetimes(v),
    accessTokenLifetimeMs: v.ACCESS_TOKEN_LIFETIME,
    verifyOnGet: v.VERIFY_ON_GET === 'true',
    hashingKey: v.HASHING_KEY,
    previousHashingKeys: v.HASHING_KEY_PREVIOUS,
    signingKey: v.SIGNING_KEY,
    previousSigningKeys: v.SIGNING_KEY_PREVIOUS,
    ...operationsConfig(v),
  });
}

type ReadConfig = ReturnType<typeof readConfig>;

/** The type of the configuration and the token under which it is injected. */
export abstract class Config implements ReadConfig {}
export interface Config extends ReadConfig {}

/** Adds what a `.env` file in the working directory says to the environment; what is set already wins. */
export function loadDotEnv(): void {
  if (existsSync('.env')) process.loadEnvFile('.env');
}
