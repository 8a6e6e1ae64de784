import { randomBytes } from 'node:crypto';
import type { SmsAllowance } from '../../src/auth/sms-abuse/sms-allowance.js';
import { SlidingLogEntity } from '../../src/rate-limit/sql-sliding-log.js';
import { SmsPrefixEntity } from '../../src/auth/sms-abuse/prefix-credit.js';
import { SmsSpendingEntity } from '../../src/auth/sms-abuse/sms-budget.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { productionKeys } from '../support/production-keys.js';
import { databaseKinds } from '../support/services.js';
import { admit, refusalOf, smsAllowance } from '../support/sms-allowance.js';
import { TestClock } from '../support/test-clock.js';

const dayMs = 86_400_000;
/** Limits none of which is in the way. */
const open = { SMS_DAILY_PER_NUMBER: '0' };
const unverifiedMax = 1_000_000;
const german = '+4915112345678';
const french = '+33612345678';

describe.each(databaseKinds)('SmsAllowance on %s', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    clock = new TestClock();
    for (const entity of [SlidingLogEntity, SmsPrefixEntity, SmsSpendingEntity])
      await database.dataSource.getRepository(entity).clear();
  });

  const instance = (env: Record<string, string>, others: Parameters<typeof smsAllowance>[3] = {}) =>
    smsAllowance(database, clock, { ...open, ...env }, { unverifiedMax, ...others });
  const allowing = (env: Record<string, string>, ...providers: string[]) =>
    instance(env, providers.length > 0 ? { providers } : {}).allowance;

  /** The number of a German mobile by its last digits, each with 10,000 numbers of one prefix at the most. */
  const numbered = (i: number) => `+4915112${String(i).padStart(6, '0')}`;

  async function spent(): Promise<Record<string, number>> {
    const rows = await database.dataSource.getRepository(SmsSpendingEntity).find();
    return Object.fromEntries(rows.map(({ scope, micros }) => [scope, Number(micros)]));
  }

  /** How many of so many messages that are asked for at once are admitted, by several instances. */
  async function admittedOf(count: number, env: Record<string, string>, to: (i: number) => string) {
    const instances = [allowing(env), allowing(env), allowing(env)];
    const admissions = await Promise.all(
      Array.from({ length: count }, (_, i) => admit(instances[i % 3]!, to(i))),
    );
    return admissions.filter(({ refusal }) => refusal === null).length;
  }

  it('lets everything pass when it is off', async () => {
    expect(
      (await admit(allowing({ SMS_ABUSE_MODE: 'off', SMS_COUNTRIES: 'AT' }), german)).refusal,
    ).toBeNull();
  });

  it('drops what goes to a country that is not allowed', async () => {
    const allowance = allowing({ SMS_COUNTRIES: 'DE' });
    expect(await admit(allowance, french)).toEqual({
      refusal: { status: 'dropped', reason: 'country_not_allowed' },
    });
    expect(await refusalOf(allowance, german)).toBeNull();
  });

  describe('a number', () => {
    const env = { SMS_DAILY_PER_NUMBER: '2' };

    it('gets so many messages in 24 hours, to the millisecond, and refused ones prolong nothing', async () => {
      const allowance = allowing(env);
      expect(await refusalOf(allowance, german)).toBeNull();
      clock.advance(dayMs / 2);
      expect(await refusalOf(allowance, german)).toBeNull();
      expect(await admit(allowance, german)).toEqual({
        refusal: { status: 'dropped', reason: 'number_daily_cap' },
      });
      clock.advance(dayMs / 2 - 1);
      expect(await refusalOf(allowance, german)).toBe('number_daily_cap');
      clock.advance(1);
      expect(await refusalOf(allowance, german)).toBeNull();
      expect(await refusalOf(allowance, german)).toBe('number_daily_cap');
      expect(await refusalOf(allowance, french)).toBeNull();
    });

    it.each([
      ['+5215512345678', '+525512345678'],
      ['+5491112345678', '+541112345678'],
      ['+49015112345678', german],
    ])('gets no more as %s and %s, which are one telephone', async (one, other) => {
      const allowance = allowing(env);
      expect(await refusalOf(allowance, one)).toBeNull();
      expect(await refusalOf(allowance, other)).toBeNull();
      for (const spelling of [one, other])
        expect(await refusalOf(allowance, spelling)).toBe('number_daily_cap');
    });

    it('gets no more when they are asked for at once', async () => {
      expect(await admittedOf(50, { SMS_DAILY_PER_NUMBER: '7' }, () => german)).toBe(7);
    });

    it.each([
      ['is not counted', 'permanent', null],
      ['is not counted', 'transient', null],
      ['is counted when its retry is sent, not before', 'unknown', null],
      ['is counted', 'sent', 'number_daily_cap'],
    ] as const)('%s a message that ended as %s', async (_counted, outcome, next) => {
      const allowance = allowing({ SMS_DAILY_PER_NUMBER: '1' });
      await allowance.settle(await admit(allowance, german), [{ provider: 'webhook', outcome }]);
      expect(await refusalOf(allowance, german)).toBe(next);
    });

    it('is kept as a keyed hash only', async () => {
      await admit(allowing(env), german);
      const rows = await database.dataSource.query<{ row: string }[]>(
        `SELECT row_to_json(sliding_logs)::text AS row FROM sliding_logs`,
      );
      expect(rows).toHaveLength(1);
      expect(rows[0]?.row).not.toContain('12345678');
      expect(rows[0]?.row).not.toContain(Buffer.from(german).toString('hex'));
    });

    it('begins anew after a change of the hashing key, however many keys are known', async () => {
      const [old, next] = [randomBytes(32), randomBytes(32)];
      const capped = { SMS_DAILY_PER_NUMBER: '1' };
      expect(await refusalOf(instance(capped, { hash: new KeyedHash(old) }).allowance, german)).toBeNull();
      const both = instance(capped, { hash: new KeyedHash(next, old) }).allowance;
      expect(await refusalOf(both, german)).toBeNull();
      expect(await refusalOf(both, german)).toBe('number_daily_cap');
    });
  });

  describe('the budget', () => {
    const costs = { SMS_COSTS: 'webhook:+49=0.07,webhook:*=0.10,dear:*=0.25' };

    it('is never exceeded, however many ask at once', async () => {
      expect(await admittedOf(50, { ...costs, SMS_DAILY_BUDGET: '0.72' }, numbered)).toBe(10);
      expect(await spent()).toEqual({ DE: 700_000, '*': 700_000 });
    });

    it('of a country is never exceeded either, and leaves the others theirs', async () => {
      const env = { ...costs, SMS_DAILY_BUDGET: '100,country=0.35' };
      const mixed = (i: number) => (i % 2 === 0 ? numbered(i) : `+3361234${String(i).padStart(4, '0')}`);
      expect(await admittedOf(50, env, mixed)).toBe(5 + 3);
      expect(await spent()).toEqual({ DE: 350_000, FR: 300_000, '*': 650_000 });
      expect(await admit(allowing(env), german)).toEqual({
        refusal: { status: 'failed', reason: 'prefix_budget_exhausted' },
      });
    });

    it('tells countries apart that share a calling code', async () => {
      const allowance = allowing({ ...costs, SMS_DAILY_BUDGET: 'country=0.10' });
      expect(await refusalOf(allowance, '+18764567890')).toBeNull();
      expect(await refusalOf(allowance, '+18764567891')).toBe('prefix_budget_exhausted');
      expect(await refusalOf(allowance, '+12125550100')).toBeNull();
    });

    it('takes nothing from any book when one refuses', async () => {
      const allowance = allowing({ ...costs, SMS_DAILY_BUDGET: '0.10', SMS_DAILY_PER_NUMBER: '1' });
      expect(await refusalOf(allowance, german)).toBeNull();
      expect(await admit(allowance, french)).toEqual({
        refusal: { status: 'failed', reason: 'budget_exhausted' },
      });
      expect(await spent()).toEqual({ DE: 70_000, '*': 70_000 });
      clock.advance(dayMs);
      expect(await refusalOf(allowance, french)).toBeNull();
    });

    it('begins anew with the day of UTC, to the millisecond', async () => {
      const allowance = allowing({ ...costs, SMS_DAILY_BUDGET: '0.10' });
      clock.advance(dayMs - (clock.now() % dayMs) - 2);
      expect(await refusalOf(allowance, german)).toBeNull();
      clock.advance(1);
      expect(await refusalOf(allowance, german)).toBe('budget_exhausted');
      clock.advance(1);
      expect(await refusalOf(allowance, german)).toBeNull();
    });

    it('reckons with the dearest who may be asked, and pays whoever was', async () => {
      const env = { ...costs, SMS_DAILY_BUDGET: '0.30' };
      const allowance = allowing(env, 'webhook', 'dear');
      const admission = await admit(allowance, german);
      expect(await spent()).toEqual({ DE: 250_000, '*': 250_000 });
      expect((await admit(allowing(env), german)).refusal?.reason).toBe('budget_exhausted');
      await allowance.settle(admission, [{ provider: 'webhook', outcome: 'sent' }]);
      expect(await spent()).toEqual({ DE: 70_000, '*': 70_000 });
    });

    it.each([
      ['gives back what a refusal did not cost', [['webhook', 'permanent']], 0],
      ['gives back what an attempt that came to nothing did not cost', [['webhook', 'transient']], 0],
      ['gives back everything when nobody was asked', [], 0],
      ['counts an unknown outcome as spent', [['webhook', 'unknown']], 70_000],
      [
        'pays only the second when the first refused',
        [
          ['webhook', 'transient'],
          ['dear', 'sent'],
        ],
        250_000,
      ],
      [
        'pays both when nobody knows about the first',
        [
          ['webhook', 'unknown'],
          ['dear', 'sent'],
        ],
        320_000,
      ],
    ] as const)('%s', async (_does, tried, expected) => {
      const allowance = allowing(costs, 'webhook', 'dear');
      const admission = await admit(allowance, german);
      await allowance.settle(
        admission,
        tried.map(([provider, outcome]) => ({ provider, outcome })),
      );
      expect(await spent()).toEqual({ DE: expected, '*': expected });
    });

    it('corrects the books of the day in which it was taken', async () => {
      const allowance = allowing(costs);
      clock.advance(dayMs - (clock.now() % dayMs) - 1);
      const late = await admit(allowance, german);
      clock.advance(1);
      await admit(allowance, german);
      await allowance.settle(late, [{ provider: 'webhook', outcome: 'permanent' }]);
      const rows = await database.dataSource
        .getRepository(SmsSpendingEntity)
        .find({ where: { scope: '*' }, order: { day: 'ASC' } });
      expect(rows.map(({ micros }) => Number(micros))).toEqual([0, 70_000]);
    });
  });

  it('sends in record-only what it would refuse, counts it, and keeps the books as if it were refused', async () => {
    const env = { SMS_DAILY_PER_NUMBER: '1', SMS_COSTS: '*:*=0.1', SMS_ABUSE_MODE: 'record-only' };
    const { allowance, metrics } = instance(env);
    for (let i = 0; i < 3; i++) {
      const admission = await admit(allowance, german);
      expect(admission.refusal).toBeNull();
      await allowance.settle(admission, [{ provider: 'webhook', outcome: 'sent' }]);
    }
    expect(await spent()).toEqual({ DE: 100_000, '*': 100_000 });
    const { values } = await metrics.smsRefusals.get();
    expect(values).toEqual([{ labels: { reason: 'number_daily_cap', mode: 'record-only' }, value: 2 }]);
  });

  it('says once in production that SMS go to every country, unless somebody said that they may', async () => {
    const production = {
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://auth.acme.test',
      SITE_URL: 'https://acme.test',
      SMTP_URL: 'smtp://localhost',
      MAIL_FROM: 'a@acme.test',
      TRUST_PROXY: '0',
      ...productionKeys,
    };
    const warningsOf = async (env: Record<string, string>) => {
      const { allowance, logLines } = instance(env);
      for (let i = 0; i < 2; i++) await admit(allowance, german);
      return logLines.filter((line) => line.includes('SMS_COUNTRIES='));
    };
    expect(await warningsOf(production)).toHaveLength(1);
    expect(await warningsOf({ ...production, SMS_COUNTRIES: '*' })).toEqual([]);
    expect(await warningsOf({})).toEqual([]);
  });

  it('does not say that a message was not sent when the books cannot be corrected', async () => {
    const { allowance, budget, credit } = instance({ SMS_COSTS: '*:*=0.1' });
    const admission = await admit(allowance, german);
    budget.correct = () => Promise.reject(new Error('the database is away'));
    credit.earn = () => Promise.reject(new Error('the database is away'));
    await expect(allowance.settle(admission, [])).resolves.toBeUndefined();
    await expect(allowance.verified(german)).resolves.toBeUndefined();
  });

  it('deadlocks nowhere when many admit, settle and verify at once', async () => {
    const env = { SMS_DAILY_PER_NUMBER: '5', SMS_COSTS: '*:*=0.1' };
    const instances = [env, env].map((own) => instance(own, { unverifiedMax: 40 }).allowance);
    const work = Array.from({ length: 80 }, async (_, i) => {
      const allowance: SmsAllowance = instances[i % 2]!;
      const to = numbered(i % 7);
      const admission = await admit(allowance, to);
      await allowance.settle(admission, [{ provider: 'webhook', outcome: i % 3 ? 'sent' : 'transient' }]);
      await allowance.verified(to);
    });
    await expect(Promise.all(work)).resolves.toHaveLength(80);
  });
});
