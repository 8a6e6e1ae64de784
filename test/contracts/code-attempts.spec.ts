import { randomBytes, randomUUID } from 'node:crypto';
import { ApiError } from '../../src/http/api-error.js';
import { CodeAttempts } from '../../src/auth/tokens/code-attempts.js';
import { SlidingLogEntity, SqlSlidingLog } from '../../src/rate-limit/sql-sliding-log.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';
import { TestClock } from '../support/test-clock.js';

const windowMs = 600_000;

describe.each(databaseKinds)('CodeAttempts on %s', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;
  let attempts: CodeAttempts;
  let someone: string;
  const key = randomBytes(32);
  const hash = new KeyedHash(key);
  const log = () => new SqlSlidingLog(database.transaction);

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(() => {
    clock = new TestClock();
    attempts = new CodeAttempts(log(), hash, clock, database.config);
    someone = `${randomUUID()}@example.com`;
  });

  const guess = () => attempts.count(someone, 'signup');

  /** The seconds to wait that the refusal names; null when the guess is let through. */
  async function refusedFor(): Promise<number | null> {
    try {
      await guess();
      return null;
    } catch (error) {
      expect(error).toBeInstanceOf(ApiError);
      const { code, status, retryAfter, details } = error as ApiError;
      expect({ code, status }).toEqual({ code: 'over_verify_limit', status: 429 });
      expect(details).toBe(`Try again in ${retryAfter} ${retryAfter === 1 ? 'second' : 'seconds'}`);
      return retryAfter ?? null;
    }
  }

  it('lets five guesses through and refuses the sixth, with the wait in seconds', async () => {
    for (let i = 0; i < 5; i += 1) {
      await guess();
      clock.advance(1_000);
    }
    expect(await refusedFor()).toBe(595);
  });

  it('frees a slot when the oldest guess leaves the window, and not a millisecond before', async () => {
    for (let i = 0; i < 5; i += 1) await guess();
    clock.advance(windowMs - 1);
    expect(await refusedFor()).toBe(1);
    clock.advance(1);
    expect(await refusedFor()).toBeNull();
  });

  it('slides: no double quota at the edge of a window', async () => {
    for (let i = 0; i < 5; i += 1) {
      await guess();
      clock.advance(60_000);
    }
    clock.advance(windowMs - 5 * 60_000);
    // Ten minutes after the first guess only the first has left.
    expect(await refusedFor()).toBeNull();
    expect(await refusedFor()).toBe(60);
  });

  it('is not prolonged by refused guesses', async () => {
    for (let i = 0; i < 5; i += 1) await guess();
    clock.advance(windowMs / 2);
    for (let i = 0; i < 20; i += 1) expect(await refusedFor()).toBe(300);
    clock.advance(windowMs / 2);
    expect(await refusedFor()).toBeNull();
  });

  it('lets exactly five of a hundred simultaneous guesses through', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, guess));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
  });

  // The embedded database has one session: there nobody else can be at the count.
  if (kind === 'postgresql') {
    it('refuses whoever has spent them without waiting for somebody who is at the same count', async () => {
      for (let i = 0; i < 5; i += 1) await guess();
      const holder = database.dataSource.createQueryRunner();
      await holder.startTransaction();
      await holder.query('SELECT FROM sliding_logs FOR UPDATE');
      try {
        expect(await refusedFor()).toBe(600);
      } finally {
        await holder.rollbackTransaction();
        await holder.release();
      }
    });
  }

  it('does not count a guess that was right, and no other of the same millisecond', async () => {
    await guess();
    const right = await guess();
    await guess();
    await attempts.forget(right);
    await attempts.forget({ ...right, at: new Date(right.at.getTime() - 1) });
    for (let i = 0; i < 3; i += 1) expect(await refusedFor()).toBeNull();
    expect(await refusedFor()).toBe(600);
  });

  it('starts over cleanly when the only guess was right', async () => {
    await attempts.forget(await guess());
    for (let i = 0; i < 5; i += 1) expect(await refusedFor()).toBeNull();
    expect(await refusedFor()).toBe(600);
  });

  it('counts each identifier and each purpose apart', async () => {
    for (let i = 0; i < 5; i += 1) await guess();
    await expect(attempts.count(someone, 'recovery')).resolves.toBeDefined();
    await expect(attempts.count('+1234567890', 'sms')).resolves.toBeDefined();
    expect(await refusedFor()).toBe(600);
  });

  describe('of a client', () => {
    const byClient = (client: string) => attempts.countOfClient(client);
    const admitted = async (client: string, guesses: number) => {
      const outcomes = await Promise.allSettled(Array.from({ length: guesses }, () => byClient(client)));
      return outcomes.filter(({ status }) => status === 'fulfilled').length;
    };
    /** Addresses of documentation, so that the two databases know them apart. */
    const site = () => `2001:db8:${Math.floor(Math.random() * 0xffff).toString(16)}`;

    it('lets thirty in ten minutes through, over all identifiers, and not one more at once', async () => {
      const client = randomUUID();
      expect(await admitted(client, 45)).toBe(30);
      await expect(byClient(client)).rejects.toMatchObject({ code: 'over_verify_limit', retryAfter: 600 });
      clock.advance(windowMs);
      expect(await admitted(client, 1)).toBe(1);
    });

    it('lets five times as many through for the /48 around the networks of IPv6', async () => {
      const network = site();
      let all = 0;
      for (let i = 0; i < 6; i += 1) all += await admitted(`${network}:${i}::/64`, 30);
      expect(all).toBe(150);
    });

    it('does not count what was right', async () => {
      const client = `${site()}:1::/64`;
      for (let i = 0; i < 40; i += 1)
        for (const right of await byClient(client)) await attempts.forget(right);
      expect(await admitted(client, 31)).toBe(30);
    });
  });

  it('keeps keyed hashes, never an address', async () => {
    await guess();
    const [row] = await database.dataSource
      .getRepository(SlidingLogEntity)
      .findBy({ key: hash.digest('code attempts', 'signup', someone) });
    expect(row?.key).toHaveLength(32);
    expect(Buffer.from(row?.key ?? []).toString('latin1')).not.toContain(someone.slice(0, 8));
  });

  describe('at the address that codes go to', () => {
    const guessThere = () => attempts.countAtRecipient(someone, 'email_change');
    const counted = async (guesses: number) => {
      const all = [];
      for (let i = 0; i < guesses; i += 1) all.push((await guessThere()) !== null);
      return all;
    };

    it('counts exactly five of a hundred simultaneous guesses', async () => {
      const guesses = await Promise.all(Array.from({ length: 100 }, guessThere));
      expect(guesses.filter((guess) => guess !== null)).toHaveLength(5);
    });

    it('slides, and is not prolonged by guesses too many', async () => {
      expect(await counted(2)).toEqual([true, true]);
      clock.advance(windowMs / 2);
      expect(await counted(5)).toEqual([true, true, true, false, false]);
      clock.advance(windowMs / 2 - 1);
      expect(await counted(1)).toEqual([false]);
      clock.advance(1);
      expect(await counted(3)).toEqual([true, true, false]);
    });

    it('writes once whether there is room or not, by one statement', async () => {
      const query = jest.spyOn(database.transaction.manager, 'query');
      expect(await counted(7)).toEqual([true, true, true, true, true, false, false]);
      expect(new Set(query.mock.calls.map(([statement]) => statement)).size).toBe(1);
      expect(query).toHaveBeenCalledTimes(7);
      query.mockRestore();
    });

    it('does not count a guess that was right', async () => {
      const right = await guessThere();
      await attempts.forget(right!);
      expect(await counted(6)).toEqual([true, true, true, true, true, false]);
    });

    it('has nothing to do with the guesses under that name', async () => {
      await counted(6);
      await expect(attempts.count(someone, 'email_change')).resolves.toBeDefined();
    });
  });

  it('begins anew after a change of the hashing key, however many keys are known', async () => {
    for (let i = 0; i < 5; i += 1) await guess();
    const [next, old] = [randomBytes(32), key];
    attempts = new CodeAttempts(log(), new KeyedHash(next, old), clock, database.config);
    for (let i = 0; i < 5; i += 1) expect(await refusedFor()).toBeNull();
    expect(await refusedFor()).toBe(600);
  });
});
