import { randomBytes, randomUUID } from 'node:crypto';
import { ApiError } from '../../src/http/api-error.js';
import { CodeAttemptEntity, CodeAttempts } from '../../src/auth/tokens/code-attempts.js';
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
  const hash = new KeyedHash(randomBytes(32));

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(() => {
    clock = new TestClock();
    attempts = new CodeAttempts(database.transaction, hash, clock, database.config);
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
      expect({ code, status }).toEqual({ code: 'over_request_rate_limit', status: 429 });
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
      await holder.query('SELECT FROM code_attempts FOR UPDATE');
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

  it('keeps keyed hashes, never an address', async () => {
    await guess();
    const [row] = await database.dataSource
      .getRepository(CodeAttemptEntity)
      .findBy({ key: hash.digest('code attempts', 'signup', someone) });
    expect(row?.key).toHaveLength(32);
    expect(Buffer.from(row?.key ?? []).toString('latin1')).not.toContain(someone.slice(0, 8));
  });

  it('sweeps away what has left the window, and nothing else', async () => {
    const repository = database.dataSource.getRepository(CodeAttemptEntity);
    await repository.clear();
    const old = new Date(clock.now() - windowMs);
    await repository.insert(
      Array.from({ length: 100 }, () => ({ key: randomBytes(32), attemptedAt: [old] })),
    );
    const everyGuessSweeps = jest.spyOn(Math, 'random').mockReturnValue(0);
    for (let i = 0; i < 60; i += 1) await attempts.count(randomUUID(), 'signup');
    everyGuessSweeps.mockRestore();
    const left = await repository.find();
    expect(left.filter(({ attemptedAt }) => attemptedAt[0]?.getTime() === clock.now())).toHaveLength(60);
    // Each sweep takes a stretch at random, so a few may not have had their turn.
    expect(left.length).toBeLessThan(60 + 20);
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

    it('grants nobody more guesses while the hashing key is changed', async () => {
      const [old, next] = [randomBytes(32), randomBytes(32)];
      const countedBy = (...keys: [Buffer, ...Buffer[]]) =>
        new CodeAttempts(database.transaction, new KeyedHash(...keys), clock, database.config);
      const steps = [countedBy(old), countedBy(old, next), countedBy(next, old), countedBy(next)];
      for (const [index, later] of steps.slice(1).entries()) {
        someone = `${randomUUID()}@example.com`;
        let through = 0;
        for (let i = 0; i < 5; i += 1)
          for (const counter of [steps[index]!, later])
            if (await counter.countAtRecipient(someone, 'email_change')) through += 1;
        expect(through).toBe(5);
      }
    });
  });

  describe('while the hashing key is changed', () => {
    const [old, next] = [randomBytes(32), randomBytes(32)];
    const countedBy = (...keys: [Buffer, ...Buffer[]]) =>
      new CodeAttempts(database.transaction, new KeyedHash(...keys), clock, database.config);
    const before = () => countedBy(old);
    const announcing = () => countedBy(old, next);
    const rotated = () => countedBy(next, old);
    const after = () => countedBy(next);

    /** How many of so many guesses each are let through, one after the other. */
    async function letThrough(guesses: number, ...counters: CodeAttempts[]): Promise<number> {
      let through = 0;
      for (let i = 0; i < guesses; i += 1) {
        for (const counter of counters) {
          await counter.count(someone, 'signup').then(
            () => (through += 1),
            (error: unknown) => expect(error).toMatchObject({ status: 429 }),
          );
        }
      }
      return through;
    }

    it('still counts the guesses that were made before', async () => {
      expect(await letThrough(3, before())).toBe(3);
      expect(await letThrough(5, rotated())).toBe(2);
    });

    it.each([
      ['the old key only and both', () => [before(), rotated()]],
      ['both, with either of them current', () => [announcing(), rotated()]],
      ['both and the new key only', () => [rotated(), after()]],
    ])('grants nobody more guesses when instances know %s', async (_who, instances) => {
      expect(await letThrough(5, ...instances())).toBe(5);
    });

    it('forgets nothing when the previous key is dropped, nor when the change is taken back', async () => {
      expect(await letThrough(5, rotated())).toBe(5);
      expect(await letThrough(5, after(), before())).toBe(0);
    });

    it('lets exactly five of a hundred simultaneous guesses through, spread over both kinds of instances', async () => {
      const counters = [announcing(), rotated()];
      const outcomes = await Promise.allSettled(
        Array.from({ length: 100 }, (_, i) => counters[i % 2]!.count(someone, 'signup')),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
      const reasons = outcomes.flatMap((it) => (it.status === 'rejected' ? [it.reason as unknown] : []));
      for (const reason of reasons) expect(reason).toBeInstanceOf(ApiError);
    });

    it('is not prolonged by a refused guess, under whichever key there is no room', async () => {
      for (const full of [before(), after()]) {
        someone = `${randomUUID()}@example.com`;
        expect(await letThrough(5, full)).toBe(5);
        clock.advance(windowMs / 2);
        expect(await letThrough(5, rotated())).toBe(0);
        await expect(rotated().count(someone, 'signup')).rejects.toMatchObject({ retryAfter: 300 });
        clock.advance(windowMs / 2);
        expect(await letThrough(5, rotated())).toBe(5);
      }
    });

    it('takes a right code out of the count under both keys', async () => {
      await rotated().forget(await rotated().count(someone, 'signup'));
      expect(await letThrough(5, before())).toBe(5);
      expect(await letThrough(5, after())).toBe(5);
    });

    it('waits for nobody in a circle', async () => {
      const counters = [announcing(), rotated()];
      const guesses = Array.from({ length: 60 }, async (_, i) => {
        const counter = counters[i % 2]!;
        const attempt = await counter.count(someone, 'signup').catch(() => null);
        if (attempt) await database.transaction.run(() => counter.forget(attempt));
      });
      await expect(Promise.all(guesses)).resolves.toHaveLength(60);
    });
  });
});
