import { Redis } from 'ioredis';
import { RedisSlidingLog } from '../../src/auth/accept/throttling/redis-sliding-log.storage.js';
import { KeyedHash } from '../../src/keyed-hash.js';
import { nextTestHash, redisKey, rotatedTestHash, testHash } from '../support/hash.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually } from '../support/eventually.js';

const window = 60_000;

describeWithRedis('RedisSlidingLog', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    // A cluster of one: it rejects a script that touches a key which was not announced, or two slots at once.
    server = await RedisServer.startNode();
    redis = new Redis(server.url);
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await eventually('the cluster', async () =>
      String(await redis.call('CLUSTER', 'INFO')).includes('state:ok'),
    );
  });
  afterEach(() => redis.flushall());
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  it('goes on counting after SCRIPT FLUSH', async () => {
    const storage = new RedisSlidingLog(redis, testHash);
    for (const totalHits of [1, 2]) {
      await redis.script('FLUSH');
      expect(await storage.increment('a', window, 2, 0, 'email')).toMatchObject({
        totalHits,
        isBlocked: false,
      });
    }
    await redis.script('FLUSH');
    expect(await storage.increment('a', window, 2, 0, 'email')).toMatchObject({ isBlocked: true });
  });

  it('survives SCRIPT FLUSH amid simultaneous requests', async () => {
    const storage = new RedisSlidingLog(redis, testHash);
    const decisions = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        if (i % 10 === 0) void redis.script('FLUSH');
        return storage.increment('a', window, 3, 0, 'email');
      }),
    );
    expect(decisions.filter(({ isBlocked }) => !isBlocked)).toHaveLength(3);
  });

  it('sends the hash of the script, not the script', async () => {
    const storage = new RedisSlidingLog(redis, testHash);
    await storage.increment('a', window, 100, 0, 'email');
    await redis.config('RESETSTAT');
    for (let i = 0; i < 10; i++) await storage.increment('a', window, 100, 0, 'email');
    const stats = await redis.info('commandstats');
    expect(stats).toContain('cmdstat_evalsha:calls=10');
    expect(stats).not.toContain('cmdstat_eval:');
  });

  it('lets every key expire one window after its newest admission, and no refusal prolongs that', async () => {
    const storage = new RedisSlidingLog(redis, testHash);
    await storage.increment('a', window, 1, 0, 'email');
    const [key] = await redis.keys('*');
    expect(key).toBe(redisKey('a'));
    expect(await redis.pttl(key!)).toBeGreaterThan(window - 5_000);
    expect(await redis.pttl(key!)).toBeLessThanOrEqual(window);
    await redis.pexpire(key!, 30_000);
    await storage.increment('a', window, 1, 0, 'email');
    expect(await redis.pttl(key!)).toBeLessThanOrEqual(30_000);
  });

  it('shows Redis keyed hashes and no addresses', async () => {
    const storage = new RedisSlidingLog(redis, testHash);
    const addresses = ['user@example.com', '+1234567890', '192.0.2.1'];
    for (const address of addresses) await storage.increment(`resend:${address}`, window, 3, 0, 'email');
    await storage.increment(`resend:${addresses[0]}`, window, 3, 0, 'sms');
    const keys = await redis.keys('*');
    expect(new Set(keys).size).toBe(4);
    for (const key of keys) expect(key).toMatch(/^strike-auth:limit:(email|sms):[\w-]{22}$/);
  });

  it('leaves nothing behind once the window is over', async () => {
    const storage = new RedisSlidingLog(redis, testHash);
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => storage.increment(`key ${i}`, 100, 3, 0, 'email')),
    );
    await eventually('an empty Redis', async () => (await redis.dbsize()) === 0);
  });

  it('takes the time from the server', async () => {
    const timeOf = async () => {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    };
    const before = await timeOf();
    await new RedisSlidingLog(redis, testHash).increment('a', window, 3, 0, 'email');
    const after = await timeOf();
    const admittedAt = Number(await redis.lindex(redisKey('a'), 0));
    expect(admittedAt).toBeGreaterThanOrEqual(before);
    expect(admittedAt).toBeLessThanOrEqual(after);
  });

  it('keeps two requests of the same millisecond apart', async () => {
    const clock = { now: () => 1_700_000_000_000 };
    const storage = new RedisSlidingLog(redis, testHash, clock);
    await storage.increment('a', window, 3, 0, 'email');
    await storage.increment('a', window, 3, 0, 'email');
    expect(await redis.lrange(redisKey('a'), 0, -1)).toEqual(['1700000000000', '1700000000000']);
  });

  describe('while the hashing key is changed', () => {
    const time = { now: () => 1_700_000_000_000 };
    const before = () => new RedisSlidingLog(redis, testHash, time);
    const both = () => new RedisSlidingLog(redis, rotatedTestHash, time);
    const after = () => new RedisSlidingLog(redis, nextTestHash, time);
    const admits = async (storage: RedisSlidingLog) =>
      !(await storage.increment('a', window, 3, 0, 'email')).isBlocked;

    it('counts what was admitted under the previous key, and what instances that know only that one admit', async () => {
      expect([await admits(before()), await admits(both()), await admits(before())]).toEqual([
        true,
        true,
        true,
      ]);
      expect([await admits(both()), await admits(before())]).toEqual([false, false]);
    });

    it('is counted by instances that know only the next key', async () => {
      expect([await admits(both()), await admits(after()), await admits(both())]).toEqual([true, true, true]);
      expect([await admits(both()), await admits(after())]).toEqual([false, false]);
    });

    it('records a refused request under neither key, whichever of them has no room', async () => {
      for (const full of [before(), after()]) {
        await redis.flushall();
        for (let i = 0; i < 3; i++) await admits(full);
        for (let i = 0; i < 5; i++) expect(await admits(both())).toBe(false);
        const lengths = [await redis.llen(redisKey('a')), await redis.llen(redisKey('a', nextTestHash))];
        expect(lengths.sort()).toEqual([0, 3]);
      }
    });

    it('tells what is left by the log that has the fewest left', async () => {
      for (const other of [before(), after()]) {
        await redis.flushall();
        await admits(other);
        expect(await both().increment('a', window, 3, 0, 'email')).toMatchObject({ totalHits: 2 });
      }
    });

    it('dates a request the same under both keys, so that a slot is free under both at the same moment', async () => {
      const storage = new RedisSlidingLog(redis, rotatedTestHash);
      for (let i = 0; i < 3; i++) await storage.increment('a', window, 3, 0, 'email');
      const times = await redis.lrange(redisKey('a'), 0, -1);
      expect(times).toHaveLength(3);
      expect(await redis.lrange(redisKey('a', nextTestHash), 0, -1)).toEqual(times);
    });

    it('admits exactly the limit to a hundred that come at once to instances with either key current', async () => {
      const stillBefore = new RedisSlidingLog(redis, new KeyedHash(Buffer.alloc(32, 7), Buffer.alloc(32, 8)));
      const connection = redis.duplicate();
      const alreadyAfter = new RedisSlidingLog(connection, rotatedTestHash);
      const decisions = await Promise.all(
        Array.from({ length: 100 }, (_, i) => admits(i % 2 === 0 ? stillBefore : alreadyAfter)),
      );
      connection.disconnect();
      expect(decisions.filter(Boolean)).toHaveLength(3);
    });
  });
});
