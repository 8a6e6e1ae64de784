import { Redis } from 'ioredis';
import { RedisSlidingLog } from '../../src/rate-limit/redis-sliding-log.storage.js';
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
    const storage = new RedisSlidingLog(redis);
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
    const storage = new RedisSlidingLog(redis);
    const decisions = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        if (i % 10 === 0) void redis.script('FLUSH');
        return storage.increment('a', window, 3, 0, 'email');
      }),
    );
    expect(decisions.filter(({ isBlocked }) => !isBlocked)).toHaveLength(3);
  });

  it('sends the hash of the script, not the script', async () => {
    const storage = new RedisSlidingLog(redis);
    await storage.increment('a', window, 100, 0, 'email');
    await redis.config('RESETSTAT');
    for (let i = 0; i < 10; i++) await storage.increment('a', window, 100, 0, 'email');
    const stats = await redis.info('commandstats');
    expect(stats).toContain('cmdstat_evalsha:calls=10');
    expect(stats).not.toContain('cmdstat_eval:');
  });

  it('lets every key expire one window after its newest admission, and no refusal prolongs that', async () => {
    const storage = new RedisSlidingLog(redis);
    await storage.increment('a', window, 1, 0, 'email');
    const [key] = await redis.keys('*');
    expect(key).toBe('strike-auth:limit:email:a');
    expect(await redis.pttl(key!)).toBeGreaterThan(window - 5_000);
    expect(await redis.pttl(key!)).toBeLessThanOrEqual(window);
    await redis.pexpire(key!, 30_000);
    await storage.increment('a', window, 1, 0, 'email');
    expect(await redis.pttl(key!)).toBeLessThanOrEqual(30_000);
  });

  it('leaves nothing behind once the window is over', async () => {
    const storage = new RedisSlidingLog(redis);
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
    // Over more than a second, so that it has microseconds of every length.
    const storage = new RedisSlidingLog(redis);
    const end = (await timeOf()) + 1_100;
    for (let before = await timeOf(); before < end; before = await timeOf()) {
      await storage.increment('a', window, 1_000_000, 0, 'email');
      const after = await timeOf();
      const admittedAt = Number(await redis.lindex('strike-auth:limit:email:a', -1));
      expect(admittedAt).toBeGreaterThanOrEqual(before);
      expect(admittedAt).toBeLessThanOrEqual(after);
    }
  });

  it('keeps two requests of the same millisecond apart', async () => {
    const clock = { now: () => 1_700_000_000_000 };
    const storage = new RedisSlidingLog(redis, clock);
    await storage.increment('a', window, 3, 0, 'email');
    await storage.increment('a', window, 3, 0, 'email');
    expect(await redis.lrange('strike-auth:limit:email:a', 0, -1)).toEqual([
      '1700000000000',
      '1700000000000',
    ]);
  });

  describe('while the hashing key is changed, and a key has two names', () => {
    const time = { now: () => 1_700_000_000_000 };
    const [before, after, both] = ['a', 'b', 'b,a'];
    const admits = async (key: string) =>
      !(await new RedisSlidingLog(redis, time).increment(key, window, 3, 0, 'email')).isBlocked;
    const lengths = async () => [
      await redis.llen('strike-auth:limit:email:a'),
      await redis.llen('strike-auth:limit:email:b'),
    ];

    it.each([
      ['previous', before],
      ['next', after],
    ])('counts what instances admit that know only the %s one', async (_which, one) => {
      expect([await admits(one), await admits(both), await admits(one)]).toEqual([true, true, true]);
      expect([await admits(both), await admits(one)]).toEqual([false, false]);
    });

    it('records a refused request under neither name, whichever of them has no room', async () => {
      for (const full of [before, after]) {
        await redis.flushall();
        for (let i = 0; i < 3; i++) await admits(full);
        for (let i = 0; i < 5; i++) expect(await admits(both)).toBe(false);
        expect((await lengths()).sort()).toEqual([0, 3]);
      }
    });

    it('tells what is left by the log that has the fewest left', async () => {
      for (const other of [before, after]) {
        await redis.flushall();
        await admits(other);
        const storage = new RedisSlidingLog(redis, time);
        expect(await storage.increment(both, window, 3, 0, 'email')).toMatchObject({ totalHits: 2 });
      }
    });

    it('dates a request the same under both names, so that a slot is free under both at the same moment', async () => {
      const storage = new RedisSlidingLog(redis);
      for (let i = 0; i < 3; i++) await storage.increment(both, window, 3, 0, 'email');
      const times = await redis.lrange('strike-auth:limit:email:a', 0, -1);
      expect(times).toHaveLength(3);
      expect(await redis.lrange('strike-auth:limit:email:b', 0, -1)).toEqual(times);
    });

    it('admits exactly the limit to a hundred that come at once with the names in either order', async () => {
      const decisions = await Promise.all(
        Array.from({ length: 100 }, (_, i) => admits(i % 2 === 0 ? 'a,b' : 'b,a')),
      );
      expect(decisions.filter(Boolean)).toHaveLength(3);
    });
  });
});
