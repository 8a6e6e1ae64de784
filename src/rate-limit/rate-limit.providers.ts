import type { Provider } from '@nestjs/common';
import { Clock, SystemClock } from '../platform/clock.js';
import { Config } from '../config/config.js';
import { MemorySlidingLog } from './memory-sliding-log.storage.js';
import { createRedisConnection } from './redis-connection.js';
import { RedisSlidingLog } from './redis-sliding-log.storage.js';
import { ResilientSlidingLog } from './resilient-sliding-log.storage.js';
import { SlidingLogStorage } from './sliding-log.storage.js';

/** What the throttler guards need besides `Config`, `KeyedHash` and Nest's `Reflector`. */
export const throttlingProviders: Provider[] = [
  { provide: SlidingLogStorage, inject: [Config, Clock], useFactory: slidingLogStorage },
];

/** Redis when it is configured, else this process. */
function slidingLogStorage({ redisUrl, redisCluster }: Config, clock: Clock): SlidingLogStorage {
  const local = new MemorySlidingLog(clock);
  if (redisUrl === undefined) return local;
  const connection = createRedisConnection(redisUrl, { cluster: redisCluster });
  // Only a test's clock is imposed on Redis: the real ones of several machines differ.
  const shared = new RedisSlidingLog(connection, clock instanceof SystemClock ? undefined : clock);
  return new ResilientSlidingLog(connection, shared, local);
}
