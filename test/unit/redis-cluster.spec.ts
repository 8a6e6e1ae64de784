import { Logger } from '@nestjs/common';
import type { Cluster } from 'ioredis';
import { MemorySlidingLog } from '../../src/rate-limit/memory-sliding-log.storage.js';
import { createRedisConnection, RedisSlidingLog } from '../../src/rate-limit/redis-sliding-log.storage.js';
import { ResilientSlidingLog } from '../../src/rate-limit/resilient-sliding-log.storage.js';
import { SystemClock } from '../../src/platform/clock.js';
import { eventually } from '../support/eventually.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { describeWithRedis } from '../support/redis-server.js';

const window = 60_000;
/** So much that a busy machine is not taken for a cluster that is away, in milliseconds. */
const timeoutMs = 5_000;

describeWithRedis('limits in a Redis Cluster', () => {
  let cluster: RedisCluster;
  let connection: Cluster;
  let storage: ResilientSlidingLog;

  beforeEach(async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    jest.spyOn(Logger.prototype, 'log').mockImplementation();
    cluster = await RedisCluster.start(3);
    connection = createRedisConnection(cluster.url) as Cluster;
    const shared = new RedisSlidingLog(connection);
    storage = new ResilientSlidingLog(connection, shared, new MemorySlidingLog(new SystemClock()), timeoutMs);
    await storage.onModuleInit();
    await eventually('a connection', () => storage.state() === 'redis' && connection.status === 'ready');
  });
  afterEach(async () => {
    storage.onApplicationShutdown();
    await cluster.stop();
    jest.restoreAllMocks();
  });

  const increment = (key: string) => storage.increment(key, window, 3, 0, 'email');

  it('are exact for every key, on whichever node it is', async () => {
    const keys = Array.from({ length: 30 }, (_, i) => `key ${i}`);
    const decisions = await Promise.all(
      keys.flatMap((key) => Array.from({ length: 5 }, async () => ({ key, ...(await increment(key)) }))),
    );
    for (const key of keys) {
      expect(decisions.filter((one) => one.key === key && !one.isBlocked)).toHaveLength(3);
    }
    const held = await Promise.all(connection.nodes('master').map((node) => node.dbsize()));
    expect(held.every((count) => count > 0)).toBe(true);
    expect(held.reduce((sum, count) => sum + count)).toBe(keys.length);
    expect(storage.state()).toBe('redis');
  });

  it('follow a slot that has moved to another node', async () => {
    const slot = await connection.cluster('KEYSLOT', 'strike-auth:limit:email:a');
    const nodes = connection.nodes('master');
    const [oldOwner] = (await connection.cluster('SLOTS'))
      .filter(([first, last]) => first <= slot && slot <= last)
      .map(([, , node]) => node?.[2]);
    const ids = await Promise.all(nodes.map((node) => node.call('CLUSTER', 'MYID').then(String)));
    const newOwner = nodes[ids.findIndex((id) => id !== oldOwner)]!;
    const newId = String(await newOwner.call('CLUSTER', 'MYID'));
    for (const node of nodes) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', newId);

    expect((await increment('a')).isBlocked).toBe(false);
    expect(storage.state()).toBe('redis');
    expect(await newOwner.exists('strike-auth:limit:email:a')).toBe(1);
  });

  it('are counted in process while a node is away', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `key ${i}`);
    await cluster.nodes[1]!.kill();
    for (const key of keys) {
      const decisions = [];
      for (let i = 0; i < 4; i++) decisions.push((await increment(key)).isBlocked);
      expect(decisions).toEqual([false, false, false, true]);
    }
    // In between it may have asked a node that is there, until the nodes agree that the cluster is down.
    await eventually('the switch', () => storage.state() === 'memory-fallback');
  });
});
