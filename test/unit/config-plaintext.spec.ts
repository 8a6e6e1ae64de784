import { vendorSections } from '../../src/auth/vendors/vendors.js';
import { ConfigurationError, readConfig } from '../../src/config/config.js';
import { productionKeys } from '../support/production-keys.js';

const production = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://auth.acme.test',
  SITE_URL: 'https://acme.test',
  SMTP_URL: 'smtp://mail.acme.test',
  MAIL_FROM: 'no-reply@acme.test',
  TRUST_PROXY: '0',
  THROTTLE_STORE: 'memory',
  ...productionKeys,
};
const gateway = {
  SMS_WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 'gateway').toString('base64')}`,
  SMS_COUNTRIES: 'DE',
  SMS_DAILY_BUDGET: '50',
  SMS_COSTS: '*:*=0.10',
};
const redis = { THROTTLE_STORE: '' };

/** What the person who starts the service is told; empty when it starts. */
function complaint(env: NodeJS.ProcessEnv): string {
  try {
    readConfig(env, vendorSections);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).message;
  }
}

const plain: [exception: string, name: string, value: string, more?: NodeJS.ProcessEnv][] = [
  ['http', 'PUBLIC_URL', 'http://auth.hunter2.test'],
  ['http', 'PUBLIC_URL', 'HTTP://auth.hunter2.test:8080/'],
  ['http', 'PUBLIC_URL', 'http://192.0.2.7'],
  ['http', 'PUBLIC_URL', 'http://127.0.0.1.hunter2.test'],
  ['http', 'PUBLIC_URL', 'http://localhost.hunter2.test'],
  ['http', 'SITE_URL', 'http://hunter2.test/welcome'],
  ['http', 'SITE_URL', 'http://[2001:db8::1]/'],
  ['http', 'REDIRECT_ALLOW_LIST', 'https://a.test,http://hunter2.test/*'],
  ['http', 'REDIRECT_ALLOW_LIST', 'http://*.hunter2.test'],
  ['gateway', 'SMS_WEBHOOK_URL', 'http://gateway.hunter2.test', gateway],
  ['gateway', 'SMS_WEBHOOK_URL', 'http://10.0.0.7:3000/sms', gateway],
  ['postgres', 'DATABASE_URL', 'postgres://me:hunter2@db.test/auth'],
  ['postgres', 'DATABASE_URL', 'postgresql://me:hunter2@10.0.0.7:5432/auth'],
  ['postgres', 'DATABASE_URL', 'postgres://me:hunter2@db.test/auth?sslmode=disable'],
  ['postgres', 'DATABASE_URL', 'postgres://me:hunter2@db.test/auth?ssl=0'],
  ['postgres', 'DATABASE_URL', 'postgres://me:hunter2@localhost/auth?host=db.test'],
  ['redis', 'REDIS_URL', 'redis://:hunter2@cache.test:6379', redis],
  ['redis', 'REDIS_URL', 'redis-cluster://:hunter2@cache.test', redis],
  ['redis', 'REDIS_URL', 'redis://:hunter2@10.0.0.7', redis],
  ['smtp', 'SMTP_URL', 'smtp://mail.hunter2.test?ignoreTLS=true'],
  ['smtp', 'SMTP_URL', 'smtp://mail.hunter2.test/?ignoreTLS=1'],
  ['smtp', 'SMTP_URL', 'smtp://me:hunter2@mail.test?requireTLS=false'],
  ['smtp', 'SMTP_URL', 'smtps://mail.test,smtp://mail.hunter2.test?requireTLS=0'],
];

describe('In production', () => {
  it.each(plain)(
    'plain text (%s) is refused unless it is excepted: %s=%s',
    (exception, name, value, more = {}) => {
      const env = { ...production, [name]: value, ...more };
      const said = complaint(env);
      expect(said).toMatch(new RegExp(`^ {2}- ${name} .* in plain text.*ALLOW_PLAINTEXT=${exception}`, 'm'));
      expect(said.match(/^ {2}- /gm)).toHaveLength(1);
      expect(said).not.toContain('hunter2');
      expect(complaint({ ...env, ALLOW_PLAINTEXT: exception })).toBe('');
      const others = ['http', 'gateway', 'postgres', 'redis', 'smtp'].filter((other) => other !== exception);
      expect(complaint({ ...env, ALLOW_PLAINTEXT: others.join() })).toBe(said);
      expect(complaint({ ...env, NODE_ENV: 'development', ALLOW_PUBLIC_DEVELOPMENT: 'true' })).toBe('');
    },
  );

  it.each<[name: string, value: string, more?: NodeJS.ProcessEnv]>([
    ['PUBLIC_URL', 'http://localhost:8080'],
    ['PUBLIC_URL', 'http://127.0.0.1:8080'],
    ['PUBLIC_URL', 'http://[::1]:8080'],
    ['SITE_URL', 'http://app.localhost/'],
    ['REDIRECT_ALLOW_LIST', 'http://localhost:3000,myapp://callback'],
    ['SMS_WEBHOOK_URL', 'http://127.0.0.1:3000', gateway],
    ['DATABASE_URL', 'postgres://localhost/auth'],
    ['DATABASE_URL', 'postgres://[::1]/auth'],
    ['DATABASE_URL', 'postgres://%2Fvar%2Frun%2Fpostgresql/auth'],
    ['DATABASE_URL', 'postgres://db.test/auth?host=/var/run/postgresql'],
    ['DATABASE_URL', 'postgres://db.test/auth?sslmode=verify-full'],
    ['DATABASE_URL', 'postgres://db.test/auth?sslmode=require'],
    ['DATABASE_URL', 'postgres://db.test/auth?ssl=true'],
    ['REDIS_URL', 'redis://localhost', redis],
    ['REDIS_URL', 'rediss://cache.test', redis],
    ['REDIS_URL', 'rediss-cluster://cache.test', redis],
    // Nobody asks it.
    ['REDIS_URL', 'redis://cache.test'],
    ['SMTP_URL', 'smtps://mail.test'],
    ['SMTP_URL', 'smtp://mail.test?requireTLS=true&ignoreTLS=false'],
    ['SMTP_URL', 'smtp://127.0.0.1:2525?ignoreTLS=true'],
  ])('what is encrypted, or stays on this machine, is taken: %s=%s', (name, value, more = {}) => {
    expect(complaint({ ...production, [name]: value, ...more })).toBe('');
  });

  it('says which exceptions there are, and that a file for TLS cannot be read', () => {
    expect(complaint({ ...production, ALLOW_PLAINTEXT: 'everything' })).toContain(
      'ALLOW_PLAINTEXT must be some of postgres, redis, smtp, gateway, http',
    );
    const DATABASE_URL =
      'postgres://me:hunter2@db.test/auth?sslmode=verify-full&sslrootcert=/nowhere/hunter2.pem';
    const said = complaint({ ...production, DATABASE_URL });
    expect(said).toContain('DATABASE_URL names a file for TLS that cannot be read');
    expect(said).not.toContain('hunter2');
  });
});
