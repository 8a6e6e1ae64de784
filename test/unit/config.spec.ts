import { vendorSections } from '../../src/auth/vendors/vendors.js';
import { webhookConfig } from '../../src/auth/vendors/webhook/webhook.config.js';
import { ConfigurationError, readConfig } from '../../src/config/config.js';
import { productionKeys } from '../support/production-keys.js';

const production = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://auth.acme.test',
  SITE_URL: 'https://acme.test/welcome',
  SMTP_URL: 'smtps://mailer:hunter2@smtp.acme.test',
  MAIL_FROM: 'Acme <no-reply@acme.test>',
  TRUST_PROXY: '0',
  ...productionKeys,
};

/** What the person who starts the service is told. */
function complaint(env: NodeJS.ProcessEnv): string {
  try {
    readConfig(env, vendorSections);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).message;
  }
  throw new Error('it was accepted');
}

describe('the configuration', () => {
  it('needs nothing in development', () => {
    expect(readConfig({})).toMatchObject({
      production: false,
      role: 'all',
      host: 'localhost',
      port: 8080,
      dataDir: './data',
      databaseUrl: undefined,
      redisUrl: undefined,
      smtpUrls: [],
      publicUrl: 'http://localhost:8080',
      siteUrl: 'http://localhost:8080/',
      mailFrom: { name: 'Strike Auth', address: 'no-reply@strike-auth.localhost' },
      corsOrigins: ['*'],
      limits: {
        email: { max: 3, windowMs: 300_000 },
        sms: { max: 2, windowMs: 300_000 },
        ip: { max: 10, windowMs: 600_000 },
        verify: { max: 5, windowMs: 600_000 },
      },
      verifyOnGet: false,
    });
  });

  it('listens everywhere and lets no other origin in when it is in production', () => {
    expect(readConfig(production)).toMatchObject({ production: true, host: '0.0.0.0', corsOrigins: [] });
  });

  it('takes an empty variable for one that is not set', () => {
    const empty = Object.fromEntries(
      ['PORT', 'REDIS_URL', 'NODE_ENV', 'MAIL_FROM'].map((name) => [name, '']),
    );
    expect(readConfig(empty)).toEqual(readConfig({}));
  });

  it('takes several mail servers, and commas in a password for what they are', () => {
    const SMTP_URL = 'smtps://me:a,b@one.test, smtp://two.test:2525,smtp://three.test';
    expect(readConfig({ ...production, SMTP_URL }).smtpUrls).toEqual([
      'smtps://me:a,b@one.test',
      'smtp://two.test:2525',
      'smtp://three.test',
    ]);
  });

  it('cannot be changed once it is read', () => {
    const sms = { SMS_WEBHOOK_URL: 'http://localhost/sms', SMS_WEBHOOK_SECRET: 'twenty-four characters it' };
    const config = readConfig(sms, [webhookConfig]);
    for (const part of [config, config.limits, config.tokenLifetimeMs, webhookConfig.ifSetUp(config)]) {
      expect(part).toBeDefined();
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('splits lists at commas', () => {
    expect(readConfig({ CORS_ORIGINS: ' https://a.test, ,https://b.test,' }).corsOrigins).toEqual([
      'https://a.test',
      'https://b.test',
    ]);
  });

  it('joins paths to the public URL with one slash, however it is written', () => {
    for (const url of ['https://acme.test', 'https://acme.test/']) {
      expect(readConfig({ ALLOW_PUBLIC_DEVELOPMENT: 'true', PUBLIC_URL: url })).toMatchObject({
        publicUrl: 'https://acme.test',
        siteUrl: 'https://acme.test/',
      });
    }
  });

  it('refuses a public URL with a path, since pages and links begin at its root', () => {
    expect(() => readConfig({ PUBLIC_URL: 'https://acme.test/auth' })).toThrow(
      /PUBLIC_URL must have no path/,
    );
  });

  it('keeps the limits in memory when told so, even though there is a Redis', () => {
    const redis = { REDIS_URL: 'redis://localhost' };
    expect(readConfig({ ...redis, THROTTLE_STORE: 'memory' }).redisUrl).toBeUndefined();
    expect(readConfig(redis).redisUrl).toBe('redis://localhost');
  });
});

describe('a malformed variable', () => {
  const cases: [name: string, value: string, remedy: string][] = [
    ['NODE_ENV', 'staging-7f', 'must be one of development, test, production'],
    ['ROLE', 'sender-7f', 'must be one of all, api, worker'],
    ['PORT', '65536', 'must be a whole number from 0 to 65535'],
    ['PORT', '-1', 'must be a whole number from 0 to 65535'],
    ['PORT', '80.5', 'must be a whole number from 0 to 65535'],
    ['PORT', '0x1f90', 'must be a whole number from 0 to 65535'],
    ['LOG_LEVEL', 'verbose-7f', 'must be one of trace, debug, info, warn, error, fatal, silent'],
    ['DATABASE_URL', 'mysql://root:hunter2@db/x', 'begins with postgres:// or postgresql://'],
    ['DATABASE_URL', 'hunter2', 'begins with postgres:// or postgresql://'],
    ['DATABASE_POOL_SIZE', '1', 'must be a whole number from 2 to 200'],
    ['REDIS_URL', 'http://:hunter2@cache', 'begins with redis:// or rediss://'],
    ['REDIS_URL', 'redis:///hunter2', 'names a host'],
    ['THROTTLE_STORE', 'memcached', 'must be one of memory, redis'],
    ['PUBLIC_URL', 'ftp://hunter2.test', 'begins with http:// or https://'],
    ['SITE_URL', 'javascript:hunter2', 'begins with http:// or https://'],
    ['SMTP_URL', 'smtp.hunter2.test:587', 'begins with smtp:// or smtps://'],
    ['SMTP_URL', 'smtp://a.test, mail.hunter2.test', 'several with commas between them'],
    ['SMTP_URL', 'smtp://a.test,', 'several with commas between them'],
    ['SMTP_URL', 'smtp://a.test, smtp://', 'names a host'],
    ['SMS_WEBHOOK_URL', '/hunter2', 'begins with http:// or https://'],
    ['LIMIT_EMAIL', '3', 'must be a count and a window, such as 3/5m'],
    ['LIMIT_EMAIL', '0/77m', 'must be a count and a window, such as 3/5m'],
    ['LIMIT_SMS', '3/77', 'must be a count and a window, such as 3/5m'],
    ['LIMIT_IP', '3/77m/1', 'must be a count and a window, such as 3/5m'],
    ['LIMIT_VERIFY', '77000000/5m', 'must be a count and a window, such as 3/5m'],
    ['RETRY_MAX_AGE', '77', 'must be a whole number with a unit'],
    ['ACCESS_TOKEN_LIFETIME', '77 minutes', 'must be a whole number with a unit'],
    ['LIFETIME_SIGNUP', '0h', 'must be a whole number with a unit'],
    ['LIFETIME_RECOVERY', '999999999d', 'must be a whole number with a unit, at most 3650d'],
    ['VERIFY_ON_GET', 'yes', 'must be one of true, false'],
    ['CAPTCHA_MODE', 'stepup', 'must be one of off, always, step-up'],
    ['CAPTCHA_PROVIDERS', 'altcha,mcaptcha-7f', 'must be some of altcha, hcaptcha, turnstile, recaptcha-v2'],
    ['CAPTCHA_ON_OUTAGE', 'closed-7f', 'must be one of closed, open'],
    ['CAPTCHA_PROVIDERS', ',', 'must be some of altcha, hcaptcha'],
  ];

  it.each(cases)('%s=%s is refused with a remedy', (name, value, remedy) => {
    const said = complaint({ [name]: value });
    expect(said).toContain(`- ${name} `);
    expect(said).toContain(remedy);
    expect(said).toContain('See docs/configuration.md.');
  });

  it.each(cases.filter(([, value]) => value.length > 3))('%s=%s is not repeated', (name, value) => {
    const said = complaint({ [name]: value });
    expect(said).not.toContain(value);
    expect(said).not.toContain('hunter2');
  });
});

describe('variables that contradict each other', () => {
  it.each(['PUBLIC_URL', 'SITE_URL', 'TRUST_PROXY', 'SMTP_URL', 'MAIL_FROM', 'HASHING_KEY', 'SIGNING_KEY'])(
    'are refused when production lacks %s',
    (name) => {
      const said = complaint({ ...production, [name]: undefined });
      expect(said).toContain(`- ${name} is required in production: `);
      expect(said.match(/^ {2}- /gm)).toHaveLength(1);
    },
  );

  it('are none when production says that there is no proxy', () => {
    expect(readConfig({ ...production, TRUST_PROXY: '0' }).trustProxy).toEqual({ hops: 0, networks: [] });
  });

  const database = { DATABASE_URL: 'postgres://localhost/auth' };
  const redis = { REDIS_URL: 'redis://localhost' };
  const smtp = { SMTP_URL: 'smtp://localhost' };
  const captcha = (providers: string) => ({ CAPTCHA_MODE: 'always', CAPTCHA_PROVIDERS: providers });

  it.each<[string, NodeJS.ProcessEnv, string]>([
    ['an SMS webhook without a secret', { SMS_WEBHOOK_URL: 'https://sms.test' }, 'SMS_WEBHOOK_SECRET'],
    ['a store in Redis without Redis', { THROTTLE_STORE: 'redis' }, 'THROTTLE_STORE=redis needs REDIS_URL'],
    ['a shared database without shared limits', database, 'THROTTLE_STORE=memory when there is only one'],
    ['an API process on the embedded database', { ROLE: 'api', ...smtp }, 'ROLE=api needs DATABASE_URL'],
    ['a worker on the embedded database', { ROLE: 'worker', ...smtp }, 'ROLE=worker needs DATABASE_URL'],
    ['a worker with an inbox', { ROLE: 'worker', ...database, ...redis }, 'ROLE=worker needs SMTP_URL'],
    ['a captcha without its secret', captcha('turnstile'), 'which needs TURNSTILE_SECRET'],
    ['another captcha without its secret', captcha('altcha,recaptcha-v3'), 'needs RECAPTCHA_V3_SECRET'],
  ])('are refused: %s', (_what, env, remedy) => {
    const said = complaint(env);
    expect(said).toContain(remedy);
    expect(said.match(/^ {2}- /gm)).toHaveLength(1);
  });

  it.each<[string, NodeJS.ProcessEnv]>([
    ['limits in memory, said aloud', { ...database, THROTTLE_STORE: 'memory' }],
    ['limits in Redis', { ...database, ...redis }],
    [
      'a worker with a database, limits and a mail server',
      { ...database, ...redis, ...smtp, ROLE: 'worker' },
    ],
    ['production with everything it needs', production],
    ['a captcha that needs no secret', captcha('altcha')],
  ])('are no contradiction: %s', (_what, env) => {
    expect(() => readConfig(env)).not.toThrow();
  });
});

describe('the captcha', () => {
  it('is off, and no secret of a vendor is kept then', () => {
    expect(readConfig({ TURNSTILE_SECRET: 'hunter2', CAPTCHA_PROVIDERS: 'turnstile' }).captcha).toMatchObject(
      {
        mode: 'off',
        altcha: false,
        vendors: [],
      },
    );
  });

  it('is proof of work unless others are named', () => {
    expect(readConfig({ CAPTCHA_MODE: 'step-up' }).captcha).toMatchObject({ altcha: true, vendors: [] });
  });

  it('is of several vendors, in the order in which they are named, each once', () => {
    const { altcha, vendors } = readConfig({
      CAPTCHA_MODE: 'always',
      CAPTCHA_PROVIDERS: 'turnstile, recaptcha-v2,turnstile',
      TURNSTILE_SECRET: 'one',
      RECAPTCHA_V2_SECRET: 'two',
    }).captcha;
    expect(altcha).toBe(false);
    expect(vendors).toEqual([
      { name: 'turnstile', secret: 'one' },
      { name: 'recaptcha-v2', secret: 'two' },
    ]);
  });

  it('is solved on the pages of the site unless others are named', () => {
    expect(readConfig({ SITE_URL: 'https://app.acme.test:8443/home' }).captcha.hostnames).toEqual([
      'app.acme.test',
    ]);
    expect(readConfig({ CAPTCHA_HOSTNAMES: 'a.test,b.test' }).captcha.hostnames).toEqual([
      'a.test',
      'b.test',
    ]);
  });
});

describe('several problems', () => {
  it('are told all at once, malformed and missing ones together', () => {
    const said = complaint({
      NODE_ENV: 'production',
      PORT: 'http',
      LIMIT_IP: 'many',
      THROTTLE_STORE: 'redis',
    });
    for (const name of [
      'PORT',
      'LIMIT_IP',
      'PUBLIC_URL',
      'SITE_URL',
      'SMTP_URL',
      'MAIL_FROM',
      'HASHING_KEY',
    ]) {
      expect(said).toContain(`- ${name} `);
    }
    expect(said).toContain('THROTTLE_STORE=redis needs REDIS_URL');
  });

  it('do not count a malformed variable as a missing one as well', () => {
    const said = complaint({ DATABASE_URL: 'postgres://localhost/auth', REDIS_URL: 'localhost:6379' });
    expect(said.match(/^ {2}- /gm)).toHaveLength(1);
    expect(said).toContain('- REDIS_URL must be a URL');
  });
});
