import type { DynamicModule, Provider } from '@nestjs/common';
import { getStorageToken, ThrottlerModule } from '@nestjs/throttler';
import { Clock, SystemClock } from '../platform/clock.js';
import { Config } from '../config/config.js';
import { MemorySlidingLog } from './memory-sliding-log.storage.js';
import { createRedisConnection, RedisSlidingLog } from './redis-sliding-log.storage.js';
import { ResilientSlidingLog } from './resilient-sliding-log.storage.js';
import { SlidingLogStorage } from './sliding-log.storage.js';

/** The named throttlers that the guards apply, and where they count. */
export function throttlerModule(): DynamicModule {
  return ThrottlerModule.forRootAsync({
    inject: [Config, Clock],
    useFactory: (config: Config, clock: Clock) => ({
      throttlers: (['ip', 'backend', 'email', 'sms'] as const).map((name) => {
        const { max, windowMs } = config.limits[name];
        return { name, limit: max, ttl: windowMs };
      }),
      storage: slidingLogStorage(config, clock),
    }),
  });
}

/** The throttlers' storage under the name of its port, for what is counted beside them. */
export const slidingLogProvider: Provider = { provide: SlidingLogStorage, useExisting: getStorageToken() };

/** Redis when it is configured, else this process. */
function slidingLogStorage({ redisUrl }: Config, clock: Clock): SlidingLogStorage {
  const local = new MemorySlidingLog(clock);
  if (redisUrl === undefined) return local;
  const connection = createRedisConnection(redisUrl);
  // Only a test's clock is imposed on Redis: the real ones of several machines differ.
  const shared = new RedisSlidingLog(connection, clock instanceof SystemClock ? undefined : clock);
  return new ResilientSlidingLog(connection, shared, local);
}
