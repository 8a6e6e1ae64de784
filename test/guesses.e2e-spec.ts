import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { SlidingLogEntity } from '../src/rate-limit/sql-sliding-log.js';
import { TokenService } from '../src/auth/tokens/token.service.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { arrived } from './support/inbox.js';
import { resend } from './support/messages.js';
import { pipelinedPosts } from './support/pipelined-posts.js';
import { services } from './support/services.js';
import { type ServiceProcess, startService } from './support/service-process.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

/** A tenth of all codes where the whole suite runs; what counts them is the same whether it is asked for more or less. */
const guesses = services.database === 'postgresql' ? 100_000 : 2_000;
const clients = 200;
/** Which they share. With two requests under way on each, a slow database still comes to every one in time. */
const connections = 50;
/** 5 in 10 minutes, as `LIMIT_VERIFY` is by default. */
const granted = 5;

type Counts = Record<string, number>;
const added = (counts: Counts, status: number | string, count = 1) => {
  counts[status] = (counts[status] ?? 0) + count;
};

describe('Whoever guesses', () => {
  let running: RunningApp;

  beforeAll(async () => {
    // Every client has room for as much as it likes, so that only the count of the identifier is in the way.
    const env = { TRUST_PROXY: '1', LIMIT_IP: '1000000/10m', LIMIT_EMAIL: '100/5m', LOG_LEVEL: 'warn' };
    running = await startApp({ env });
  });
  afterAll(() => running.stop());

  /**
   * Guesses these codes over HTTP, dealt out to all clients, each of which comes from an address of its own. What a machine
   * that is busy had no time for is asked once more: a 503 has looked at nothing.
   */
  async function guessOverHttp(email: string, codes: readonly string[]): Promise<Counts> {
    const counts: Counts = {};
    const busy: string[] = [];
    const guessAll = async (connection: number) => {
      const hand = codes.filter((_code, index) => index % connections === connection);
      const posts = hand.map((token, index) => ({
        path: '/verify',
        headers: {
          'Content-Type': 'application/json',
          'X-Forwarded-For': `203.0.113.${(index * connections + connection) % clients}`,
        },
        body: JSON.stringify({ type: 'signup', email, token }),
      }));
      const statuses = await pipelinedPosts(running.url, posts);
      for (const [index, status] of statuses.entries()) {
        if (status === 503) busy.push(hand[index] ?? '');
        else added(counts, status);
      }
    };
    await Promise.all(Array.from({ length: connections }, (_, connection) => guessAll(connection)));
    if (busy.length === codes.length) throw new Error('No guess was answered');
    if (busy.length === 0) return counts;
    for (const [status, count] of Object.entries(await guessOverHttp(email, busy)))
      added(counts, status, count);
    return counts;
  }

  it(`${guesses} times, and from ${clients} addresses, has ${granted} codes compared, and the code stays good`, async () => {
    const email = 'victim@example.com';
    await insertUser(running, { email });
    const { code } = await arrived(running, email, await resend(running, { type: 'signup', email }));
    const compared = jest.spyOn(running.app.get(TokenService), 'findByCode');
    // The right one in their midst: if they were all compared, it would be found.
    const codes = Array.from({ length: guesses }, (_, i) =>
      String((Number(code) + 1_000_000 - guesses / 2 + i) % 1_000_000).padStart(6, '0'),
    );
    expect(codes).toContain(code);

    const first = codes.slice(0, guesses / 2);
    expect(await guessOverHttp(email, first)).toEqual({ 403: granted, 429: first.length - granted });
    await resend(running, { type: 'signup', email });
    expect(await guessOverHttp(email, codes.slice(guesses / 2))).toEqual({ 429: guesses - first.length });
    expect(compared).toHaveBeenCalledTimes(granted);
    compared.mockRestore();
    const rows = await running.app.get(DataSource).getRepository(SlidingLogEntity).find();
    // Beside the guesses stands what was mailed.
    expect(Math.max(...rows.map(({ times }) => times.length))).toBe(granted);

    const right = { type: 'signup', email, token: code };
    await running.http.post('/verify').send(right).expect(429);
    running.clock.advance(600_000);
    await running.http.post('/verify').send(right).expect(200);
    // Less than a minute of work, on a machine that may have much else to do.
  }, 600_000);

  it('at one address keeps nobody else from confirming theirs', async () => {
    const email = 'bystander@example.com';
    await insertUser(running, { email });
    const { code } = await arrived(running, email, await resend(running, { type: 'signup', email }));
    const codes = Array.from({ length: 2_000 }, (_, i) => String(i).padStart(6, '0'));
    const flood = guessOverHttp('flooded@example.com', codes);
    await running.http.post('/verify').send({ type: 'signup', email, token: code }).expect(200);
    expect(await flood).toEqual({ 403: granted, 429: codes.length - granted });
  });
});

// The embedded database serves one process only.
if (services.database === 'postgresql') {
  describe('Two processes on one database', () => {
    const processes: ServiceProcess[] = [];
    let database: TestDatabase;

    beforeAll(async () => {
      database = await createTestDatabase();
      const HASHING_KEY = randomBytes(32).toString('base64');
      for (let i = 0; i < 2; i += 1) {
        processes.push(await startService({ ...database.env, HASHING_KEY, LIMIT_IP: '1000/10m' }));
      }
    });
    afterAll(async () => {
      for (const each of processes) await each.kill('SIGKILL');
      await database.drop();
    });

    it.each(['known', 'unknown'])('compare five codes together for a %s address', async (whose) => {
      const email = `${whose}@example.com`;
      if (whose === 'known') {
        const { status } = await processes[0]!.post('/signup', { email, password: 'correct horse battery' });
        expect(status).toBe(200);
      }
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          processes[i % 2]!.post('/verify', { type: 'signup', email, token: String(100_000 + i) }),
        ),
      );
      const counts: Counts = {};
      for (const { status } of answers) added(counts, status);
      expect(counts).toEqual({ 403: granted, 429: 60 - granted });
    });
  });
}
