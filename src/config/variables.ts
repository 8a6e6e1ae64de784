import { customCleanEnv, str } from 'envalid';
import { captchaVariables } from './captcha.config.js';
import { eventVariables } from './reports.config.js';
import { operationsVariables } from './operations.config.js';
import { count, duration, flag, limit, list, oneOf, url, urls } from './readers.js';
import { smsVariables } from './sms.config.js';
import { smsLimitVariables } from './sms-abuse.config.js';

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
  SMTP_URL: urls('smtp', 'smtps')({ default: undefined }),
  MAIL_FROM: str({ default: undefined, devDefault: 'Strike Auth <no-reply@strike-auth.localhost>' }),
  ...smsVariables,
  ...smsLimitVariables,
  ...eventVariables,
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
  ...operationsVariables,
};

/** Every variable that the service reads. */
export const variableNames: readonly string[] = Object.keys(variables);

export type Variables = Readonly<ReturnType<typeof parse>['values']>;

/** The values of the variables that are right, and what is wrong with the others, by name. */
export function parse(env: NodeJS.ProcessEnv) {
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
