import { Redis } from 'ioredis';

/**
 * A connection that fails at once while there is none, instead of keeping commands for later. It connects when told
 * to, and then comes back by itself for as long as the process lives.
 */
export function createRedisConnection(url: string): Redis {
  return new Redis(url, {
    lazyConnect: true,
    connectionName: 'strike-auth',
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // Checks that come in one turn of the event loop are written to the socket together.
    enableAutoPipelining: true,
    // A command that is sent again might count its request twice.
    autoResendUnfulfilledCommands: false,
    connectTimeout: 1_000,
    // The client waits this long even for a connection that is closed already, and holds up a stopping process.
    disconnectTimeout: 200,
    // A server that hangs, or vanished without closing, is given up; the next connection may reach its successor.
    socketTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(50 * attempt, 1_000),
    // After a failover the old master is a replica: connect anew, to whoever has the name now.
    reconnectOnError: (error) => error.message.includes('READONLY'),
  });
}
