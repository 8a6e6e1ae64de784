import type { Socket } from 'node:net';
import { Cluster, type Command, Redis, type RedisOptions } from 'ioredis';

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
  // After a failover the old master is a replica: connect anew, to whoever has the name now.
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
 * @param cluster whether the server at `url` is a node of a Redis Cluster; it names the others
 */
export function createRedisConnection(url: string, { cluster = false } = {}): Redis | Cluster {
  if (!cluster) return new CorkingRedis(url, { ...options, ...behaviour, retryStrategy: retryDelayMs });
  const { protocol, hostname, port, username, password } = new URL(url);
  return new Cluster([{ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) }], {
    ...behaviour,
    clusterRetryStrategy: retryDelayMs,
    redisOptions: {
      ...options,
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { tls: {} }),
    },
  });
}
