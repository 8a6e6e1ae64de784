import { randomBytes } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { describeWithRedis, RedisServer } from './support/redis-server.js';
import { type ServiceProcess, startService } from './support/service-process.js';

const limit = 3;

describeWithRedis('two processes that share a Redis', () => {
  let redis: RedisServer;
  const databases: TestDatabase[] = [];
  const processes: ServiceProcess[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start();
    const hashingKey = randomBytes(32).toString('base64');
    for (let i = 0; i < 2; i++) {
      const database = await createTestDatabase();
      databases.push(database);
      const env = { ...database.env, REDIS_URL: redis.url, THROTTLE_STORE: 'redis', LIMIT_IP: '100000/10m' };
      processes.push(await startService({ ...env, HASHING_KEY: hashingKey }));
    }
  });

  afterAll(async () => {
    for (const running of processes) await running.kill('SIGKILL');
    for (const database of databases) await database.drop();
    await redis.stop();
  });

  const resend = (index: number, email: string) =>
    processes[index % processes.length]!.post('/resend', { type: 'signup', email }).then(
      ({ status }) => status,
    );

  it('admit exactly three of 200 simultaneous requests for one address', async () => {
    const statuses = await Promise.all(Array.from({ length: 200 }, (_, i) => resend(i, 'one@example.com')));
    expect(statuses.filter((status) => status === 200)).toHaveLength(limit);
    expect(statuses.filter((status) => status === 429)).toHaveLength(200 - limit);
  });

  it('go on without it, limited, and share it again when it is back', async () => {
    const statuses: (number | undefined)[] = [];
    const load = async (rounds: number) => {
      for (let i = 0; i < rounds; i++) {
        statuses.push(...(await Promise.all([0, 1, 2, 3].map((index) => resend(index, 'two@example.com')))));
      }
    };
    await load(5);
    await Promise.all([load(15), redis.kill()]);
    await load(10);
    await Promise.all([load(15), redis.restart()]);
    await load(10);
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    // Each process grants the whole limit by itself while Redis is away, and never more.
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(2 * limit);

    for (const { url } of processes) {
      await eventually('readiness that tells of a shared limit', async () => {
        const ready = (await (await fetch(`${url}/health/ready`)).json()) as { limits: string };
        return ready.limits === 'redis';
      });
    }
    const after = await Promise.all(Array.from({ length: 50 }, (_, i) => resend(i, 'three@example.com')));
    expect(after.filter((status) => status === 200)).toHaveLength(limit);
    for (const running of processes) {
      const lines = running.output().split('\n');
      expect(lines.filter((line) => line.includes('Redis is away'))).toHaveLength(1);
      expect(lines.filter((line) => line.includes('Redis is back'))).toHaveLength(1);
    }
  });
});
