import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { RedisServer } from './redis-server.js';

const slots = 16_384;

/** A real Redis Cluster of masters that share the slots evenly. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  static async start(size: number): Promise<RedisCluster> {
    const nodes: RedisServer[] = [];
    for (let i = 0; i < size; i++) nodes.push(await RedisServer.startNode());
    const clients = nodes.map(({ url }) => new Redis(url));
    for (const [i, client] of clients.entries()) {
      const [first, end] = [i, i + 1].map((share) => Math.floor((share * slots) / size));
      await client.call('CLUSTER', 'ADDSLOTSRANGE', String(first), String(end! - 1));
      if (i > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', nodes[0]!.port, nodes[0]!.busPort!);
    }
    await eventually('a cluster in which every node knows all others', async () => {
      const states = await Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')));
      return states.every(
        (state) =>
          String(state).includes('cluster_state:ok') && String(state).includes(`cluster_known_nodes:${size}`),
      );
    });
    for (const client of clients) client.disconnect();
    return new RedisCluster(nodes);
  }

  /** Of one node; it names the others. */
  get url(): string {
    return this.nodes[0]!.url.replace('redis://', 'redis-cluster://');
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await node.stop();
  }
}
