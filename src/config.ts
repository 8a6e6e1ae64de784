import { existsSync } from 'node:fs';
import { customCleanEnv, str } from 'envalid';
import { captchaConfig, captchaRules, captchaVariables } from './config.captcha.js';
import { count, duration, flag, limit, list, oneOf, url } from './config.readers.js';

export type { CaptchaVendor } from './config.captcha.js';
export type { Limit } from './config.readers.js';

const minutes = 60_000;
const hours = 60 * minutes;

const variables = {
  NODE_ENV: oneOf('development', 'test', 'production')({ default: 'development' }),
  ROLE: oneOf('all', 'api', 'worker')({ default: 'all' }),
  HOST: str({ default: '0.0.0.0', devDefault: 'localhost' }),
  PORT: count(0, 65_535)({ default: 8080 }),
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent')({ default: 'info' }),
  DATA_DIR: str({ default: './data' }),
  DATABASE_URL: url('postgres', 'postgresql')({ default: undefined }),
  DATABASE_POOL_SIZE: count(2, 200)({ default: 10 }),
  REDIS_URL: url('redis', 'rediss')({ default: undefined }),
  REDIS_CLUSTER: flag({ default: 'false' }),
  THROTTLE_STORE: oneOf('memory', 'redis')({ default: undefined }),
  PUBLIC_URL: url('http', 'https')({ default: undefined }),
  SITE_URL: url('http', 'https')({ default: undefined }),
  REDIRECT_ALLOW_LIST: list({ default: [] }),
  CORS_ORIGINS: list({ default: [], devDefault: ['*'] }),
  TRUST_PROXY: list({ default: [] }),
  REQUEST_TIMEOUT: duration({ default: minutes / 4 }),
  LIMIT_EMAIL: limit({ default: { max: 3, windowMs: 5 * minutes } }),
  LIMIT_SMS: limit({ default: { max: 2, windowMs: 5 * minutes } }),
  LIMIT_IP: limit({ default: { max: 10, windowMs: 10 * minutes } }),
  LIMIT_VERIFY: limit({ default: { max: 5, windowMs: 10 * minutes } }),
  LIMIT_DELIVERY: limit({ default: undefined }),
  ...captchaVariables,
  SMTP_URL: url('smtp', 'smtps')({ default: undefined }),
  MAIL_FROM: str({ default: undefined, devDefault: 'Strike Auth <no-reply@strike-auth.localhost>' }),
  SMS_WEBHOOK_URL: url('http', 'https')({ default: undefined }),
  SMS_WEBHOOK_SECRET: str({ default: undefined }),
  RETRY_MAX_AGE: duration({ default: hours }),
  LIFETIME_SMS: duration({ default: 10 * minutes }),
  LIFETIME_SIGNUP: duration({ default: 24 * hours }),
  LIFETIME_EMAIL_CHANGE: duration({ default: 24 * hours }),
  LIFETIME_RECOVERY: duration({ default: hours }),
  LIFETIME_MAGICLINK: duration({ default: hours }),
  ACCESS_TOKEN_LIFETIME: duration({ default: hours }),
  VERIFY_ON_GET: flag({ default: 'false' }),
  HASHING_KEY: str({ default: undefined }),
  HASHING_KEY_PREVIOUS: list({ default: [] }),
  SIGNING_KEY: str({ default: undefined }),
  SIGNING_KEY_PREVIOUS: str({ default: undefined }),
};

/** Every variable that the service reads. */
export const variableNames: readonly string[] = Object.keys(variables);

type Variables = Readonly<ReturnType<typeof parse>['values']>;

/** Says which variables are wrong and what they should be; never what stands in them. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(problems: readonly string[]) {
    super(
      `The configuration is wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\nSee .env.example.`,
    );
  }
}

/** The values of the variables that are right, and what is wrong with the others, by name. */
function parse(env: NodeJS.ProcessEnv) {
  const set = Object.entries(env).filter(([, value]) => value !== '');
  // Said aloud: without a NODE_ENV, envalid leaves every `devDefault` out.
  const given = { NODE_ENV: 'development', ...Object.fromEntries(set) };
  const problems = new Map<string, string>();
  const values = customCleanEnv(given, variables, (cleaned) => cleaned, {
    reporter: ({ errors }) => {
      for (const [name, error] of Object.entries(errors)) problems.set(name, error.message);
    },
  });
  return { values, problems };
}

/** Rules that tie several variables together. Each sentence says what to do. */
function contradictions(v: Variables): string[] {
  const production = v.NODE_ENV === 'production';
  const rules: [broken: boolean, whatToDo: string][] = [
    [
      production && !v.PUBLIC_URL,
      'PUBLIC_URL is required in production: the links in messages begin with it',
    ],
    [
      production && !v.SITE_URL,
      'SITE_URL is required in production: people are sent there after a confirmation',
    ],
    [production && !v.SMTP_URL, 'SMTP_URL is required in production: the inbox is for development only'],
    [production && !v.MAIL_FROM, 'MAIL_FROM is required in production: it is the sender that people see'],
    [production && !v.HASHING_KEY, 'HASHING_KEY is required in production: openssl rand -base64 32'],
    [
      production && !v.SIGNING_KEY,
      'SIGNING_KEY is required in production: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256',
    ],
    [
      Boolean(v.SMS_WEBHOOK_URL) && !v.SMS_WEBHOOK_SECRET,
      'SMS_WEBHOOK_URL needs SMS_WEBHOOK_SECRET to sign with',
    ],
    [
      new URL(v.PUBLIC_URL ?? 'http://localhost').pathname !== '/',
      'PUBLIC_URL must have no path: pages and links begin at its root',
    ],
    [v.THROTTLE_STORE === 'redis' && !v.REDIS_URL, 'THROTTLE_STORE=redis needs REDIS_URL'],
    [
      v.REDIS_CLUSTER === 'true' && !v.REDIS_URL,
      'REDIS_CLUSTER=true needs REDIS_URL, the address of any node',
    ],
    [
      Boolean(v.DATABASE_URL) && !v.REDIS_URL && v.THROTTLE_STORE !== 'memory',
      'DATABASE_URL without REDIS_URL: several instances would each grant the whole limit. ' +
        'Set REDIS_URL, or THROTTLE_STORE=memory when there is only one instance',
    ],
    [
      v.ROLE !== 'all' && !v.DATABASE_URL,
      `ROLE=${v.ROLE} needs DATABASE_URL: the embedded database serves one process only`,
    ],
    [
      v.ROLE !== 'all' && !v.SMTP_URL,
      `ROLE=${v.ROLE} needs SMTP_URL: each process would have an inbox of its own`,
    ],
    ...captchaRules(v),
  ];
  return rules.filter(([broken]) => broken).map(([, whatToDo]) => whatToDo);
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
    smtpUrl: v.SMTP_URL,
    mailFrom: v.MAIL_FROM ?? '',
    smsWebhook:
      v.SMS_WEBHOOK_URL && v.SMS_WEBHOOK_SECRET
        ? Object.freeze({ url: v.SMS_WEBHOOK_URL, secret: v.SMS_WEBHOOK_SECRET })
        : undefined,
    retryMaxAgeMs: v.RETRY_MAX_AGE,
    tokenLifetimeMs: tokenLifetimes(v),
    accessTokenLifetimeMs: v.ACCESS_TOKEN_LIFETIME,
    verifyOnGet: v.VERIFY_ON_GET === 'true',
    hashingKey: v.HASHING_KEY,
    previousHashingKeys: v.HASHING_KEY_PREVIOUS,
    signingKey: v.SIGNING_KEY,
    previousSigningKeys: v.SIGNING_KEY_PREVIOUS,
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
