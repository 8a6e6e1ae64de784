import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { vendorSections } from '../../src/auth/vendors/vendors.js';
import { coreSections, readConfig } from '../../src/config/config.js';
import type { Variable } from '../../src/config/section.js';

const root = join(__dirname, '../..');
const variables = [...coreSections, ...vendorSections].flatMap((section) =>
  Object.values<Variable>(section.variables),
);
const names = variables.map(({ name }) => name);

describe('the variables', () => {
  it('are 80 at most, each declared once', () => {
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeLessThanOrEqual(80);
  });

  it('include those that others rely on', () => {
    const relied =
      'PORT DATA_DIR DATABASE_URL REDIS_URL SMTP_URL SITE_URL REDIRECT_ALLOW_LIST TRUST_PROXY THROTTLE_STORE ROLE ' +
      'SMS_WEBHOOK_URL SMS_WEBHOOK_SECRET SERVICE_KEY LOG_LEVEL LIMIT_EMAIL LIMIT_SMS LIMIT_IP LIMIT_VERIFY';
    expect(names).toEqual(expect.arrayContaining(relied.split(' ')));
  });

  it('are marked as secret when a credential may stand in them', () => {
    const credentials = names.filter((name) =>
      /_(SECRET|TOKEN|LOGIN)$|^(HASHING|SIGNING|SERVICE)_KEY$|^BACKEND_KEYS$|^(DATABASE|REDIS|SMTP)_URL$/.test(
        name,
      ),
    );
    expect(variables.filter(({ secret }) => secret).map(({ name }) => name)).toEqual(credentials);
  });

  it.each(variables)('have a sentence about $name', ({ about }) => {
    expect(about).toMatch(/^\S.*\.$/);
  });
});

describe('.env.example', () => {
  const lines = readFileSync(join(root, '.env.example'), 'utf8').split('\n');
  const example = lines.flatMap((line) => {
    const [, name, value] = /^#([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value] as const];
  });

  it('names exactly the variables that the service reads, each once', () => {
    expect(example.map(([name]) => name)).toEqual(names);
  });

  it('sets none of them: a copy of it has the defaults', () => {
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });

  it('tells the defaults as they are', () => {
    expect(readConfig(Object.fromEntries(example), vendorSections)).toEqual(readConfig({}, vendorSections));
  });
});

describe('a start with a wrong configuration', () => {
  const secret = 'zz-hunter2-7f';

  /** The lines of the list that the built service prints before it ends. */
  function problemsOf(env: Record<string, string>): string[] {
    const { PATH = '', HOME = '' } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'dist/main.js')], {
      cwd: __dirname,
      env: { PATH, HOME, ...env },
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).not.toContain('hunter2');
    return [...stderr.matchAll(/^ {2}- (.*)$/gm)].map(([, problem = '']) => problem);
  }

  it('names five variables of five kinds at once', () => {
    const wrong = ['LIMIT_IP', 'TRUST_PROXY', 'REDIRECT_ALLOW_LIST', 'HASHING_KEY', 'MAIL_FROM'];
    const problems = problemsOf(Object.fromEntries(wrong.map((name) => [name, secret])));
    expect(problems.map((problem) => problem.split(' ')[0]).sort()).toEqual(wrong.sort());
  });

  it('names every variable that can be wrong at once, each in one line, and no value', () => {
    const refusing = variables.filter(({ read }) => {
      try {
        read(secret);
        return false;
      } catch {
        return true;
      }
    });
    expect(refusing.length).toBeGreaterThan(40);
    const problems = problemsOf(Object.fromEntries(refusing.map(({ name }) => [name, secret])));
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual(refusing.map(({ name }) => name));
  });

  it('names what is malformed, missing and contradictory at once', () => {
    const problems = problemsOf({
      NODE_ENV: 'production',
      LIMIT_IP: 'x',
      ROLE: 'api',
      SMTP_URL: 'smtp://mail.example.com',
      TWILIO_FROM: '+15005550006',
      SMS_DAILY_BUDGET: '50',
      RETENTION: '1h',
      SERVICE_KEY: 'hunter2',
      CAPTCHA_MODE: 'always',
      CAPTCHA_PROVIDERS: 'turnstile',
      SMS_PROVIDERS: 'webhook',
    });
    for (const name of [
      'LIMIT_IP must be',
      'PUBLIC_URL is required',
      'SITE_URL is required',
      'TRUST_PROXY is required',
      'MAIL_FROM is required',
      'HASHING_KEY is required',
      'SIGNING_KEY is required',
      'SERVICE_KEY must be',
      'ROLE=api needs DATABASE_URL',
      'TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_FROM belong together',
      'SMS_DAILY_BUDGET needs SMS_COSTS',
      'RETENTION must be at least 24h',
      'CAPTCHA_PROVIDERS names turnstile, which needs TURNSTILE_SECRET',
      'SMS_PROVIDERS names webhook, which needs SMS_WEBHOOK_URL',
    ]) {
      expect(problems).toContainEqual(expect.stringContaining(name));
    }
    expect(problems).toHaveLength(14);
  });
});
