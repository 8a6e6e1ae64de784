import { type Cluster, Redis } from 'ioredis';
import { MemorySlidingLog } from '../../src/rate-limit/memory-sliding-log.storage.js';
import { createRedisConnection, RedisSlidingLog } from '../../src/rate-limit/redis-sliding-log.storage.js';
import { ResilientSlidingLog } from '../../src/rate-limit/resilient-sliding-log.storage.js';
import type { SlidingLogStorage } from '../../src/rate-limit/sliding-log.storage.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { TestClock } from '../support/test-clock.js';

const minutes = 60_000;
const window = 5 * minutes;

function describeSlidingLog(expectedState: string, create: (clock: TestClock) => SlidingLogStorage): void {
  let clock: TestClock;
  let storage: SlidingLogStorage;
  /** Whether "3 in 5 minutes" admits a request now. */
  const admits = async (key = 'a', name = 'email', limit = 3) =>
    !(await storage.increment(key, window, limit, 0, name)).isBlocked;

  beforeEach(() => {
    clock = new TestClock();
    storage = create(clock);
  });

  it('says where it counts', () => {
    expect(storage.state()).toBe(expectedState);
  });

  it('admits a burst up to the limit and refuses the next, saying what is left and when', async () => {
    const slot = { timeToExpire: 300, isBlocked: false, timeToBlockExpire: 0 };
    expect(await storage.increment('a', window, 3, 0, 'email')).toEqual({ ...slot, totalHits: 1 });
    expect(await storage.increment('a', window, 3, 0, 'email')).toEqual({ ...slot, totalHits: 2 });
    expect(await storage.increment('a', window, 3, 0, 'email')).toEqual({ ...slot, totalHits: 3 });
    expect(await storage.increment('a', window, 3, 0, 'email')).toEqual({
      totalHits: 4,
      timeToExpire: 300,
      isBlocked: true,
      timeToBlockExpire: 300,
    });
  });

  it('refuses one millisecond before a request leaves the window and admits at the very moment', async () => {
    expect(await admits('a', 'email', 1)).toBe(true);
    clock.advance(window - 1);
    expect(await admits('a', 'email', 1)).toBe(false);
    clock.advance(1);
    expect(await admits('a', 'email', 1)).toBe(true);
  });

  it('grants no second quota at the edge of a window', async () => {
    clock.advance(window - 2);
    expect([await admits(), await admits(), await admits()]).toEqual([true, true, true]);
    clock.advance(4);
    expect(await admits()).toBe(false);
  });

  it('frees one slot for each request that leaves', async () => {
    for (const pause of [0, 1 * minutes, 2 * minutes]) {
      clock.advance(pause);
      expect(await admits()).toBe(true);
    }
    clock.advance(2 * minutes - 1);
    expect(await admits()).toBe(false);
    clock.advance(1);
    expect([await admits(), await admits()]).toEqual([true, false]);
    clock.advance(1 * minutes);
    expect([await admits(), await admits()]).toEqual([true, false]);
  });

  it('does not prolong the wait of somebody who keeps asking', async () => {
    for (let i = 0; i < 3; i++) await admits();
    for (let elapsed = 0; elapsed < window - 1_000; elapsed += 1_000) {
      clock.advance(1_000);
      expect(await admits()).toBe(false);
    }
    clock.advance(1_000);
    expect(await admits()).toBe(true);
  });

  it('tells whole seconds, rounded up, after which a slot really is free', async () => {
    await admits('a', 'email', 1);
    clock.advance(1);
    const { timeToBlockExpire } = await storage.increment('a', window, 1, 0, 'email');
    expect(timeToBlockExpire).toBe(300);
    clock.advance(window - 2);
    expect(await storage.increment('a', window, 1, 0, 'email')).toMatchObject({ timeToBlockExpire: 1 });
    clock.advance(1);
    expect(await admits('a', 'email', 1)).toBe(true);
  });

  it('ignores a block duration: whoever is refused waits for a slot and no longer', async () => {
    await storage.increment('a', window, 1, 60 * minutes, 'email');
    expect(await storage.increment('a', window, 1, 60 * minutes, 'email')).toMatchObject({
      timeToBlockExpire: 300,
    });
  });

  it('keeps names and keys apart', async () => {
    for (let i = 0; i < 4; i++) await admits('a', 'email');
    expect(await admits('a', 'sms')).toBe(true);
    expect(await admits('b', 'email')).toBe(true);
    expect(await admits('a', 'email')).toBe(false);
  });

  it('admits exactly the limit out of 50 simultaneous requests', async () => {
    const decisions = await Promise.all(Array.from({ length: 50 }, () => admits()));
    expect(decisions.filter(Boolean)).toHaveLength(3);
  });

  it('admits nobody early when the clock is set back', async () => {
    for (let i = 0; i < 3; i++) await admits();
    clock.advance(-10_000);
    expect(await admits()).toBe(false);
    clock.advance(10_000 + window - 1);
    expect(await admits()).toBe(false);
    clock.advance(1);
    expect(await admits()).toBe(true);
  });

  it('waits, after the limit has been lowered, until so many have left that one more fits', async () => {
    for (let i = 0; i < 3; i++) {
      expect(await admits()).toBe(true);
      clock.advance(1 * minutes);
    }
    expect(await storage.increment('a', window, 2, 0, 'email')).toMatchObject({
      isBlocked: true,
      timeToBlockExpire: 180,
    });
    clock.advance(3 * minutes - 1);
    expect(await admits('a', 'email', 2)).toBe(false);
    clock.advance(1);
    expect([await admits('a', 'email', 2), await admits('a', 'email', 2)]).toEqual([true, false]);
  });

  it('keeps a log of thousands as exactly as one of three', async () => {
    const step = 400;
    const perWindow = window / step;
    for (let i = 0; i < 2 * perWindow; i++) {
      expect(await admits('a', 'ip', 500)).toBe(i % perWindow < 500);
      clock.advance(step);
    }
  });
}

describe('MemorySlidingLog', () => {
  describeSlidingLog('memory', (clock) => new MemorySlidingLog(clock));
});

describeWithRedis('the sliding log in Redis', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url).setMaxListeners(50);
  });
  afterEach(() => redis.flushall());
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  describe('RedisSlidingLog', () => {
    describeSlidingLog('redis', (clock) => new RedisSlidingLog(redis, clock));
  });

  describe('ResilientSlidingLog', () => {
    describeSlidingLog(
      'redis',
      (clock) =>
        new ResilientSlidingLog(redis, new RedisSlidingLog(redis, clock), new MemorySlidingLog(clock)),
    );
  });
});

describeWithRedis('the sliding log in a Redis Cluster', () => {
  let cluster: RedisCluster;
  let connection: Cluster;

  beforeAll(async () => {
    cluster = await RedisCluster.start(3);
    connection = createRedisConnection(cluster.url) as Cluster;
    await connection.connect();
  });
  afterEach(() => Promise.all(connection.nodes('master').map((node) => node.flushall())));
  afterAll(async () => {
    connection.disconnect();
    await cluster.stop();
  });

  describeSlidingLog('redis', (clock) => new RedisSlidingLog(connection, clock));
});
