import fc from 'fast-check';
import { Redis } from 'ioredis';
import { MemorySlidingLog } from '../../src/rate-limit/memory-sliding-log.storage.js';
import { RedisSlidingLog } from '../../src/rate-limit/redis-sliding-log.storage.js';
import { ResilientSlidingLog } from '../../src/rate-limit/resilient-sliding-log.storage.js';
import type { SlidingLogRecord, SlidingLogStorage } from '../../src/rate-limit/sliding-log.storage.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { TestClock } from '../support/test-clock.js';

const runs = 5_000;

interface Schedule {
  max: number;
  windowMs: number;
  requests: { afterMs: number; key: string; name: string }[];
}

/** Pauses cluster around the window's edge, where mistakes live. */
const schedules: fc.Arbitrary<Schedule> = fc
  .record({ max: fc.integer({ min: 1, max: 5 }), windowMs: fc.integer({ min: 60_000, max: 600_000 }) })
  .chain(({ max, windowMs }) => {
    const pause = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(0, 0, 1, 2, 999, 1_000, 1_001) },
      { weight: 2, arbitrary: fc.constantFrom(windowMs - 1, windowMs, windowMs + 1, 2 * windowMs) },
      { weight: 3, arbitrary: fc.integer({ min: 0, max: windowMs }) },
      { weight: 3, arbitrary: fc.constantFrom(Math.floor(windowMs / max), Math.ceil(windowMs / max)) },
    );
    const request = fc.record({
      afterMs: pause,
      key: fc.constantFrom('a', 'a', 'a', 'b'),
      name: fc.constantFrom('email', 'email', 'sms'),
    });
    return fc.record({
      max: fc.constant(max),
      windowMs: fc.constant(windowMs),
      requests: fc.array(request, { minLength: 1, maxLength: 16 }),
    });
  });

/** The rule as plainly as it can be said, without a thought for speed. */
class ReferenceModel {
  private readonly admissions: { bucket: string; at: number }[] = [];

  increment(bucket: string, now: number, { max, windowMs }: Schedule): SlidingLogRecord {
    const counting = this.admissions.filter(
      (admission) => admission.bucket === bucket && admission.at + windowMs > now,
    );
    const isBlocked = counting.length >= max;
    if (!isBlocked) {
      const admission = { bucket, at: now };
      this.admissions.push(admission);
      counting.push(admission);
    }
    const seconds = Math.ceil((Math.min(...counting.map(({ at }) => at)) + windowMs - now) / 1000);
    return {
      totalHits: isBlocked ? max + 1 : counting.length,
      timeToExpire: seconds,
      isBlocked,
      timeToBlockExpire: isBlocked ? seconds : 0,
    };
  }
}

let scheduleNumber = 0;

/** Fails on a request about which the store and the model do not agree, and shows the shortest such schedule. */
async function agreesWithModel(clock: TestClock, storage: SlidingLogStorage): Promise<void> {
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      const model = new ReferenceModel();
      const ownKeys = `${scheduleNumber++}`;
      const expected: SlidingLogRecord[] = [];
      const actual: Promise<SlidingLogRecord>[] = [];
      for (const { afterMs, key, name } of schedule.requests) {
        clock.advance(afterMs);
        expected.push(model.increment(`${name} ${key}`, clock.now(), schedule));
        actual.push(storage.increment(`${ownKeys}:${key}`, schedule.windowMs, schedule.max, 0, name));
      }
      const decided = await Promise.all(actual);
      // `toEqual` alone would take most of the time of five thousand schedules.
      if (JSON.stringify(decided) !== JSON.stringify(expected)) expect(decided).toEqual(expected);
    }),
    { numRuns: runs },
  );
}

it(`decides ${runs} random schedules like the reference model, in memory`, async () => {
  const clock = new TestClock();
  await agreesWithModel(clock, new MemorySlidingLog(clock));
});

describeWithRedis('with a Redis', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  it(`decides ${runs} random schedules like the reference model, in Redis`, async () => {
    const clock = new TestClock();
    await agreesWithModel(clock, new RedisSlidingLog(redis, clock));
  });

  it(`decides ${runs} random schedules like the reference model, in both at once`, async () => {
    const clock = new TestClock();
    const shared = new RedisSlidingLog(redis, clock);
    await agreesWithModel(clock, new ResilientSlidingLog(redis, shared, new MemorySlidingLog(clock)));
  });
});
