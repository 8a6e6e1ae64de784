import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { Cluster, type Command, Redis, type RedisOptions } from 'ioredis';
import type { Clock } from '../platform/clock.js';
import { type SlidingLogRecord, SlidingLogStorage } from './sliding-log.storage.js';

/**
 * The key holds a list of the times at which requests were admitted, oldest first. It expires one window after the
 * newest. One key a call, so it works on Redis Cluster; needs Redis 5, which replicates the effects of a script and
 * not the script, so that replicas agree about the time.
 * KEYS: the log. ARGV: window in ms, limit, the time in ms or an empty string for the server's.
 * Returns how many count now (when refused, one more than the limit), the seconds, rounded up, until the next one leaves, and
 * whether the request is refused (1 or 0).
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
  return {1, math.ceil(window / 1000), 0}
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
  return {limit + 1, math.ceil((leaving + window - now) / 1000), 1}
end
redis.call('RPUSH', log, now)
redis.call('PEXPIRE', log, ARGV[1])
return {count + 1, math.ceil(((oldest or now) + window - now) / 1000), 0}
`;
const scriptHash = createHash('sha1').update(script).digest('hex');

/** What the script returns. */
type Decision = [totalHits: number, seconds: number, isBlocked: 0 | 1];

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
    const [totalHits, seconds, isBlocked] = await this.run(log, [ttl, limit, now]);
    return {
      totalHits,
      timeToExpire: seconds,
      isBlocked: isBlocked === 1,
      timeToBlockExpire: isBlocked * seconds,
    };
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

/** Commands that are written together at most: Redis decides about them while the next ones are still being made. */
const most = 16;

/**
 * Writes the commands that come in one turn of the event loop to the socket together: under load, a system call for each
 * costs more than the command. ioredis's own pipelining would let only one batch be under way at a time.
 */
export class CorkingRedis extends Redis {
  private corked: Socket | undefined;
  private held = 0;
  private scheduled = false;

  override sendCommand(...parameters: [command: Command]): unknown {
    this.cork();
    const answer = super.sendCommand(...parameters);
    this.held += 1;
    if (this.held === most) this.uncork();
    return answer;
  }

  private cork(): void {
    // Undefined before the first connection; another one after each reconnection.
    const socket = this.stream as Socket | undefined;
    if (!socket || socket === this.corked) return;
    this.uncork();
    this.corked = socket;
    this.held = 0;
    socket.cork();
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.uncork();
    });
  }

  private uncork(): void {
    this.corked?.uncork();
    this.corked = undefined;
  }
}

/** What a node of a cluster and a server on its own have in common. */
const options = {
  connectionName: 'strike-auth',
  maxRetriesPerRequest: 0,
  // A command that is sent again might count its request twice.
  autoResendUnfulfilledCommands: false,
  connectTimeout: 1_000,
  // The client waits this long even for a connection that is closed already, and holds up a stopping process.
  disconnectTimeout: 200,
  // A server that hangs, or vanished without closing, is given up; the next connection may reach its successor.
  socketTimeout: 2_000,
  // After a failover the old master is a replica: connect anew, to the server that has the name now.
  reconnectOnError: (error: Error) => error.message.includes('READONLY'),
} satisfies RedisOptions;

/** Of the connection as a whole. */
const behaviour = {
  lazyConnect: true,
  enableOfflineQueue: false,
};

const retryDelayMs = (attempt: number) => Math.min(50 * attempt, 1_000);

/**
 * A connection that fails at once while there is none, instead of keeping commands for later. It connects when told
 * to, and then comes back by itself for as long as the process lives.
 * @param url `redis:` or `rediss:`; `redis-cluster:` or `rediss-cluster:` of any node of a Redis Cluster, which names the
 *   others
 */
export function createRedisConnection(url: string): Redis | Cluster {
  if (!/^rediss?-cluster:/.test(url))
    return new CorkingRedis(url, { ...options, ...behaviour, retryStrategy: retryDelayMs });
  const { protocol, hostname, port, username, password } = new URL(url);
  return new Cluster([{ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) }], {
    ...behaviour,
    clusterRetryStrategy: retryDelayMs,
    redisOptions: {
      ...options,
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss-cluster:' && { tls: {} }),
    },
  });
}
