import { randomBytes, randomUUID } from 'node:crypto';
import { ApiError } from '../../src/api-error.js';
import { CodeAttemptEntity } from '../../src/auth/tokens/code-attempt.entity.js';
import { CodeAttempts } from '../../src/auth/tokens/code-attempts.js';
import { KeyedHash } from '../../src/keyed-hash.js';
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
});
