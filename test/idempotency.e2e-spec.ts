import { randomUUID } from 'node:crypto';
import type { Response } from 'supertest';
import { DataSource } from 'typeorm';
import { ApiError } from '../src/http/api-error.js';
import { CaptchaGuard } from '../src/auth/accept/captcha/captcha.guard.js';
import { Outbox } from '../src/auth/outbox/outbox.js';
import { OutboxWorker } from '../src/auth/outbox/outbox.worker.js';
import { Housekeeping } from '../src/housekeeping/housekeeping.js';
import { errorBodies } from './support/error-bodies.js';
import { eventually } from './support/eventually.js';
import { arrived, inboxOf } from './support/inbox.js';
import { ended } from './support/messages.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

const day = 24 * 60 * 60 * 1_000;
const env = { TRUST_PROXY: '1', LIMIT_IP: '1000/10m', REDIRECT_ALLOW_LIST: 'https://yourapp.com' };

let running: RunningApp;
let email: string;
let key: string;

beforeAll(async () => {
  running = await startApp({ env });
});
afterAll(() => running.stop());
beforeEach(() => {
  email = `${randomUUID()}@example.com`;
  key = `"${randomUUID()}"`;
});
afterEach(() => jest.restoreAllMocks());

interface Sending {
  body?: object;
  key?: string;
  client?: string;
  app?: RunningApp;
}

function post({ body = { type: 'signup', email }, ...how }: Sending = {}) {
  return (how.app ?? running).http
    .post('/resend')
    .set('Idempotency-Key', how.key ?? key)
    .set('X-Forwarded-For', how.client ?? '192.0.2.1')
    .send(body);
}

const messageId = ({ body }: Response) => (body as { message_id: string }).message_id;
const database = () => running.app.get(DataSource);

/** How many messages the outbox has for the address of this test. */
async function accepted(recipient = email): Promise<number> {
  const rows = await database().query<unknown[]>('SELECT FROM messages WHERE recipient = $1', [recipient]);
  return rows.length;
}

/** How many slots the address of this test has left, which costs one to find out. */
async function slotsLeft(): Promise<number> {
  const response = await running.http.post('/resend').send({ type: 'signup', email });
  return Number(/"email";r=(\d+)/.exec(String(response.headers['ratelimit']))?.[1]) + 1;
}

/** Holds the next request up just before it puts its message into the outbox. */
function heldUp() {
  const outbox = running.app.get(Outbox);
  const accept = outbox.accept.bind(outbox);
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const held = jest.spyOn(outbox, 'accept').mockImplementationOnce(async (request) => {
    await released;
    return accept(request);
  });
  return { release, untilThere: () => eventually('the held request', () => held.mock.calls.length > 0) };
}

/** Fails the next statement that has this in it, before or after it was carried out. */
function failing(part: string, when: 'before' | 'after') {
  const dataSource = database();
  const query = dataSource.query.bind(dataSource);
  let isDue = true;
  return jest.spyOn(dataSource, 'query').mockImplementation(async (sql, ...rest) => {
    const fails = isDue && sql.includes(part);
    if (fails) isDue = false;
    if (fails && when === 'before') throw new Error('connection lost');
    const answer: unknown = await query(sql, ...rest);
    if (fails) throw new Error('connection lost');
    return answer;
  });
}

const { idempotencyKeyInFlight: inFlight, idempotencyKeyReused: reused } = errorBodies;

describe('a retry with the same key', () => {
  it('gets the same message id, and is told that it is a retry', async () => {
    const first = await post().expect(200);
    expect(first.headers).not.toHaveProperty('idempotency-replayed');
    const second = await post().expect(200);
    expect(second.body).toEqual(first.body);
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(second.headers['content-type']).toBe(first.headers['content-type']);
    expect(await accepted()).toBe(1);
  });

  it('makes one mail arrive', async () => {
    await insertUser(running, { email });
    const answers = await Promise.all([post(), post(), post()]);
    const id = messageId(answers.find(({ status }) => status === 200)!);
    await arrived(running, email, id);
    expect(messageId(await post().expect(200))).toBe(id);
    expect(await ended(running, id)).toMatchObject({ status: 'sent', attempts: 1 });
    expect(await accepted()).toBe(1);
    expect(await inboxOf(running, email)).toHaveLength(1);
  });

  it('spends one slot of the address, and counts for the client', async () => {
    const client = '192.0.2.20';
    const first = await post({ client }).expect(200);
    for (let i = 0; i < 5; i++) await post({ client }).expect(200);
    expect(first.headers['ratelimit']).toContain('"ip";r=999;');
    expect((await post({ client })).headers['ratelimit']).toMatch(/^"ip";r=993;t=\d+$/);
    expect(await slotsLeft()).toBe(2);
  });

  it('succeeds when no slot is left', async () => {
    const first = await post().expect(200);
    expect(await slotsLeft()).toBe(2);
    expect(await slotsLeft()).toBe(1);
    expect(await slotsLeft()).toBe(1);
    expect(messageId(await post().expect(200))).toBe(messageId(first));
  });

  it('may spell the request and the key differently', async () => {
    const first = await post({ body: { type: 'sms', phone: '+1 (234) 567-890' }, key: '"spelt"' }).expect(
      200,
    );
    const second = await post({ body: { phone: '+1234567890', type: 'sms', email: null }, key: 'spelt' });
    expect(second.body).toEqual(first.body);
  });

  it('is a new request 24 hours later, and not a millisecond before', async () => {
    const first = messageId(await post().expect(200));
    running.clock.advance(day - 1);
    expect(messageId(await post().expect(200))).toBe(first);
    running.clock.advance(1);
    const next = await post().expect(200);
    expect(messageId(next)).not.toBe(first);
    expect(next.headers).not.toHaveProperty('idempotency-replayed');
    expect(await accepted()).toBe(2);
  });

  it('appears in the log with the message that it got', async () => {
    const id = messageId(await post().expect(200));
    const response = await post().expect(200);
    const line = running.logLines.find(
      ({ event, requestId }) => event === 'request' && requestId === response.headers['x-request-id'],
    );
    expect(line).toMatchObject({ route: '/resend', status: 200, messageId: id, type: 'signup' });
    expect(JSON.stringify(running.logLines)).not.toContain(key.slice(1, -1));
  });
});

describe('simultaneous requests with one key', () => {
  it('are accepted once: the others get the same id, or are told to wait', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post()));
    const fresh = answers.filter(
      ({ status, headers }) => status === 200 && !('idempotency-replayed' in headers),
    );
    expect(fresh).toHaveLength(1);
    for (const answer of answers) {
      if (answer.status === 200) expect(answer.body).toEqual(fresh[0]!.body);
      else expect([answer.body, answer.headers['retry-after']]).toEqual([inFlight, '1']);
    }
    expect(await accepted()).toBe(1);
    expect(await slotsLeft()).toBe(2);
  });

  it('are told to wait while the first is under way, and then get its message', async () => {
    const { release, untilThere } = heldUp();
    const first = post().then((response) => response);
    await untilThere();
    const second = await post().expect(409);
    expect([second.body, second.headers['retry-after']]).toEqual([inFlight, '1']);
    release();
    const answer = await first;
    expect(answer.status).toBe(200);
    expect((await post().expect(200)).body).toEqual(answer.body);
  });
});

describe('another request under the same key', () => {
  it.each([
    ['type', () => ({ type: 'recovery', email })],
    ['address', () => ({ type: 'signup', email: `x${email}` })],
    ['channel', () => ({ type: 'signup', phone: '+1234567890' })],
    ['redirect', () => ({ type: 'signup', email, redirect_to: 'https://yourapp.com/verified' })],
  ])('with another %s is refused', async (_what, other) => {
    await post().expect(200);
    const response = await post({ body: other() }).expect(422);
    expect(response.body).toEqual(reused);
    expect(await accepted()).toBe(1);
  });

  it('costs no slot', async () => {
    await post().expect(200);
    await post({ body: { type: 'recovery', email } }).expect(422);
    expect(await slotsLeft()).toBe(2);
  });
});

describe('a key', () => {
  it('is one client’s: another with the same key and the same request gets a message of its own', async () => {
    const mine = messageId(await post({ client: '192.0.2.1' }).expect(200));
    const theirs = await post({ client: '192.0.2.2' }).expect(200);
    expect(theirs.headers).not.toHaveProperty('idempotency-replayed');
    expect(messageId(theirs)).not.toBe(mine);
    expect(messageId(await post({ client: '192.0.2.1' }).expect(200))).toBe(mine);
  });

  it('does not show another client that it is in use', async () => {
    await post({ client: '192.0.2.1' }).expect(200);
    await post({ client: '192.0.2.2', body: { type: 'recovery', email } }).expect(200);
  });

  it('holds for the whole /64 of an IPv6 client', async () => {
    const first = await post({ client: '2001:db8:1:2::1' }).expect(200);
    expect((await post({ client: '2001:db8:1:2:ffff::9' }).expect(200)).body).toEqual(first.body);
    expect((await post({ client: '2001:db8:1:3::1' }).expect(200)).body).not.toEqual(first.body);
  });

  it('that is malformed is refused before it costs anything', async () => {
    for (const malformed of ['""', '"a', 'a b', 'x'.repeat(256)]) {
      const response = await post({ key: malformed }).expect(400);
      expect(response.body).toEqual(errorBodies.invalidField(expect.stringMatching(/^Idempotency-Key must/)));
    }
    expect(await accepted()).toBe(0);
    expect(await slotsLeft()).toBe(3);
  });

  it('can be sent and its answer be read by a page of another origin', async () => {
    const origin = 'https://yourapp.com';
    const preflight = await running.http
      .options('/resend')
      .set('Origin', origin)
      .set('Access-Control-Request-Method', 'POST')
      .set('Access-Control-Request-Headers', 'content-type,idempotency-key');
    expect(preflight.headers['access-control-allow-headers']).toContain('idempotency-key');
    const response = await post().set('Origin', origin).expect(200);
    expect(response.headers['access-control-expose-headers']).toContain('Idempotency-Replayed');
  });
});

describe('a request that failed', () => {
  it('at the limit leaves its key free for a new attempt', async () => {
    for (let i = 0; i < 3; i++) await post({ key: randomUUID() }).expect(200);
    await post().expect(429);
    await post().expect(429);
    running.clock.advance(5 * 60_000);
    expect((await post().expect(200)).headers).not.toHaveProperty('idempotency-replayed');
    expect(await accepted()).toBe(4);
  });

  it('at the limit leaves its key free for another request', async () => {
    for (let i = 0; i < 3; i++) await post({ key: randomUUID() }).expect(200);
    await post().expect(429);
    await post({ body: { type: 'signup', email: `x${email}` } }).expect(200);
  });

  it('at the captcha leaves its key free', async () => {
    jest
      .spyOn(CaptchaGuard.prototype, 'canActivate')
      .mockRejectedValueOnce(new ApiError('captcha_failed', 'Solve the captcha'));
    await post().expect(400);
    await post().expect(200);
    expect(await accepted()).toBe(1);
  });

  it('for a reason that nobody foresaw leaves its key free', async () => {
    jest.spyOn(running.app.get(Outbox), 'accept').mockRejectedValueOnce(new Error('inner workings'));
    expect((await post().expect(500)).body).toEqual(errorBodies.unexpected);
    await post().expect(200);
  });

  it('because it could not be committed leaves its key free', async () => {
    failing('INSERT INTO messages', 'before');
    expect((await post().expect(503)).body).toEqual(errorBodies.unavailable);
    expect((await post().expect(200)).headers).not.toHaveProperty('idempotency-replayed');
    expect(await accepted()).toBe(1);
  });

  it('because nobody knows whether it was committed is not accepted twice', async () => {
    failing('INSERT INTO messages', 'after');
    await post().expect(503);
    const retry = await post().expect(200);
    expect(retry.headers['idempotency-replayed']).toBe('true');
    expect(await accepted()).toBe(1);
    expect(await slotsLeft()).toBe(2);
  });

  it('because the database was away when it asked for the key is answered 503', async () => {
    failing('INSERT INTO idempotency_keys', 'before');
    const response = await post().expect(503);
    expect([response.body, response.headers['retry-after']]).toEqual([errorBodies.unavailable, '5']);
    expect(await slotsLeft()).toBe(3);
  });

  it('gets its own error when its key could not be given back', async () => {
    failing('UPDATE idempotency_keys', 'before');
    jest
      .spyOn(CaptchaGuard.prototype, 'canActivate')
      .mockRejectedValueOnce(new ApiError('captcha_failed', 'Solve the captcha'));
    await post().expect(400);
    expect((await post().expect(409)).body).toEqual(inFlight);
    running.clock.advance(30_000);
    await post().expect(200);
  });
});

describe('a request that died between its key and its message', () => {
  it('is taken over by a retry after half a minute, and its message comes once, even if it was only slow', async () => {
    await insertUser(running, { email });
    const { release, untilThere } = heldUp();
    const slow = post().then((response) => response);
    await untilThere();
    running.clock.advance(29_999);
    await post().expect(409);
    running.clock.advance(1);
    const retry = await post().expect(200);
    expect(retry.headers).not.toHaveProperty('idempotency-replayed');
    release();
    expect((await slow).body).toEqual(retry.body);
    await arrived(running, email, messageId(retry));
    expect(await ended(running, messageId(retry))).toMatchObject({ status: 'sent', attempts: 1 });
    expect(await accepted()).toBe(1);
    expect(await inboxOf(running, email)).toHaveLength(1);
  });
});

describe('known and unknown addresses', () => {
  let blind: RunningApp;

  beforeAll(async () => {
    // Nothing is delivered or swept here, so every statement is the request path's.
    blind = await startApp({
      env,
      override: (module) =>
        module.overrideProvider(OutboxWorker).useValue({}).overrideProvider(Housekeeping).useValue({}),
    });
  });
  afterAll(() => blind.stop());

  /** Everything that a client sees, and every statement that was run: first request, replay, reuse, failure. */
  async function traceOf(address: string) {
    const query = jest.spyOn(blind.app.get(DataSource), 'query');
    const body = { type: 'signup', email: address };
    const sending = { app: blind, client: '192.0.2.1', key: randomUUID() };
    const answers = [
      await post({ ...sending, body }),
      await post({ ...sending, body }),
      await post({ ...sending, body: { ...body, type: 'recovery' } }),
      await post({ ...sending, body, key: randomUUID() }),
      await post({ ...sending, body, key: randomUUID() }),
      await post({ ...sending, body, key: randomUUID() }),
    ];
    const statements = query.mock.calls.map(([sql]) => sql).filter((sql) => !sql.includes('pg_notify'));
    jest.restoreAllMocks();
    expect(answers[1]!.body).toEqual(answers[0]!.body);
    return {
      statements,
      answers: answers.map(({ status, headers, text }) => ({
        status,
        headers: Object.keys(headers),
        body: text.replace(/[0-9a-f]{32}/, '').replace(/\d+ seconds?/, ''),
      })),
    };
  }

  it('get the same answers, from the same statements', async () => {
    await insertUser(blind, { email });
    const known = await traceOf(email);
    const unknown = await traceOf(`nobody-${email}`);
    expect(unknown).toEqual(known);
    expect(known.answers.map(({ status }) => status)).toEqual([200, 200, 422, 200, 200, 429]);
    expect(known.statements.filter((sql) => sql.includes('idempotency_keys')).length).toBeGreaterThan(6);
  });
});
