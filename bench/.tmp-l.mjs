// How fast the limiter's stores decide, and whether their memory stays flat.
//
//   npm run build
//   REDIS_URL=redis://127.0.0.1:6379/9 node --expose-gc bench/limiter.bench.mjs
//
// Use a Redis that nothing else uses: its memory is measured. To measure beside @nest-lab/throttler-storage-redis,
// install it in a folder of its own (its peers exclude Nest 12) and name its entry file in NEST_LAB_STORAGE.
import { createRequire } from 'node:module';
import { Redis } from 'ioredis';
import { ThrottlerStorageService } from '@nestjs/throttler';

/** @typedef {{ increment(key: string, ttl: number, limit: number, block: number, name: string): Promise<unknown> }} Store */

/** What was built has no types: this keeps the type checker out of `dist`. @param {string} path */
const built = (path) => import(new URL(`../dist/${path}`, import.meta.url).href);
const { MemorySlidingLog } = await built('rate-limit/memory-sliding-log.storage.js');
const { CorkingRedis, createRedisConnection, RedisSlidingLog } = await built('rate-limit/redis-sliding-log.storage.js');
const { ReplyTimeout, ResilientSlidingLog } = await built('rate-limit/resilient-sliding-log.storage.js');
const { SystemClock } = await built('platform/clock.js');

const redisUrl = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379/9';
const concurrency = 64;
const slices = 20;
const minutes = 60_000;

/** Times of calls in ms, and how long they took together. */
class Measurement {
  /** @type {number[]} */
  took = [];
  elapsed = 0;

  toString() {
    const perSecond = Math.round((this.took.length / this.elapsed) * 1000);
    const p99 = this.took.sort((a, b) => a - b)[Math.floor(this.took.length * 0.99)] ?? 0;
    return `${String(perSecond).padStart(8)}/s ${p99.toFixed(3).padStart(7)} ms`;
  }
}

/**
 * Adds calls from `concurrency` callers at once.
 * @param {Measurement} measurement
 * @param {Store} store
 * @param {number} calls
 * @param {(i: number) => string} keyOf
 * @param {number} limit
 */
async function measure(measurement, store, calls, keyOf, limit) {
  let next = 0;
  const caller = async () => {
    while (next < calls) {
      const key = keyOf(next++);
      const start = performance.now();
      await store.increment(key, 5 * minutes, limit, 5 * minutes, 'email');
      measurement.took.push(performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, caller));
  measurement.elapsed += performance.now() - start;
}

/** @param {Redis} redis @returns {Promise<[name: string, store: Store, calls: number][]>} */
async function stores(redis) {
  const both = resilient(createRedisConnection(redisUrl));
  await both.onModuleInit();
  const nestLab = process.env['NEST_LAB_STORAGE'];
  return [
    ['in process', new MemorySlidingLog(new SystemClock()), 300_000],
    ['Redis', new RedisSlidingLog(redis), 100_000],
    ['Redis, with the process behind it', both, 100_000],
    ['@nestjs/throttler, in process', new ThrottlerStorageService(), 100_000],
    ...(nestLab ? [nestLabStore(nestLab)] : []),
  ];
}

/** @param {string} file @returns {[name: string, store: Store, calls: number]} */
function nestLabStore(file) {
  const { ThrottlerStorageRedisService } = createRequire(import.meta.url)(file);
  return ['@nest-lab/throttler-storage-redis', new ThrottlerStorageRedisService(redisUrl), 100_000];
}

/** The stores take turns in short slices, so that whatever else the machine does meets all of them. @param {Redis} redis */
async function measureSpeed(redis) {
  const rows = (await stores(redis)).map(([name, store, calls]) => ({
    name,
    store,
    calls,
    spread: new Measurement(),
    hot: new Measurement(),
  }));
  for (let slice = 0; slice <= slices; slice++) {
    for (const row of rows) {
      // The first slice only warms up.
      if (slice === 1) Object.assign(row, { spread: new Measurement(), hot: new Measurement() });
      const calls = row.calls / slices;
      await measure(row.spread, row.store, calls, (i) => `${slice} spread ${i % (calls / 5)}`, 3);
      await measure(row.hot, row.store, calls, () => `${slice} hot`, 1_000);
    }
  }
  console.log(`calls/s and p99, ${concurrency} at once: five calls to each key | one key, limit 1,000`);
  for (const { name, spread, hot } of rows) console.log(`  ${name.padEnd(36)} ${spread} | ${hot}`);
  await redis.flushdb();
}

/** As in production, milliseconds. */
const replyTimeoutMs = 110;
const options = { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 };

/** What our own ways of writing and of waiting cost, beside those of ioredis: each alone, in turns. */
async function measureConnections() {
  const timeout = new ReplyTimeout(replyTimeoutMs);
  const plain = new Redis(redisUrl, options);
  /** @type {[name: string, connection: Redis, wait?: (answer: Promise<unknown>) => Promise<unknown>][]} */
  const rows = [
    ['ioredis as it is', plain],
    ['enableAutoPipelining', new Redis(redisUrl, { ...options, enableAutoPipelining: true })],
    ['CorkingRedis', new CorkingRedis(redisUrl, options)],
    ['commandTimeout', new Redis(redisUrl, { ...options, commandTimeout: replyTimeoutMs })],
    ['ReplyTimeout', plain, (answer) => timeout.waitFor(answer)],
  ];
  console.log(
    `CPU of this process a command, median of ${slices}; given up while the process is busy for 250 ms`,
  );
  const measured = rows.map(([name, connection, wait = (answer) => answer]) => {
    const log = new RedisSlidingLog(connection);
    /** @type {Store} */
    const store = { increment: (...parameters) => wait(log.increment(...parameters)) };
    return { name, connection, store, cpu: /** @type {number[]} */ ([]) };
  });
  for (const { connection } of measured) if (connection.status === 'wait') await connection.connect();
  for (let slice = 0; slice <= slices; slice++) {
    for (const { name, store, cpu } of measured) {
      const before = process.cpuUsage();
      await measure(new Measurement(), store, 4_000, (i) => `${slice} ${name} ${i % 800}`, 3);
      const { user, system } = process.cpuUsage(before);
      if (slice > 0) cpu.push((user + system) / 4_000);
    }
  }
  for (const { name, store, cpu } of measured) {
    const typical = cpu.sort((a, b) => a - b)[slices / 2] ?? NaN;
    console.log(`  ${name.padEnd(36)} ${typical.toFixed(1)} us, ${await givenUp(store)} of ${concurrency}`);
  }
}

/** How many decisions are lost that Redis has made, because this process did something else meanwhile. @param {Store} store */
async function givenUp(store) {
  const decisions = Array.from({ length: concurrency }, (_, i) =>
    store.increment(`busy ${i}`, minutes, 3, 0, 'email'),
  );
  await new Promise(setImmediate);
  const busyUntil = performance.now() + 250;
  while (performance.now() < busyUntil);
  return (await Promise.allSettled(decisions)).filter(({ status }) => status === 'rejected').length;
}

/** A million identifiers, each seen once. A tenth of them fits into one window of an injected clock. */
function measureProcessMemory() {
  let now = 0;
  const windowMs = 5 * minutes;
  const store = new MemorySlidingLog({ monotonic: () => now });
  console.log('in process: heap over 1,000,000 ever-new identifiers, 100,000 a window');
  for (let i = 0; i <= 1_000_000; i++) {
    now = (i * windowMs) / 100_000;
    store.reserve(`ResendController.resend:${i.toString(36).padStart(22, '0')}`, windowMs, 3, 'email');
    if (i % 100_000 === 0) {
      globalThis.gc?.();
      const megabytes = Math.round(process.memoryUsage().heapUsed / 1e6);
      console.log(`  ${String(i).padStart(9)} seen ${String(store.size).padStart(8)} held ${megabytes} MB`);
    }
  }
}

/** What instances with a Redis use: it counts in the process as well. @param {Redis} redis */
function resilient(redis) {
  return new ResilientSlidingLog(redis, new RedisSlidingLog(redis), new MemorySlidingLog(new SystemClock()));
}

/** The same in Redis, where the keys expire by the server's clock: a window of two seconds. @param {Redis} redis */
async function measureRedisMemory(redis) {
  const store = resilient(redis);
  console.log('Redis, with the process behind it: over 1,000,000 ever-new identifiers, windows of 2 s');
  for (let i = 0; i < 1_000_000; i += 1_000) {
    const keys = Array.from(
      { length: 1_000 },
      (_, j) => `ResendController.resend:${(i + j).toString(36).padStart(22, '0')}`,
    );
    await Promise.all(keys.map((key) => store.increment(key, 2_000, 3, 0, 'email')));
    if (i % 100_000 === 0) await reportRedis(redis, i);
  }
  await reportRedis(redis, 1_000_000);
}

/** @param {Redis} redis @param {number} seen */
async function reportRedis(redis, seen) {
  globalThis.gc?.();
  const used = /used_memory:(\d+)/.exec(await redis.info('memory'))?.[1];
  const megabytes = (Number(used) / 1e6).toFixed(1);
  const heap = Math.round(process.memoryUsage().heapUsed / 1e6);
  console.log(
    `  ${String(seen).padStart(9)} seen ${String(await redis.dbsize()).padStart(8)} held by Redis in ${megabytes} MB, heap of the process ${heap} MB`,
  );
}

const redis = new Redis(redisUrl);
await redis.flushdb();

await measureConnections();
await redis.flushdb();
process.exit(0);
await measureRedisMemory(redis);
process.exit(0);
