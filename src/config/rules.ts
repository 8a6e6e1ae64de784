import { captchaRules } from './captcha.config.js';
import { eventRules } from './reports.config.js';
import { operationsRules } from './operations.config.js';
import { smsRules } from './sms.config.js';
import { smsLimitRules } from './sms-abuse.config.js';
import type { Variables } from './variables.js';

/** Rules that tie several variables together. Each sentence says what to do. */
export function contradictions(v: Variables): string[] {
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
    ...smsRules(v),
    ...eventRules(v),
    ...smsLimitRules(v),
    ...operationsRules(v),
  ];
  return rules.filter(([broken]) => broken).map(([, whatToDo]) => whatToDo);
}
