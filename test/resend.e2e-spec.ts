import { DataSource } from 'typeorm';
import { Outbox } from '../src/auth/outbox/outbox.js';
import { errorBodies } from './support/error-bodies.js';
import { type RunningApp, startApp } from './support/start-app.js';

let running: RunningApp;

beforeAll(async () => {
  running = await startApp({
    env: {
      LIMIT_IP: '100000/10m',
      LIMIT_EMAIL: '1000/5m',
      LIMIT_SMS: '1000/5m',
      REDIRECT_ALLOW_LIST: 'https://yourapp.com',
    },
  });
});

afterAll(() => running.stop());

const resend = (body: object | string) =>
  running.http.post('/resend').set('Content-Type', 'application/json').send(body);

interface Row {
  type: string;
  channel: string;
  recipient: string;
  redirect_to: string | null;
}

async function rowOf(messageId: string): Promise<Row> {
  const [row] = await running.app
    .get(DataSource)
    .query<Row[]>(
      `SELECT type, channel, recipient, redirect_to FROM messages WHERE replace(id::text, '-', '') = $1`,
      [messageId.slice(4)],
    );
  if (!row) throw new Error(`No row for ${messageId}`);
  return row;
}

/** Sends what must be accepted, and returns the row that was committed for it. */
async function accepted(body: object): Promise<Row> {
  const response = await resend(body).expect(200);
  return rowOf((response.body as { message_id: string }).message_id);
}

describe('a well-formed request', () => {
  it('is answered with a message id and nothing else', async () => {
    const response = await resend({ type: 'signup', email: 'user@example.com' }).expect(200);
    expect(response.body).toEqual({ message_id: expect.stringMatching(/^msg_[0-9a-f]{32}$/) as string });
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it.each([
    [
      { type: 'signup', email: 'user@example.com', redirect_to: 'https://yourapp.com/verified' },
      'email',
      'user@example.com',
    ],
    [{ type: 'sms', phone: '+1234567890' }, 'sms', '+1234567890'],
    [
      { type: 'recovery', email: 'user@example.com', redirect_to: 'https://yourapp.com/reset-password' },
      'email',
      'user@example.com',
    ],
    [
      { type: 'magiclink', email: 'user@example.com', redirect_to: 'https://yourapp.com/dashboard' },
      'email',
      'user@example.com',
    ],
    [{ type: 'email_change', email: 'newemail@example.com' }, 'email', 'newemail@example.com'],
    [{ type: 'signup', phone: '+1234567890' }, 'sms', '+1234567890'],
    [{ type: 'signup', email: 'user@example.com', phone: '+1234567890' }, 'email', 'user@example.com'],
    [{ type: 'sms', phone: '+1 (234) 567-890', email: 'user@example.com' }, 'sms', '+1234567890'],
    [{ type: 'signup', email: ' Test@EXAMPLE.com ' }, 'email', 'test@example.com'],
    [{ type: 'signup', email: 'user@bücher.example' }, 'email', 'user@xn--bcher-kva.example'],
  ])('%j goes by %s to %s', async (body, channel, recipient) => {
    expect(await accepted(body)).toEqual({
      type: body.type,
      channel,
      recipient,
      redirect_to: 'redirect_to' in body ? body.redirect_to : null,
    });
  });

  it.each([
    [
      'unknown fields',
      { type: 'signup', email: 'user@example.com', create_user: true, options: { data: {} } },
    ],
    [
      'null for what is absent',
      { type: 'signup', email: 'user@example.com', phone: null, redirect_to: null, captcha_token: null },
    ],
    [
      'a malformed field that its type does not use',
      { type: 'signup', email: 'user@example.com', phone: 'call me' },
    ],
    ['a malformed email beside an SMS type', { type: 'sms', phone: '+1234567890', email: ['x'] }],
    [
      'the captcha token of Supabase clients',
      { type: 'signup', email: 'user@example.com', gotrue_meta_security: { captcha_token: 'x' } },
    ],
    [
      'a prototype in its place',
      JSON.parse('{"type":"signup","email":"user@example.com","__proto__":{"type":1}}') as object,
    ],
  ])('may carry %s', async (_what, body) => {
    expect((await accepted(body)).recipient).toBe(
      'type' in body && body.type === 'sms' ? '+1234567890' : 'user@example.com',
    );
  });

  it('may name the charset', async () => {
    await running.http
      .post('/resend')
      .set('Content-Type', 'Application/JSON; charset="UTF-8"')
      .send('{"type":"signup","email":"user@example.com"}')
      .expect(200);
  });
});

describe('redirect_to', () => {
  it('in the query string is kept when it is allowed', async () => {
    const response = await running.http
      .post('/resend')
      .query({ redirect_to: 'https://yourapp.com/q' })
      .send({ type: 'signup', email: 'user@example.com' })
      .expect(200);
    expect((await rowOf((response.body as { message_id: string }).message_id)).redirect_to).toBe(
      'https://yourapp.com/q',
    );
  });

  it('in the query string is replaced by the default, with a warning, when it is not allowed', async () => {
    const response = await running.http
      .post('/resend')
      .query({ redirect_to: 'https://evil.example/x' })
      .send({ type: 'signup', email: 'user@example.com' })
      .expect(200);
    expect((await rowOf((response.body as { message_id: string }).message_id)).redirect_to).toBeNull();
    const warning = running.logLines.find(
      (line) => line['level'] === 'warn' && String(line['msg']).includes('redirect_to'),
    );
    expect(warning).toBeDefined();
    expect(JSON.stringify(running.logLines)).not.toContain('evil.example');
  });

  it('in the body wins over the query string', async () => {
    const response = await running.http
      .post('/resend')
      .query({ redirect_to: 'https://yourapp.com/q' })
      .send({ type: 'signup', email: 'user@example.com', redirect_to: 'https://yourapp.com/b' })
      .expect(200);
    expect((await rowOf((response.body as { message_id: string }).message_id)).redirect_to).toBe(
      'https://yourapp.com/b',
    );
  });

  it.each([
    'https://evil.example/x',
    'not a url',
    '//yourapp.com',
    'https://yourapp.com/\r\nSet-Cookie: a=b',
  ])('%j in the body is refused', async (redirectTo) => {
    const response = await resend({
      type: 'signup',
      email: 'user@example.com',
      redirect_to: redirectTo,
    }).expect(400);
    expect(response.body).toEqual(
      errorBodies.invalidField(expect.stringMatching(/^redirect_to is not on the allow list/)),
    );
  });
});

describe('a request that is refused', () => {
  it.each([
    ['no type', {}, errorBodies.typeMissing],
    ['a type of null', { type: null, email: 'user@example.com' }, errorBodies.typeMissing],
    ['an email type without an email', { type: 'recovery' }, errorBodies.emailMissing],
    [
      'an email type with a phone only',
      { type: 'magiclink', phone: '+1234567890' },
      errorBodies.emailMissing,
    ],
    ['a signup without email and phone', { type: 'signup' }, errorBodies.emailMissing],
    ['an SMS type without a phone', { type: 'sms' }, errorBodies.phoneMissing],
    ['an SMS type with an email only', { type: 'sms', email: 'user@example.com' }, errorBodies.phoneMissing],
    [
      'an unknown type',
      { type: 'invite', email: 'user@example.com' },
      errorBodies.invalidField('type must be one of signup, recovery, magiclink, email_change, sms'),
    ],
    [
      'an array for a type',
      { type: ['signup'], email: 'user@example.com' },
      errorBodies.invalidField(expect.stringMatching(/^type must be/)),
    ],
    [
      'an object for an email',
      { type: 'signup', email: { a: { b: 1 } } },
      errorBodies.invalidField(expect.stringMatching(/^email must be/)),
    ],
    [
      'an array for an email',
      { type: 'signup', email: ['user@example.com'] },
      errorBodies.invalidField(expect.stringMatching(/^email must be/)),
    ],
    [
      'a number for an email',
      { type: 'signup', email: 7 },
      errorBodies.invalidField(expect.stringMatching(/^email must be/)),
    ],
    [
      'an empty email',
      { type: 'signup', email: '' },
      errorBodies.invalidField(expect.stringMatching(/^email must be/)),
    ],
    [
      'an email of ten thousand characters',
      { type: 'signup', email: `${'a'.repeat(10_000)}@example.com` },
      errorBodies.invalidField(expect.stringMatching(/^email must be a valid email address/)),
    ],
    [
      'a header hidden in the email',
      { type: 'signup', email: 'user@example.com\r\nBcc: x@example.com' },
      errorBodies.invalidField(expect.stringMatching(/^email must be/)),
    ],
    [
      'a NUL byte in the email',
      { type: 'signup', email: 'us\u0000er@example.com' },
      errorBodies.invalidField(expect.stringMatching(/^email/)),
    ],
    [
      'a look-alike in the email',
      { type: 'signup', email: 'us\u0435r@example.com' },
      errorBodies.invalidField(expect.stringMatching(/^email/)),
    ],
    [
      'a phone without a plus',
      { type: 'sms', phone: '1234567890' },
      errorBodies.invalidField(expect.stringMatching(/^phone must be in E\.164/)),
    ],
    [
      'a captcha token of 5,000 characters',
      { type: 'sms', phone: '+12345', captcha_token: 'x'.repeat(5_000) },
      errorBodies.invalidField(expect.stringMatching(/^captcha_token must be/)),
    ],
    [
      'an object for a captcha token',
      { type: 'sms', phone: '+12345', captcha_token: {} },
      errorBodies.invalidField(expect.stringMatching(/^captcha_token must be/)),
    ],
    [
      'a number for redirect_to',
      { type: 'sms', phone: '+12345', redirect_to: 5 },
      errorBodies.invalidField('redirect_to must be a string'),
    ],
  ])('for %s is told what to do', async (_what, body, expected) => {
    const response = await resend(body).expect(400);
    expect(response.body).toEqual(expected);
  });

  it('for a lone surrogate is told what to do', async () => {
    const response = await resend('{"type":"signup","email":"us\\ud800er@example.com"}').expect(400);
    expect(response.body).toEqual(errorBodies.invalidField(expect.stringMatching(/^email must be/)));
  });

  it.each([
    ['text that is not JSON', '{"type":'],
    ['an array', '[]'],
    ['a string', '"signup"'],
    ['null', 'null'],
    ['nothing', ''],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from('{"type":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
    ],
    ['a thousand levels', `${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`],
  ])('for %s is told that the JSON is malformed', async (_what, body) => {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(`${running.url}/resend`, { method: 'POST', headers, body });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(errorBodies.badJson);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'json',
    ';',
  ])('for the content type %s is told which to use', async (type) => {
    const response = await running.http
      .post('/resend')
      .set('Content-Type', type)
      .send('{"type":"signup","email":"user@example.com"}')
      .expect(415);
    expect(response.body).toEqual(errorBodies.unsupportedMediaType);
  });

  it('for a body of a megabyte is told the limit', async () => {
    const response = await resend(JSON.stringify({ type: 'signup', email: 'x'.repeat(1_000_000) })).expect(
      413,
    );
    expect(response.body).toEqual(errorBodies.tooLarge);
  });

  it('for a large body without a declared length is told the limit', async () => {
    const response = await fetch(`${running.url}/resend`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: new Blob(['"', 'x'.repeat(50_000), '"']).stream(),
      duplex: 'half',
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual(errorBodies.tooLarge);
  });

  it('leaves nothing of what it sent in the log or the database', async () => {
    const before = await running.app
      .get(DataSource)
      .query<{ count: string }[]>('SELECT count(*) FROM messages');
    await resend({ type: 'signup', email: 'canary\r\nzebra@example.com' }).expect(400);
    await resend('{"type":"canary-zebra').expect(400);
    expect(await running.app.get(DataSource).query('SELECT count(*) FROM messages')).toEqual(before);
    expect(JSON.stringify(running.logLines)).not.toMatch(/canary|zebra/);
  });

  it('reads it as a problem when it asks for one', async () => {
    const response = await running.http
      .post('/resend')
      .set('Accept', 'application/problem+json')
      .send({ type: 'sms' })
      .expect(400);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(JSON.parse(response.text)).toEqual({
      type: 'urn:strike-auth:error:validation_failed',
      title: 'Bad Request',
      status: 400,
      detail: errorBodies.phoneMissing.details,
      ...errorBodies.phoneMissing,
    });
  });
});

describe('a request that cannot be served', () => {
  it('is answered 503, with a time to come back, when it cannot be committed', async () => {
    const outage = jest
      .spyOn(running.app.get(DataSource), 'query')
      .mockRejectedValue(new Error('connection refused'));
    const response = await resend({ type: 'signup', email: 'user@example.com' }).expect(503);
    outage.mockRestore();
    expect(response.body).toEqual(errorBodies.unavailable);
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('is answered with a bare 500 when something unforeseen happens, and the log knows why', async () => {
    const fault = jest
      .spyOn(running.app.get(Outbox), 'accept')
      .mockRejectedValue(new Error('inner workings'));
    const response = await resend({ type: 'signup', email: 'user@example.com' }).expect(500);
    fault.mockRestore();
    expect(response.body).toEqual(errorBodies.unexpected);
    const line = running.logLines.find(
      ({ requestId, level }) => requestId === response.headers['x-request-id'] && level === 'error',
    );
    expect(JSON.stringify(line)).toContain('inner workings');
  });

  it('is answered 404 where there is nothing', async () => {
    const response = await running.http.get('/nowhere').expect(404);
    expect(response.body).toEqual(errorBodies.notFound);
  });
});

describe('the log', () => {
  it('has one line for each attempt, with the address masked', async () => {
    const response = await resend({ type: 'signup', email: 'somebody.special@example.com' }).expect(200);
    const lines = running.logLines.filter(
      ({ event, requestId }) => event === 'request' && requestId === response.headers['x-request-id'],
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      route: '/resend',
      status: 200,
      type: 'signup',
      identifier: 's***@example.com',
      messageId: (response.body as { message_id: string }).message_id,
    });
    expect(JSON.stringify(running.logLines)).not.toContain('somebody.special');
  });
});
