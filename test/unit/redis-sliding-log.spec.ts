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
});
