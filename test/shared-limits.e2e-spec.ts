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
      // At debug the log has a line for each refusal, too.
      processes.push(await startService({ ...env, HASHING_KEY: hashingKey, LOG_LEVEL: 'debug' }));
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

  /** How often a line with these words is in the processes' logs. */
  const said = (words: string) =>
    processes.flatMap((running) => running.output().split('\n')).filter((line) => line.includes(words))
      .length;

  /** Resolves when every process counts in Redis. */
  async function allShare(): Promise<void> {
    for (const { url } of processes) {
      await eventually('readiness that tells of a shared limit', async () => {
        const ready = (await (await fetch(`${url}/health/ready`)).json()) as { limits: string };
        return ready.limits === 'redis';
      });
    }
  }

  let bursts = 0;
  /**
   * The statuses of simultaneous requests for one address, all of them counted in Redis. On a machine that leaves Redis no
   * time to answer the processes count by themselves, as they should; such a burst tells nothing, and another follows.
   */
  const sharedBurst = (size: number) =>
    eventually(`a burst of ${size} that Redis has counted`, async () => {
      await allShare();
      const before = { switches: said('Redis is away'), answers: said('"event":"request"') };
      const email = `burst${bursts++}@example.com`;
      const statuses = await Promise.all(Array.from({ length: size }, (_, i) => resend(i, email)));
      await eventually('a line for each', () => said('"event":"request"') >= before.answers + size);
      return said('Redis is away') === before.switches && statuses;
    });

  it('admit exactly three of 200 simultaneous requests for one address', async () => {
    const statuses = await sharedBurst(200);
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

    await allShare();
    // What a process writes to its log comes another way than its answers, and may come later.
    await eventually('a line for each departure and each return', () => {
      const away = said('Redis is away');
      return away >= processes.length && said('Redis is back') === away;
    });
    const after = await sharedBurst(50);
    expect(after.filter((status) => status === 200)).toHaveLength(limit);
  });
});
