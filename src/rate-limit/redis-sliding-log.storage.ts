import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Clock } from '../platform/clock.js';
import { admitted, refused, type SlidingLogRecord, SlidingLogStorage } from './sliding-log.storage.js';

/** Share of a stretch of time from which on this process itself is too busy to read an answer, or to send the question. */
const busy = 0.5;
const stretches = 4;

interface Waiting {
  readonly since: number;
  readonly giveUp: (error: Error) => void;
}

/**
 * Waits for answers, but not for ever. Patience runs out only while this process had time to read: it is cut into
 * stretches, and those in which the process was busy do not count. One timer serves everybody who waits.
 */
export class Patience {
  /** In the order of their coming, which is that of their going. */
  private readonly waiting = new Set<Waiting>();
  private ticking: NodeJS.Timeout | undefined;
  private elapsed = 0;
  private utilization = performance.eventLoopUtilization();

  /** @param ms the longest wait in milliseconds; a quarter less for who comes at the end of a stretch */
  constructor(private readonly ms: number) {}

  /** The answer, or its error, or an error of ours when it does not come in time. */
  waitFor<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { since: this.elapsed, giveUp: reject };
      this.waiting.add(waiting);
      this.tick();
      answer.then(
        (value) => {
          this.waiting.delete(waiting);
          resolve(value);
        },
        (error: unknown) => {
          this.waiting.delete(waiting);
          waiting.giveUp(error as Error);
        },
      );
    });
  }

  private tick(): void {
    if (this.ticking) return;
    this.utilization = performance.eventLoopUtilization();
    this.ticking = setInterval(() => this.count(), this.ms / stretches);
  }

  private count(): void {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.utilization);
    this.utilization = now;
    if (utilization <= busy) this.elapsed += 1;
    for (const waiting of this.waiting) {
      if (this.elapsed - waiting.since < stretches) break;
      this.waiting.delete(waiting);
      waiting.giveUp(new Error(`no answer within ${this.ms} ms`));
    }
    if (this.waiting.size > 0) return;
    clearInterval(this.ticking);
    this.ticking = undefined;
  }
}

/**
 * The key holds a list of the times at which requests were admitted, oldest first. It expires one window after the
 * newest. One key a call, so it works on Redis Cluster; needs Redis 5, which replicates the effects of a script and
 * not the script, so that replicas agree about the time.
 * KEYS: the log. ARGV: window in ms, limit, the time in ms or an empty string for the server's.
 * Returns whether the request is admitted (1 or 0), how many count now, and the ms until the next one leaves.
 */
const script = `
local log, window, limit, now = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
if now == '' then
  -- Seconds, and the first three of six digits of the microseconds: text is put into the log as it is.
  local time = redis.call('TIME')
  now = time[1] .. string.sub('00000' .. time[2], -6, -4)
end
local oldest = redis.call('LINDEX', log, 0)
if not oldest then
  redis.call('RPUSH', log, now)
  redis.call('PEXPIRE', log, ARGV[1])
  return {1, 1, window}
end
-- When the clock is set back, as after a failover, a later entry may say an earlier time. It then stays until those
-- before it have left, which is never too early.
local count = redis.call('LLEN', log)
local edge = now - window
while oldest and oldest - edge <= 0 do
  redis.call('LPOP', log)
  count = count - 1
  oldest = redis.call('LINDEX', log, 0)
end
if count >= limit then
  -- The one that must leave first is not the oldest one when the limit has been lowered.
  local leaving = count == limit and oldest or redis.call('LINDEX', log, count - limit)
  return {0, count, leaving + window - now}
end
redis.call('RPUSH', log, now)
redis.call('PEXPIRE', log, ARGV[1])
return {1, count + 1, (oldest or now) + window - now}
`;
const scriptHash = createHash('sha1').update(script).digest('hex');

/** What the script returns. */
type Decision = [isAdmitted: number, count: number, waitMs: number];

/** The sliding log of all instances that share a Redis. */
export class RedisSlidingLog extends SlidingLogStorage {
  /** @param clock for tests; without it the time is the Redis server's, so that instances need not agree on theirs */
  constructor(
    private readonly redis: Pick<Redis, 'evalsha' | 'eval'>,
    private readonly clock?: Pick<Clock, 'now'>,
  ) {
    super();
  }

  /** @throws whatever the connection throws; nothing was decided then */
  async increment(
    key: string,
    ttl: number,
    limit: number,
    _blockDuration: number,
    throttlerName: string,
  ): Promise<SlidingLogRecord> {
    const now = this.clock ? String(this.clock.now()) : '';
    const log = `strike-auth:limit:${throttlerName}:${key}`;
    const [isAdmitted, count, waitMs] = await this.run(log, [ttl, limit, now]);
    return isAdmitted === 1 ? admitted(count, waitMs) : refused(limit, waitMs);
  }

  state(): 'redis' {
    return 'redis';
  }

  private async run(key: string, args: (string | number)[]): Promise<Decision> {
    try {
      return (await this.redis.evalsha(scriptHash, 1, key, ...args)) as Decision;
    } catch (error) {
      // A new server, or one after SCRIPT FLUSH or a failover. EVAL leaves the script there for the next call.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return (await this.redis.eval(script, 1, key, ...args)) as Decision;
    }
  }
}
