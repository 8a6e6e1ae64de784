import { vendorSections } from '../../src/auth/vendors/vendors.js';
import { smsCostOf } from '../../src/auth/sms-abuse/sms-budget.js';
import { productionKeys } from '../support/production-keys.js';
import { ConfigurationError, readConfig } from '../../src/config/config.js';

/** What the person who starts the service is told. */
function complaint(env: NodeJS.ProcessEnv): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).message;
  }
  throw new Error('it was accepted');
}

const limitsOf = (env: NodeJS.ProcessEnv) => readConfig(env).smsLimits;

describe('the configuration of what SMS may cost', () => {
  it('only records in development, and goes everywhere until countries are named', () => {
    expect(limitsOf({})).toEqual({
      mode: 'record-only',
      countries: undefined,
      dailyPerNumber: 10,
      costs: [],
      dailyBudget: undefined,
    });
    expect(Object.isFrozen(limitsOf({}))).toBe(true);
  });

  it('enforces in production', () => {
    const production = {
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://auth.acme.test',
      SITE_URL: 'https://acme.test',
      SMTP_URL: 'smtp://localhost',
      MAIL_FROM: 'a@acme.test',
      TRUST_PROXY: '0',
      ...productionKeys,
    };
    expect(limitsOf(production).mode).toBe('enforce');
    expect(limitsOf({ ...production, SMS_ABUSE_MODE: 'off' }).mode).toBe('off');
  });

  it.each([['DE,AT'], ['*'], ['*, +881'], ['+1,+4915']])('takes countries as %s', (text) => {
    expect(limitsOf({ SMS_COUNTRIES: text }).countries).toEqual(text.split(',').map((item) => item.trim()));
  });

  it.each(['UK', 'de', 'Germany', '49', '+0', '+12345678901', 'DE,', 'DE AT'])(
    'refuses %s as countries',
    (text) => {
      const said = complaint({ SMS_COUNTRIES: text });
      expect(said).toContain('SMS_COUNTRIES must be');
      expect(said).toContain('GB, not UK');
    },
  );

  it.each([
    ['50', 50_000_000],
    ['12.5', 12_500_000],
    ['0.1', 100_000],
    ['0.0083', 8_300],
    ['0.000001', 1],
    ['999999999.999999', 999_999_999_999_999],
    ['0', 0],
  ])('reads %s as so many millionths', (text, micros) => {
    const env = { SMS_DAILY_BUDGET: `${text},country=${text}`, SMS_COSTS: `*:*=${text}` };
    expect(limitsOf(env)).toMatchObject({
      dailyBudget: { everywhere: micros, country: micros },
      costs: [{ provider: '*', prefix: '*', micros }],
    });
  });

  it('takes a budget for each country alone', () => {
    const env = { SMS_DAILY_BUDGET: 'country=20', SMS_COSTS: '*:*=1' };
    expect(limitsOf(env).dailyBudget).toEqual({ everywhere: undefined, country: 20_000_000 });
  });

  it.each([
    '-1',
    '1,5',
    '1e3',
    '€5',
    '.5',
    '0.0000001',
    '1234567890',
    '5,',
    '5country=1',
    '5,country=',
    'country=.5',
  ])('refuses %s as an amount', (text) => {
    expect(complaint({ SMS_DAILY_BUDGET: text, SMS_COSTS: '*:*=1' })).toContain('SMS_DAILY_BUDGET must be');
  });

  it.each([
    'twilio',
    'twilio=1',
    'twilio:1=0.1',
    'twilio:+1=',
    'Twilio:+1=1',
    'a:*=1,a:*=2',
    ':*=1',
    'a:*=1,',
  ])('refuses %s as costs', (text) => {
    expect(complaint({ SMS_COSTS: text })).toContain('SMS_COSTS must be a list such as');
  });

  it.each(['50', 'country=50'])(
    'says what to do about a budget of %s without what a message costs',
    (text) => {
      expect(complaint({ SMS_DAILY_BUDGET: text })).toContain(
        'SMS_DAILY_BUDGET needs SMS_COSTS, what a message costs: *:*=0.10',
      );
    },
  );
});

describe('what a message costs', () => {
  const { costs } = limitsOf({
    SMS_COSTS: 'twilio:+1=0.0083, twilio:+1876=0.2, twilio:*=0.1, vonage:+49=0.07, *:+49=0.05, *:+1=0.01',
  });

  it.each([
    ['twilio', '+12125550100', 8_300],
    ['twilio', '+18764567890', 200_000],
    ['twilio', '+4915112345678', 100_000],
    ['vonage', '+4915112345678', 70_000],
    ['vonage', '+12125550100', 10_000],
    ['webhook', '+4915112345678', 50_000],
    ['webhook', '+33612345678', 200_000],
  ])(
    'at %s to %s: the longest prefix, their own before any, the dearest when nothing fits',
    (name, to, micros) => {
      expect(smsCostOf(costs, name, to)).toBe(micros);
    },
  );

  it('is nothing when nobody has said', () => {
    expect(smsCostOf([], 'twilio', '+12125550100')).toBe(0);
  });
});

describe('a carrier in production', () => {
  const production = {
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://auth.acme.test',
    SITE_URL: 'https://acme.test',
    SMTP_URL: 'smtp://localhost',
    MAIL_FROM: 'a@acme.test',
    TRUST_PROXY: '0',
    ...productionKeys,
  };
  const limited = { SMS_COUNTRIES: 'DE', SMS_DAILY_BUDGET: '50', SMS_COSTS: '*:*=0.10' };
  const problemsOf = (env: NodeJS.ProcessEnv) => {
    try {
      readConfig(env, vendorSections);
      return [];
    } catch (error) {
      return [...(error as Error).message.matchAll(/^ {2}- (\S+ \S+ \S+)/gm)].map(([, words]) => words);
    }
  };
  const required = ['SMS_COUNTRIES is required', 'SMS_DAILY_BUDGET is required'];

  it.each<[string, NodeJS.ProcessEnv]>([
    ['Twilio', { TWILIO_ACCOUNT_SID: 'AC1', TWILIO_AUTH_TOKEN: 'token', TWILIO_FROM: '+15005550006' }],
    ['Vonage', { VONAGE_API_KEY: 'key', VONAGE_API_SECRET: 'secret', VONAGE_FROM: 'Acme' }],
    [
      'a gateway',
      {
        SMS_WEBHOOK_URL: 'https://gateway.test',
        SMS_WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 'gateway').toString('base64')}`,
      },
    ],
  ])('wants countries and a budget: %s', (_name, carrier) => {
    expect(problemsOf({ ...production, ...carrier })).toEqual(required);
    expect(problemsOf({ ...production, ...carrier, ...limited })).toEqual([]);
    expect(problemsOf({ ...production, ...carrier, ...limited, SMS_COUNTRIES: '*' })).toEqual([]);
    expect(problemsOf({ ...production, ...carrier, ...limited, SMS_COUNTRIES: '' })).toEqual([
      'SMS_COUNTRIES is required',
    ]);
    expect(problemsOf({ ...production, ...carrier, SMS_ABUSE_MODE: 'off' })).toEqual([]);
    expect(problemsOf(carrier)).toEqual([]);
  });

  it('wants neither when there is none, or when it is only half set up', () => {
    expect(problemsOf(production)).toEqual([]);
    expect(
      problemsOf({ ...production, EVENTS_SECRET: `whsec_${Buffer.alloc(24, 'events').toString('base64')}` }),
    ).toEqual([]);
  });
});
