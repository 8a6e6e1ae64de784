import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { SlidingLogEntity } from '../src/rate-limit/sql-sliding-log.js';
import { TokenService } from '../src/auth/tokens/token.service.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { arrived } from './support/inbox.js';
import { Housekeeping } from '../src/housekeeping/housekeeping.js';
import { ended, resend } from './support/messages.js';
import { pipelinedPosts } from './support/pipelined-posts.js';
import { services } from './support/services.js';
import { type ServiceProcess, startService } from './support/service-process.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

/** A tenth of all codes where the whole suite runs; what counts them is the same whether it is asked for more or less. */
const guesses = services.database === 'postgresql' ? 100_000 : 1_000;
const clients = 200;
/** Which they share. With two requests under way on each, a slow database still comes to every one in time. */
const connections = 50;
/** 5 in 10 minutes, as `LIMIT_VERIFY` is by default, by those who neither name a message nor asked for one. */
const granted = 5;
/** That a client has before its guesses are refused, whoever they are about. */
const perClient = 30;

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
  async function guessOverHttp(
    email: string,
    codes: readonly string[],
    { network = '203.0.113', ...named }: { network?: string; message_id?: string } = {},
  ): Promise<Counts> {
    const counts: Counts = {};
    const busy: string[] = [];
    const guessAll = async (connection: number) => {
      const hand = codes.filter((_code, index) => index % connections === connection);
      const posts = hand.map((token, index) => ({
        path: '/verify',
        headers: {
          'Content-Type': 'application/json',
          'X-Forwarded-For': `${network}.${(index * connections + connection) % clients}`,
        },
        body: JSON.stringify({ type: 'signup', email, token, ...named }),
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
    for (const [status, count] of Object.entries(await guessOverHttp(email, busy, { network, ...named })))
      added(counts, status, count);
    return counts;
  }

  it(`${guesses} times, and from ${clients} addresses, has ${granted} codes compared, and ${granted} more by a message of its own, and the code stays good`, async () => {
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
    // Each client was counted, none beyond its share; beside them stand the address and what was mailed.
    const rows = await running.app.get(DataSource).getRepository(SlidingLogEntity).find();
    expect(rows.length).toBeGreaterThan(clients);
    expect(Math.max(...rows.map(({ times }) => times.length))).toBeLessThanOrEqual(perClient);

    // Whoever asks for a message can name it, and has five guesses by that, however many clients share it.
    const asking = running.http.post('/resend').set('X-Forwarded-For', '198.51.100.1');
    const { message_id } = (await asking.send({ type: 'signup', email }).expect(200)).body as {
      message_id: string;
    };
    const others = codes.filter((other) => other !== code).slice(0, 200);
    const byName = { network: '198.51.100', message_id };
    expect(await guessOverHttp(email, others, byName)).toEqual({ 403: others.length });
    expect(compared).toHaveBeenCalledTimes(2 * granted);
    compared.mockRestore();

    const right = { type: 'signup', email, token: code };
    const stranger = { 'X-Forwarded-For': '192.0.2.77' };
    await running.http.post('/verify').set(stranger).send(right).expect(429);
    // From where it was asked for the code is taken all the while.
    await running.http.post('/verify').send(right).expect(200);
    // Less than a minute of work, on a machine that may have much else to do.
  }, 600_000);

  it('at one address keeps nobody else from confirming theirs', async () => {
    const email = 'bystander@example.com';
    await insertUser(running, { email });
    const { code } = await arrived(running, email, await resend(running, { type: 'signup', email }));
    const codes = Array.from({ length: 1_000 }, (_, i) => String(i).padStart(6, '0'));
    // From clients that have not guessed before: the others may be beyond their share.
    const flood = guessOverHttp('flooded@example.com', codes, { network: '203.0.114' });
    await running.http.post('/verify').send({ type: 'signup', email, token: code }).expect(200);
    expect(await flood).toEqual({ 403: granted, 429: codes.length - granted });
  });
});

describe('A stranger who guesses as fast as they like', () => {
  let running: RunningApp;
  let count = 0;

  beforeAll(async () => {
    running = await startApp({
      env: { TRUST_PROXY: '1', LIMIT_IP: '10000/1s', LIMIT_EMAIL: '50/1s', LIMIT_SMS: '50/1s' },
    });
  });
  afterAll(() => running.stop());

  const strangers = (i: number) => ({ 'X-Forwarded-For': `203.0.113.${i % 250}` });
  const verify = (body: object, client: Record<string, string> = {}) =>
    running.http.post('/verify').set(client).send(body);
  const wrong = (code: string, by = 1) => String((Number(code) + by) % 1_000_000).padStart(6, '0');

  /** Somebody who has asked for a code, from the address of these tests, and got it. */
  async function waiting(channel: 'email' | 'sms') {
    count += 1;
    const to = channel === 'sms' ? `+12025550${100 + count}` : `waiting-${count}@example.com`;
    const address = channel === 'sms' ? { phone: to } : { email: to };
    await insertUser(running, { ...address, emailConfirmedAt: new Date(), phoneConfirmedAt: new Date() });
    const request = { type: channel === 'sms' ? 'sms' : 'recovery', ...address };
    const message_id = await resend(running, request);
    const { code } = await arrived(running, to, message_id);
    return { request, message_id, code, to };
  }

  /** All that strangers can do: guess without a message, and with messages that they have asked for themselves. */
  async function besieged({ request, code }: Awaited<ReturnType<typeof waiting>>, rounds: number) {
    for (let round = 0; round < rounds; round += 1) {
      const theirs = await running.http.post('/resend').set(strangers(round)).send(request).expect(200);
      const { message_id } = theirs.body as { message_id: string };
      for (let i = 1; i <= 7; i += 1) {
        const guess = { ...request, token: wrong(code, round * 10 + i) };
        await verify(guess, strangers(round * 7 + i));
        await verify({ ...guess, message_id }, strangers(round * 7 + i));
      }
    }
  }

  it.each(['sms', 'email'] as const)(
    'keeps nobody from a right code by %s that names its message',
    async (channel) => {
      const person = await waiting(channel);
      await besieged(person, 4);
      const elsewhere = { 'X-Forwarded-For': '192.0.2.9' };
      const right = { ...person.request, token: person.code };
      await verify(right, elsewhere).expect(429);
      await verify({ ...right, message_id: person.message_id }, elsewhere).expect(200);
    },
  );

  it.each(['sms', 'email'] as const)(
    'keeps nobody from a right code by %s that comes from where it was asked for',
    async (channel) => {
      const person = await waiting(channel);
      await besieged(person, 4);
      await verify({ ...person.request, token: person.code }).expect(200);
    },
  );

  it('comes to an end: after thirty guesses those without a message are compared no more, for good', async () => {
    const person = await waiting('email');
    for (let i = 0; i < 30; i += 1) {
      await verify({ ...person.request, token: wrong(person.code, i + 1) }, strangers(i)).expect(403);
      if (i % 5 === 4) running.clock.advance(600_000);
    }
    // Three hours later there is another code, and it is no use to them.
    const message_id = await resend(running, person.request);
    const { code } = await arrived(running, person.to, message_id);
    const right = { ...person.request, token: code };
    const refused = await verify(right, strangers(99)).expect(403);
    expect(refused.body).toMatchObject({ error_code: 'otp_expired' });
    await verify(right).expect(200);
    // A success begins the total anew.
    const next = await arrived(running, person.to, await resend(running, person.request));
    await verify({ ...person.request, token: next.code }, strangers(99)).expect(200);
  });

  it.each(['sms', 'email'] as const)(
    'leaves, after a hundred, codes by %s that are beyond guessing',
    async (channel) => {
      const person = await waiting(channel);
      for (let i = 0; i < 20; i += 1) {
        const { message_id } = (await running.http.post('/resend').set(strangers(i)).send(person.request))
          .body as {
          message_id: string;
        };
        for (let n = 0; n < 5; n += 1)
          await verify(
            { ...person.request, token: wrong(person.code, i * 5 + n + 1), message_id },
            strangers(i),
          ).expect(403);
      }
      // The first of its type in an hour leaves, however many there were.
      running.clock.advance(2 * 3_600_000);
      const message_id = await resend(running, person.request);
      const message = await arrived(running, person.to, message_id);
      if (channel === 'sms') {
        expect(message.code).toMatch(/^\d{8}$/);
        const dashed = message.code.replace(/^..../, '$&-');
        await verify({ ...person.request, token: dashed, message_id }).expect(200);
      } else {
        expect(message.code).toBeNull();
        expect(message.text).toContain('The link works for');
        const token = new URL(message.link ?? '').searchParams.get('token');
        await verify({ ...person.request, token }).expect(200);
      }
      running.clock.advance(2 * 3_600_000);
      const after = await arrived(running, person.to, await resend(running, person.request));
      expect(after.code).toMatch(/^\d{6}$/);
    },
  );

  it('is refused after thirty guesses at thirty people, and so is nobody else', async () => {
    const one = { 'X-Forwarded-For': '192.0.2.30' };
    for (let i = 0; i < 30; i += 1)
      await verify({ type: 'signup', email: `of-thirty-${i}@example.com`, token: '000000' }, one).expect(403);
    const guess = { type: 'signup', email: 'one-more@example.com', token: '000000' };
    const refused = await verify(guess, one).expect(429);
    expect(refused.body).toMatchObject({ error_code: 'over_verify_limit' });
    expect(refused.headers['retry-after']).toBe('600');
    await verify(guess, { 'X-Forwarded-For': '192.0.2.31' }).expect(403);
  });

  it('is counted in the figures and in the log, where no address stands', async () => {
    const person = await waiting('sms');
    running.logLines.length = 0;
    await verify({ ...person.request, token: wrong(person.code), message_id: person.message_id }).expect(403);
    const lines = running.logLines.filter(({ msg }) => msg === 'A code was wrong');
    expect(lines).toEqual([expect.objectContaining({ type: 'sms', count: 'message' })]);
    expect(JSON.stringify(lines)).not.toContain(person.to.slice(4));
    const { text } = await running.http.get('/metrics').expect(200);
    expect(text).toMatch(/strike_auth_wrong_codes_total\{type="sms",count="message"\} \d+/);
  });

  describe('and what is left of the guesses', () => {
    type Told = { status: number; body: unknown };

    /** What a conversation about this address is answered, in which two days pass. */
    async function conversation(email: string): Promise<Told[]> {
      count += 1;
      const asker = { 'X-Forwarded-For': `192.0.3.${count}` };
      const other = { 'X-Forwarded-For': `192.0.4.${count}` };
      const request = { type: 'signup', email };
      const told: Told[] = [];
      const asked = await running.http.post('/resend').set(asker).send(request).expect(200);
      const { message_id } = asked.body as { message_id: string };
      await ended(running, message_id);
      const guess = async (client: Record<string, string>, fields: object, times: number) => {
        for (let i = 0; i < times; i += 1) {
          const { status, body } = await verify({ ...request, token: '000000', ...fields }, client);
          told.push({ status, body: body as unknown });
        }
      };
      await guess(asker, { message_id }, 2);
      running.clock.advance(86_400_000 - 60_000);
      await guess(other, { message_id }, 5);
      await guess(other, { message_id: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f' }, 1);
      await guess(other, { message_id: 7 }, 1);
      await guess(asker, {}, 11);
      running.clock.advance(86_400_000);
      await running.app.get(Housekeeping).sweep();
      await guess(asker, { message_id }, 3);
      await guess(asker, {}, 3);
      return told;
    }

    it('tells nothing of who is known, not after two days either', async () => {
      const unknown = await conversation('left-nobody@example.com');
      const left = unknown.map(
        ({ status, body }) => (body as { attempts_left?: number }).attempts_left ?? status,
      );
      expect(left).toEqual([
        4,
        3,
        2,
        1,
        0,
        0,
        0,
        ...[403, 403],
        ...Array.from({ length: 8 }, () => 403),
        429,
        429,
        429,
        ...[403, 403, 403, 403, 403, 429],
      ]);
      await insertUser(running, { email: 'left-somebody@example.com' });
      expect(await conversation('left-somebody@example.com')).toEqual(unknown);
      await insertUser(running, { email: 'left-banned@example.com', bannedUntil: new Date('2999-01-01') });
      expect(await conversation('left-banned@example.com')).toEqual(unknown);
      await insertUser(running, { email: 'left-confirmed@example.com', emailConfirmedAt: new Date() });
      expect(await conversation('left-confirmed@example.com')).toEqual(unknown);
    });
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

    it.each(['known', 'unknown'])('compare five codes and five together for a %s address', async (whose) => {
      const email = `${whose}@example.com`;
      if (whose === 'known') {
        const { status } = await processes[0]!.post('/signup', { email, password: 'correct horse battery' });
        expect(status).toBe(200);
      }
      await processes[0]!.post('/resend', { type: 'recovery', email });
      const answers = await Promise.all(
        Array.from({ length: 14 }, (_, i) =>
          processes[i % 2]!.post('/verify', { type: 'recovery', email, token: String(100_000 + i) }),
        ),
      );
      const counts: Counts = {};
      for (const { status } of answers) added(counts, status);
      // Five by the message that this client asked for, and five that anybody has.
      expect(counts).toEqual({ 403: 2 * granted, 429: 14 - 2 * granted });
    });
  });
}
