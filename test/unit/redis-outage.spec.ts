import { setImmediate } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { MemorySlidingLog } from '../../src/rate-limit/memory-sliding-log.storage.js';
import { createRedisConnection, RedisSlidingLog } from '../../src/rate-limit/redis-sliding-log.storage.js';
import { ResilientSlidingLog } from '../../src/rate-limit/resilient-sliding-log.storage.js';
import type { SlidingLogRecord } from '../../src/rate-limit/sliding-log.storage.js';
import { SystemClock } from '../../src/platform/clock.js';
import { eventually } from '../support/eventually.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';

const window = 60_000;
const usualTimeoutMs = 250;
const judges = 5;
/** So much that a busy machine is not taken for a Redis that is away, in milliseconds: it still is when it is killed. */
const longTimeoutMs = 10_000;

describeWithRedis('the limiter while Redis is away', () => {
  let server: RedisServer;
  let connection: ReturnType<typeof createRedisConnection>;
  let storage: ResilientSlidingLog;
  let warn: jest.SpyInstance;
  let log: jest.SpyInstance;

  beforeEach(async () => {
    warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    log = jest.spyOn(Logger.prototype, 'log').mockImplementation();
    server = await RedisServer.start();
    connection = createRedisConnection(server.url);
    storage = limiter(longTimeoutMs);
  });
  afterEach(async () => {
    storage.onApplicationShutdown();
    await server.stop();
    jest.restoreAllMocks();
  });

  /** @param timeoutMs how long one check waits for Redis; without it, as long as in production */
  const limiter = (timeoutMs?: number) =>
    new ResilientSlidingLog(
      connection,
      new RedisSlidingLog(connection),
      new MemorySlidingLog(new SystemClock()),
      timeoutMs,
    );
  const increment = (key: string, limit = 3) => storage.increment(key, window, limit, 0, 'email');
  const comesBack = () => eventually('the return to Redis', () => storage.state() === 'redis');

  /**
   * The decision, and whether it came in time. Timers of this process are the judges, one after the other:
   * while the machine gives the process no time at all, no more than one of them runs out.
   */
  async function timed(key: string, limit = 3) {
    let left = judges;
    let judge: NodeJS.Timeout;
    const next = () => {
      judge = setTimeout(() => {
        if (--left > 0) next();
      }, usualTimeoutMs / judges);
    };
    next();
    const { isBlocked } = await increment(key, limit);
    clearTimeout(judge!);
    return { isBlocked, inTime: left > 0 };
  }

  it('counts in process when Redis is killed, and in Redis again when it is back', async () => {
    await storage.onModuleInit();
    await increment('a');
    await comesBack();

    await server.kill();
    for (let i = 0; i < 10; i++) {
      expect(await timed('a')).toEqual({ isBlocked: i >= 2, inTime: true });
    }
    expect((await increment('b')).isBlocked).toBe(false);
    expect(storage.state()).toBe('memory-fallback');

    await server.restart();
    await comesBack();
    expect((await increment('c')).isBlocked).toBe(false);
    expect(await connection.exists('strike-auth:limit:email:c')).toBe(1);
  });

  it('grants no new quota when Redis comes back empty', async () => {
    await storage.onModuleInit();
    for (let i = 0; i < 3; i++) await increment('a');
    await server.kill();
    expect((await increment('a')).isBlocked).toBe(true);
    expect((await increment('during', 1)).isBlocked).toBe(false);
    await server.restart();
    await comesBack();
    expect((await increment('a')).isBlocked).toBe(true);
    expect((await increment('during', 1)).isBlocked).toBe(true);
  });

  it('admits exactly the limit under load while Redis is killed and restarted', async () => {
    storage = limiter();
    await storage.onModuleInit();
    const asksPerKey = 5;
    const admissions = new Map<string, number>();
    let asked = 0;
    let late = 0;
    let running = true;
    const clients = Array.from({ length: 20 }, async () => {
      while (running || asked % asksPerKey !== 0) {
        const key = `key ${Math.floor(asked++ / asksPerKey)}`;
        const { isBlocked, inTime } = await timed(key, 3);
        admissions.set(key, (admissions.get(key) ?? 0) + (isBlocked ? 0 : 1));
        if (!inTime) late++;
        await setImmediate();
      }
    });
    const moreLoad = () => {
      const before = asked;
      return eventually('more load', () => asked > before + 500);
    };
    for (let i = 0; i < 2; i++) {
      await moreLoad();
      await server.kill();
      await eventually('the switch', () => storage.state() === 'memory-fallback');
      await moreLoad();
      await server.restart();
      await comesBack();
    }
    await moreLoad();
    running = false;
    await Promise.all(clients);
    expect(new Set(admissions.values())).toEqual(new Set([3]));
    expect(late).toBe(0);
  });

  it('answers within its timeout when Redis hangs, and returns when it goes on', async () => {
    storage = limiter();
    await storage.onModuleInit();
    await increment('a');
    server.freeze();
    const simultaneous = await Promise.all(Array.from({ length: 20 }, () => timed('a')));
    const later = await timed('a');
    expect([...simultaneous, later].filter(({ inTime }) => !inTime)).toEqual([]);
    expect(simultaneous.filter(({ isBlocked }) => !isBlocked)).toHaveLength(2);
    expect(later).toMatchObject({ isBlocked: true });
    expect(storage.state()).toBe('memory-fallback');
    server.thaw();
    await comesBack();
    expect((await increment('a')).isBlocked).toBe(true);
  });

  it('does not blame Redis when this process itself was busy', async () => {
    storage = limiter();
    await storage.onModuleInit();
    await increment('a');
    await comesBack();
    warn.mockClear();
    const decision = increment('a');
    const busyUntil = performance.now() + 2 * usualTimeoutMs;
    while (performance.now() < busyUntil);
    expect((await decision).isBlocked).toBe(false);
    expect(storage.state()).toBe('redis');
    expect(warn).not.toHaveBeenCalled();
  });

  it('does not blame Redis when this process was busy the whole time with one thing after another', async () => {
    await storage.onModuleInit();
    let answer: (record: SlidingLogRecord) => void = () => undefined;
    const shared = { increment: () => new Promise<SlidingLogRecord>((resolve) => (answer = resolve)) };
    const late = new ResilientSlidingLog(
      connection,
      shared as unknown as RedisSlidingLog,
      new MemorySlidingLog(new SystemClock()),
    );
    const decision = late.increment('a', window, 3, 0, 'email');
    for (let i = 0; i < 25; i++) {
      const busyUntil = performance.now() + 20;
      while (performance.now() < busyUntil);
      await setImmediate();
    }
    answer({ totalHits: 2, timeToExpire: 60, isBlocked: false, timeToBlockExpire: 0 });
    expect(await decision).toMatchObject({ totalHits: 2 });
    expect(late.state()).toBe('redis');
  });

  it('gives up a connection that hangs for good, and finds the server that takes its place', async () => {
    storage = limiter();
    await storage.onModuleInit();
    server.freeze();
    await increment('a');
    await server.kill();
    await server.restart();
    await comesBack();
    expect((await increment('b')).isBlocked).toBe(false);
  });

  it('starts without Redis and finds it later', async () => {
    await server.kill();
    await storage.onModuleInit();
    expect(storage.state()).toBe('memory-fallback');
    const decisions = [await increment('a', 1), await increment('a', 1)];
    expect(decisions.map(({ isBlocked }) => isBlocked)).toEqual([false, true]);
    await server.restart();
    await comesBack();
  });

  it('says once that Redis went away and once that it is back', async () => {
    await storage.onModuleInit();
    await server.kill();
    await Promise.all(Array.from({ length: 50 }, (_, i) => increment(`key ${i}`)));
    await server.restart();
    await comesBack();
    await increment('a');
    expect(warn.mock.calls).toEqual([[expect.stringContaining('Redis is away')]]);
    expect(log.mock.calls).toEqual([[expect.stringContaining('Redis is back')]]);
  });

  it('counts in process while the server is a replica that cannot be written to', async () => {
    await storage.onModuleInit();
    const operator = new Redis(server.url);
    await operator.replicaof('127.0.0.1', 1);
    expect((await increment('a', 1)).isBlocked).toBe(false);
    expect((await increment('a', 1)).isBlocked).toBe(true);
    expect(storage.state()).toBe('memory-fallback');
    await operator.replicaof('NO', 'ONE');
    operator.disconnect();
    await comesBack();
  });

  it('shares a limit with the other instances, and gives back what Redis refuses', async () => {
    await storage.onModuleInit();
    const other = new RedisSlidingLog(connection);
    for (let i = 0; i < 2; i++) await other.increment('a', window, 3, 0, 'email');
    const decisions = await Promise.all(Array.from({ length: 10 }, () => increment('a')));
    expect(decisions.filter(({ isBlocked }) => !isBlocked)).toHaveLength(1);
    await connection.del('strike-auth:limit:email:a');
    expect((await increment('a')).isBlocked).toBe(false);
    expect((await increment('a')).isBlocked).toBe(false);
    expect((await increment('a')).isBlocked).toBe(true);
  });
});
