import { SmsPrefixEntity } from '../../src/auth/sms-abuse/prefix-credit.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';
import { admit, refusalOf, smsAllowance } from '../support/sms-allowance.js';
import { TestClock } from '../support/test-clock.js';

const minutes = 60_000;
const probeMs = 15 * minutes;
/** The defaults: 30 codes, each verified one pays for 5, a probe every 15 minutes. */
const defaults = { SMS_DAILY_PER_NUMBER: '0' };
const freeCodes = 30;
/** Six people a minute in a block of 10,000 numbers: a very popular service. */
const meanPauseMs = 10_000;

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe.each(databaseKinds)('The credit of a prefix on %s', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    clock = new TestClock();
    await database.dataSource.getRepository(SmsPrefixEntity).clear();
  });

  const allowing = (env: Record<string, string> = {}) =>
    smsAllowance(database, clock, { ...defaults, ...env }).allowance;
  /** Numbers of one prefix, +49151123. */
  const attacked = (i: number) => `+4915112${300_000 + (i % 100_000)}`;
  /** Numbers of another, +49170123. */
  const ordinary = (i: number) => `+4917012${300_000 + (i % 100_000)}`;

  async function sentOf(count: number, everyMs: number, to: (i: number) => string): Promise<number> {
    const allowance = allowing();
    let sent = 0;
    for (let i = 0; i < count; i++) {
      if ((await refusalOf(allowance, to(i))) === null) sent++;
      clock.advance(everyMs);
    }
    return sent;
  }

  it('cuts one whose codes nobody verifies after 30, each to another number', async () => {
    expect(await sentOf(100, 1, attacked)).toBe(freeCodes);
    expect(await admit(allowing(), attacked(101))).toEqual({
      refusal: { status: 'dropped', reason: 'prefix_cut' },
    });
    expect(await refusalOf(allowing(), ordinary(1))).toBeNull();
  });

  it('cuts it after 30 also when they are asked for at once, of several instances', async () => {
    const instances = [allowing(), allowing(), allowing()];
    const reasons = await Promise.all(
      Array.from({ length: 50 }, (_, i) => refusalOf(instances[i % 3]!, attacked(i))),
    );
    expect(reasons.filter((reason) => reason === null)).toHaveLength(freeCodes);
  });

  it('lets one probe through in 15 minutes, to the millisecond', async () => {
    const allowance = allowing();
    for (let i = 0; i < freeCodes; i++) await admit(allowance, attacked(i));
    for (let probe = 0; probe < 3; probe++) {
      clock.advance(probeMs - 1);
      expect(await refusalOf(allowance, attacked(50))).toBe('prefix_cut');
      clock.advance(1);
      expect(await refusalOf(allowance, attacked(51))).toBeNull();
      expect(await refusalOf(allowance, attacked(52))).toBe('prefix_cut');
    }
  });

  it('costs an attacker who keeps at it for a day 30 codes and the probes', async () => {
    const sent = await sentOf(24 * 12, 5 * minutes, attacked);
    expect(sent).toBeGreaterThanOrEqual(freeCodes + 24 * 4 - 1);
    expect(sent).toBeLessThanOrEqual(freeCodes + 24 * 4);
  });

  it('opens one that is cut when a probe is verified, for as many codes as one verified code pays for', async () => {
    const allowance = allowing();
    for (let i = 0; i < freeCodes; i++) await admit(allowance, attacked(i));
    clock.advance(probeMs);
    expect(await refusalOf(allowance, attacked(40))).toBeNull();
    await allowance.verified(attacked(40));
    expect(await sentOf(20, 1, attacked)).toBe(5);
  });

  it('keeps credit up to five times the 30, which wears off', async () => {
    const allowance = allowing();
    for (let i = 0; i < 100; i++) await allowance.verified(ordinary(i));
    const [row] = await database.dataSource.getRepository(SmsPrefixEntity).find();
    expect(Number(row?.debtMs)).toBe(-5 * freeCodes * probeMs);
    clock.advance(100 * probeMs);
    expect(await sentOf(200, 0, ordinary)).toBe(50 + freeCodes);
  });

  it('forgives what the provider refused', async () => {
    const allowance = allowing();
    for (let i = 0; i < 100; i++) {
      const admission = await admit(allowance, attacked(i));
      expect(admission.refusal).toBeNull();
      await allowance.settle(admission, [{ provider: 'webhook', outcome: 'permanent' }]);
    }
  });

  /** How many are refused of so many people of one prefix, of whom every second verifies, 10 to 90 seconds later. */
  async function refusedOf(
    people: number,
    seed: number,
    alongside: (clock: TestClock) => Promise<void> = () => Promise.resolve(),
  ): Promise<number> {
    const random = randomFrom(seed);
    const own = new TestClock();
    const { allowance } = smsAllowance(database, own, defaults);
    const verifying = new Map<string, number>();
    let refused = 0;
    for (let i = 0; i < people; i++) {
      own.advance(Math.ceil(-Math.log(1 - random()) * meanPauseMs));
      for (const [number, at] of verifying) {
        if (at > own.now()) continue;
        verifying.delete(number);
        await allowance.verified(number);
      }
      const number = `+49170${100 + seed}${10_000 + i}`;
      if ((await refusalOf(allowance, number)) !== null) refused++;
      else if (random() < 0.5) verifying.set(number, own.now() + 10_000 + random() * 80_000);
      await alongside(own);
    }
    return refused;
  }

  it('cuts the attacked prefix and not the ordinary one under the same load', async () => {
    let asked = 0;
    let sent = 0;
    const start = new TestClock().now();
    let end = start;
    const attack = async (own: TestClock) => {
      end = own.now();
      const { allowance } = smsAllowance(database, own, defaults);
      if ((await refusalOf(allowance, attacked(asked++))) === null) sent++;
    };
    expect(await refusedOf(200, 1, attack)).toBe(0);
    expect(sent).toBeGreaterThanOrEqual(freeCodes);
    expect(sent).toBeLessThanOrEqual(freeCodes + Math.ceil((end - start) / probeMs));
  });

  it('never cuts a new prefix half of whose codes are verified, whoever they are', async () => {
    const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
    const refused = await Promise.all(seeds.map((seed) => refusedOf(80, seed)));
    expect(seeds.filter((_, i) => refused[i] !== 0)).toEqual([]);
  });
});
