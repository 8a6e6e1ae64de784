import type { Response } from 'supertest';
import { errorBodies } from './support/error-bodies.js';
import { ended } from './support/messages.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

let running: RunningApp;

const seconds = 1_000;
const minutes = 60 * seconds;

// Each client has an address of its own, through a proxy that is trusted.
let clients = 0;
const newClient = () => `203.0.113.${++clients}`;

function resend(body: object, client = newClient()) {
  return running.http.post('/resend').set('X-Forwarded-For', client).send(body);
}

const statusOf = async (body: object, client?: string) => (await resend(body, client)).status;

function limitHeaders({ headers }: Response) {
  return Object.fromEntries(
    Object.entries(headers as Record<string, string>).filter(([name]) => name.includes('ratelimit')),
  );
}

beforeAll(async () => {
  running = await startApp({ env: { TRUST_PROXY: '1' } });
});

// Whatever the test before has used up has left every window.
beforeEach(() => {
  running.clock.advance(11 * minutes);
});

afterAll(() => running.stop());

describe('the limits as they come', () => {
  it('admit three email confirmations in five minutes for an address and a type, all spellings together', async () => {
    for (const email of ['user@example.com', 'USER@Example.com', '"user"@example.com']) {
      expect(await statusOf({ type: 'recovery', email })).toBe(200);
      running.clock.advance(10 * seconds);
    }
    const refused = await resend({ type: 'recovery', email: '  user@EXAMPLE.com' });
    expect(refused.status).toBe(429);
    expect(refused.body).toEqual(errorBodies.tooManyRequests('over_email_send_rate_limit', 270));
    expect(refused.headers['retry-after']).toBe('270');
    expect(await statusOf({ type: 'recovery', email: 'other@example.com' })).toBe(200);
  });

  it('leave an owner their recovery, whatever a stranger asks for their address', async () => {
    const email = 'owner@example.com';
    await insertUser(running, { email, emailConfirmedAt: new Date() });
    for (const type of ['email_change', 'signup', 'magiclink']) {
      for (let i = 0; i < 4; i++) await resend({ type, email });
      expect(await statusOf({ type, email })).toBe(429);
    }
    for (let i = 0; i < 4; i++)
      await running.http
        .post('/signup')
        .set('X-Forwarded-For', newClient())
        .send({ email, password: 'a'.repeat(20) });
    const owners = await resend({ type: 'recovery', email });
    expect(owners.status).toBe(200);
    const id = (owners.body as { message_id: string }).message_id;
    expect(await ended(running, id)).toMatchObject({ status: 'sent' });
  });

  it('admit two SMS confirmations in five minutes for a number and a type, however it is written', async () => {
    expect(await statusOf({ type: 'sms', phone: '+1234567890' })).toBe(200);
    expect(await statusOf({ type: 'sms', phone: '+1 (234) 567-890' })).toBe(200);
    const refused = await resend({ type: 'sms', phone: '\u202d+1234567890\u202c' });
    expect(refused.body).toEqual(errorBodies.tooManyRequests('over_sms_send_rate_limit', 300));
    expect(await statusOf({ type: 'signup', phone: '+1234567890' })).toBe(200);
  });

  it('admit ten requests in ten minutes for a client, well-formed or not', async () => {
    const client = newClient();
    for (let i = 0; i < 5; i++) {
      expect(await statusOf({ type: 'signup', email: `user${i}@example.com` }, client)).toBe(200);
      expect(await statusOf({ type: 'nonsense' }, client)).toBe(400);
    }
    const refused = await resend({ type: 'signup', email: 'user9@example.com' }, client);
    expect(refused.body).toEqual(errorBodies.tooManyRequests('over_request_rate_limit', 600));
    expect(refused.headers['retry-after']).toBe('600');
    expect(await statusOf({ type: 'signup', email: 'user9@example.com' })).toBe(200);
  });

  it('count a client on all routes that ask for messages together', async () => {
    const client = newClient();
    const signUp = () => running.http.post('/signup').set('X-Forwarded-For', client).send({});
    const change = () => running.http.put('/user').set('X-Forwarded-For', client).send({});
    for (let i = 0; i < 4; i++) expect((await signUp()).status).toBe(400);
    for (let i = 0; i < 4; i++) expect((await change()).status).toBe(401);
    for (let i = 0; i < 2; i++) expect(await statusOf({}, client)).toBe(400);
    for (const beyond of [await resend({}, client), await signUp(), await change()])
      expect(beyond.body).toEqual(errorBodies.tooManyRequests('over_request_rate_limit', 600));
  });

  it('slide: a slot is free the moment its request leaves the window, and a refusal prolongs nothing', async () => {
    const body = { type: 'signup', email: 'user@example.com' };
    for (let i = 0; i < 3; i++) {
      expect(await statusOf(body)).toBe(200);
      running.clock.advance(1 * minutes);
    }
    for (let i = 0; i < 4; i++) {
      expect(await statusOf(body)).toBe(429);
      running.clock.advance(29 * seconds);
    }
    // 4 min 56 s have gone by since the first.
    running.clock.advance(4 * seconds - 1);
    expect(await statusOf(body)).toBe(429);
    running.clock.advance(1);
    expect(await statusOf(body)).toBe(200);
    expect(await statusOf(body)).toBe(429);
  });
});

describe('a refusal', () => {
  it('says in its body how long to wait, as the header does, and as a problem too', async () => {
    const body = { type: 'recovery', email: 'user@example.com' };
    for (let i = 0; i < 3; i++) await resend(body);
    const plain = await resend(body);
    const problem = await resend(body).set('Accept', 'application/problem+json');
    expect(plain.body).toMatchObject({ code: 429, retry_after: 300 });
    expect(JSON.parse(problem.text)).toMatchObject({ status: 429, retry_after: 300 });
    expect([plain, problem].map(({ headers }) => headers['retry-after'] as string)).toEqual(['300', '300']);
  });
});

describe('what costs an identifier nothing', () => {
  const body = { type: 'signup', email: 'victim@example.com' };

  it('a malformed request', async () => {
    for (let i = 0; i < 5; i++) {
      expect(await statusOf({ ...body, redirect_to: 'https://evil.example' })).toBe(400);
      expect(await statusOf({ ...body, captcha_token: 7 })).toBe(400);
    }
    expect(limitHeaders(await resend(body))['ratelimit']).toContain('"email";r=2;');
  });

  it('a request that the limit of the client refuses', async () => {
    const client = newClient();
    for (let i = 0; i < 10; i++) await resend({ type: 'nonsense' }, client);
    for (let i = 0; i < 5; i++) expect(await statusOf(body, client)).toBe(429);
    expect(limitHeaders(await resend(body))['ratelimit']).toContain('"email";r=2;');
  });
});

describe('the headers', () => {
  it('tell of both limits on a 200, as in the example of the documentation', async () => {
    expect(limitHeaders(await resend({ type: 'signup', email: 'user@example.com' }))).toEqual({
      'x-ratelimit-limit': '3',
      'x-ratelimit-remaining': '2',
      'x-ratelimit-reset': '300',
      'ratelimit-policy': '"ip";q=10;w=600, "email";q=3;w=300',
      ratelimit: '"ip";r=9;t=600, "email";r=2;t=300',
    });
  });

  it.each([
    ['a 400', 400, 'application/json', '{"type":"sms"}'],
    ['malformed JSON', 400, 'application/json', '{'],
    ['a 413', 413, 'application/json', 'x'.repeat(20_000)],
    ['a 415', 415, 'text/plain', 'x'],
  ])('are on %s too', async (_what, status, type, body) => {
    const response = await running.http
      .post('/resend')
      .set('X-Forwarded-For', newClient())
      .set('Content-Type', type)
      .send(body);
    expect(response.status).toBe(status);
    expect(limitHeaders(response)).toEqual({
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '9',
      'x-ratelimit-reset': '600',
      'ratelimit-policy': '"ip";q=10;w=600',
      ratelimit: '"ip";r=9;t=600',
    });
  });

  it('are exposed to scripts of other origins', async () => {
    const response = await resend({ type: 'signup', email: 'user@example.com' }).set(
      'Origin',
      'https://app.example.com',
    );
    const exposed = String(response.headers['access-control-expose-headers']).toLowerCase().split(/, */);
    const names = [
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
      'ratelimit',
      'ratelimit-policy',
    ];
    expect(exposed).toEqual(expect.arrayContaining([...names, 'retry-after']));
  });

  it('are the same for somebody and for nobody, over the whole quota', async () => {
    await insertUser(running, { email: 'somebody@example.com', emailConfirmedAt: new Date() });
    const seen = [];
    for (const email of ['somebody@example.com', 'nobody@example.com']) {
      const client = newClient();
      const answers = [];
      for (let i = 0; i < 4; i++) {
        const response = await resend({ type: 'magiclink', email }, client);
        const fixed = Object.entries(response.headers as Record<string, string>).filter(
          ([name]) => name !== 'x-request-id' && name !== 'date',
        );
        answers.push({
          status: response.status,
          headers: fixed,
          fields: Object.keys(response.body as object),
        });
      }
      seen.push(answers);
    }
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]?.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  });
});
