import { randomBytes } from 'node:crypto';
import type { Challenge, Payload } from 'altcha-lib';
import { Redis } from 'ioredis';
import { AltchaVerifier } from '../../src/auth/accept/captcha/altcha.verifier.js';
import { MemorySlidingLog } from '../../src/rate-limit/memory-sliding-log.storage.js';
import { RedisSlidingLog } from '../../src/rate-limit/redis-sliding-log.storage.js';
import type { SlidingLogStorage } from '../../src/rate-limit/sliding-log.storage.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { altchaToken, solveAltcha } from '../support/altcha.js';
import { testHash } from '../support/hash.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { TestClock } from '../support/test-clock.js';

const payloadOf = (token: string) => JSON.parse(Buffer.from(token, 'base64').toString()) as Payload;

let clock: TestClock;

function create(storage: SlidingLogStorage = new MemorySlidingLog(clock), hash = testHash): AltchaVerifier {
  return new AltchaVerifier(clock, storage, hash, 2);
}

beforeEach(() => {
  clock = new TestClock();
});

describe('a challenge', () => {
  it('says what to do, until when, and is signed', async () => {
    const { parameters, signature } = await create().issue();
    expect(parameters).toMatchObject({
      algorithm: 'PBKDF2/SHA-256',
      cost: 2,
      keyLength: 32,
      keyPrefix: '00',
    });
    expect(parameters.expiresAt).toBe(Math.floor((clock.now() + 300_000) / 1000));
    expect(signature).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is another one each time', async () => {
    const verifier = create();
    const nonces = await Promise.all(
      Array.from({ length: 50 }, async () => (await verifier.issue()).parameters.nonce),
    );
    expect(new Set(nonces).size).toBe(50);
  });

  it('takes work: of 100 guesses that were not worked for none is good', async () => {
    const verifier = create();
    for (let counter = 0; counter < 100; counter++) {
      const challenge = await verifier.issue();
      const solution = { counter, derivedKey: `00${randomBytes(31).toString('hex')}` };
      expect(await verifier.verify(altchaToken({ challenge, solution }))).toBe(false);
    }
  });
});

describe('a solution', () => {
  it.each<[string, (challenge: Challenge) => Challenge]>([
    ['that was made easier', (c) => ({ ...c, parameters: { ...c.parameters, cost: 1 } })],
    ['with a shorter prefix', (c) => ({ ...c, parameters: { ...c.parameters, keyPrefix: '0' } })],
    ['that lives longer', (c) => ({ ...c, parameters: { ...c.parameters, expiresAt: 9_999_999_999 } })],
    ['with another nonce', (c) => ({ ...c, parameters: { ...c.parameters, nonce: 'ab'.repeat(16) } })],
    ['with one more parameter', (c) => ({ ...c, parameters: { ...c.parameters, data: { again: 1 } } })],
  ])('of a challenge %s is refused', async (_what, tamper) => {
    const verifier = create();
    const challenge = tamper(await verifier.issue());
    expect(await verifier.verify(await solveAltcha(challenge))).toBe(false);
  });

  it('of a challenge without our signature is refused', async () => {
    const verifier = create();
    const foreign = create(undefined, new KeyedHash(randomBytes(32)));
    expect(await verifier.verify(await solveAltcha(await foreign.issue()))).toBe(false);
    const { parameters } = await verifier.issue();
    expect(await verifier.verify(await solveAltcha({ parameters }))).toBe(false);
  });

  it.each<[string, (payload: Payload) => unknown]>([
    ['no solution', ({ challenge }) => ({ challenge })],
    ['no challenge', ({ solution }) => ({ solution })],
    [
      'null as its parameters',
      ({ challenge, solution }) => ({ challenge: { ...challenge, parameters: null }, solution }),
    ],
    [
      'a list as its signature',
      ({ challenge, solution }) => ({ challenge: { ...challenge, signature: [] }, solution }),
    ],
    ['words as its numbers', ({ challenge }) => ({ challenge, solution: { counter: 'x', derivedKey: 7 } })],
    [
      'another counter',
      ({ challenge, solution }) => ({ challenge, solution: { ...solution, counter: solution.counter + 1 } }),
    ],
  ])('with %s is refused', async (_what, damage) => {
    const verifier = create();
    const token = await solveAltcha(await verifier.issue());
    expect(await verifier.verify(altchaToken(damage(payloadOf(token))))).toBe(false);
    // Whatever was tried with it, the challenge itself is not used up.
    expect(await verifier.verify(token)).toBe(true);
  });

  it('uses its challenge up, for other solutions and other spellings too', async () => {
    const verifier = create();
    const challenge = await verifier.issue();
    const token = await solveAltcha(challenge);
    expect(await verifier.verify(token)).toBe(true);
    const another = await solveAltcha(challenge, payloadOf(token).solution.counter + 1);
    expect(another).not.toBe(token);
    expect(await verifier.verify(another)).toBe(false);
    const { solution } = payloadOf(token);
    expect(await verifier.verify(altchaToken({ more: 1, solution, challenge }))).toBe(false);
    expect(await verifier.verify(` ${token}`)).toBe(false);
  });

  it('is good, once, while the key of its challenge is known, whichever key is the current one', async () => {
    const [old, next] = [randomBytes(32), randomBytes(32)];
    const storage = new MemorySlidingLog(clock);
    const before = create(storage, new KeyedHash(old, next));
    const after = create(storage, new KeyedHash(next, old));
    const dropped = create(storage, new KeyedHash(next));
    const [early, late] = [await before.issue(), await after.issue()];
    const token = await solveAltcha(early);
    expect(await dropped.verify(token)).toBe(false);
    expect(await after.verify(token)).toBe(true);
    expect(await after.verify(token)).toBe(false);
    expect(await before.verify(await solveAltcha(late))).toBe(true);
  });

  it('is not good again at the moment in which its challenge expires', async () => {
    const verifier = create();
    const token = await solveAltcha(await verifier.issue());
    expect(await verifier.verify(token)).toBe(true);
    for (let seconds = 0; seconds < 310; seconds++) {
      clock.advance(1_000);
      expect(await verifier.verify(token)).toBe(false);
    }
  });
});

describeWithRedis('two instances that share a Redis', () => {
  it('take a solution of either once', async () => {
    const server = await RedisServer.start();
    const redis = new Redis(server.url);
    try {
      const [one, other] = [0, 1].map(() => create(new RedisSlidingLog(redis, clock)));
      const token = await solveAltcha(await one!.issue());
      const verdicts = await Promise.all([one, other, one, other].map((each) => each!.verify(token)));
      expect(verdicts.filter(Boolean)).toHaveLength(1);
      expect(await other!.verify(token)).toBe(false);
    } finally {
      redis.disconnect();
      await server.stop();
    }
  });
});
