import type { Challenge } from 'altcha-lib';
import type { Response } from 'supertest';
import { solveAltcha } from './support/altcha.js';
import { captchaAt } from './support/captcha-rigs.js';
import { errorBodies } from './support/error-bodies.js';
import { SiteverifyServer } from './support/siteverify-server.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

const minutes = 60_000;
const secret = '0x4AAAAAAA-the-secret-of-the-site';
const captchaFailed = {
  code: 400,
  error_code: 'captcha_failed',
  msg: 'Captcha verification failed',
  details: 'Solve the captcha and send its token as captcha_token',
};

let vendor: SiteverifyServer;
let running: RunningApp;

// Each client has an address of its own, through a proxy that is trusted.
let clients = 0;
const newClient = () => `203.0.113.${++clients}`;
let addresses = 0;
const newAddress = () => `user${++addresses}@example.com`;
let tokens = 0;

/** A Turnstile widget was solved on our page. */
function solved(action = 'resend'): { captcha_token: string } {
  const token = `0.turnstile-${++tokens}`;
  const challenge_ts = new Date(running.clock.now()).toISOString();
  vendor.issue(token, { hostname: 'localhost', action, challenge_ts });
  return { captcha_token: token };
}

function resend(email: string, fields: object = {}, client = newClient()) {
  return running.http
    .post('/resend')
    .set('X-Forwarded-For', client)
    .send({ type: 'signup', email, ...fields });
}

const statusOf = async (...request: Parameters<typeof resend>) => (await resend(...request)).status;

/** A limit of the answer's `RateLimit`, such as `r=1;t=300`. */
function limitIn(response: Response, name: string): string | undefined {
  const limits = String(response.headers['ratelimit']).split(', ');
  return limits.find((item) => item.startsWith(`"${name}";`))?.slice(name.length + 3);
}

async function start(env: Record<string, string>): Promise<void> {
  vendor = await SiteverifyServer.start(secret);
  running = await startApp({
    env: {
      CAPTCHA_PROVIDERS: 'turnstile',
      TURNSTILE_SECRET: secret,
      TRUST_PROXY: '1',
      ...env,
    },
    override: captchaAt(vendor.url),
  });
}

async function stop(): Promise<void> {
  const log = JSON.stringify(running.logLines);
  await running.stop();
  await vendor.stop();
  // Not even when everything is logged.
  expect(log).not.toContain(secret);
  expect(log).not.toContain('0.turnstile-');
}

describe('CAPTCHA_MODE=step-up', () => {
  beforeAll(() => start({ CAPTCHA_MODE: 'step-up' }));
  afterEach(() => running.clock.advance(11 * minutes));
  afterAll(stop);

  it('asks for nothing while there is plenty, and for a captcha when the last slot of an address is due', async () => {
    const email = newAddress();
    expect(limitIn(await resend(email).expect(200), 'email')).toBe('r=2;t=300');
    expect(limitIn(await resend(email).expect(200), 'email')).toBe('r=1;t=300');
    expect(vendor.questions).toHaveLength(0);
    const refused = await resend(email).expect(400);
    expect(refused.body).toEqual(captchaFailed);
    expect(limitIn(await resend(email, solved()).expect(200), 'email')).toBe('r=0;t=300');
  });

  it('does not lock somebody out whose quota a stranger spends, over and over', async () => {
    const victim = newAddress();
    for (let i = 0; i < 8; i++) await resend(victim);
    expect(await statusOf(victim)).toBe(400);
    expect(await statusOf(victim, solved())).toBe(200);
    for (let i = 0; i < 8; i++) await resend(victim, { captcha_token: 'bad' });
    const second = await resend(victim, solved()).expect(200);
    expect(second.headers['ratelimit-policy']).toBe('"ip";q=10;w=600, "email-captcha";q=3;w=300');
    expect(limitIn(second, 'email-captcha')).toBe('r=2;t=300');
  });

  it('grants with captchas one quota more, and then nobody anything until a slot is free', async () => {
    const email = newAddress();
    for (let i = 0; i < 2; i++) expect(await statusOf(email)).toBe(200);
    running.clock.advance(1 * minutes);
    for (let i = 0; i < 4; i++) expect(await statusOf(email, solved())).toBe(200);
    const refused = await resend(email, solved()).expect(429);
    expect(refused.body).toEqual(errorBodies.tooManyRequests('over_email_send_rate_limit', 240));
    expect(refused.headers['retry-after']).toBe('240');
    running.clock.advance(4 * minutes);
    expect(await statusOf(email, solved())).toBe(200);
  });

  it('does so for SMS as well', async () => {
    const sms = (fields: object = {}) =>
      running.http
        .post('/resend')
        .set('X-Forwarded-For', newClient())
        .send({ type: 'sms', phone: '+1234567890', ...fields });
    await sms().expect(200);
    await sms().expect(400, captchaFailed);
    for (let i = 0; i < 3; i++) await sms(solved()).expect(200);
    const refused = await sms(solved()).expect(429);
    expect(refused.body).toMatchObject({ error_code: 'over_sms_send_rate_limit' });
  });

  it('asks a client that has nearly spent its quota, and lets it go on with captchas, up to a second one', async () => {
    const client = newClient();
    for (let i = 0; i < 8; i++) expect(await statusOf(newAddress(), {}, client)).toBe(200);
    expect((await resend(newAddress(), {}, client).expect(400)).body).toEqual(captchaFailed);
    expect(await statusOf(newAddress(), solved(), client)).toBe(200);
    const beyond = await resend(newAddress(), solved(), client).expect(200);
    expect(limitIn(beyond, 'ip-captcha')).toBe('r=9;t=600');
    for (let i = 0; i < 9; i++) await resend(newAddress(), { captcha_token: 'bad' }, client).expect(400);
    const asked = vendor.questions.length;
    const refused = await resend(newAddress(), solved(), client).expect(429);
    expect(refused.body).toMatchObject({ error_code: 'over_request_rate_limit' });
    expect(vendor.questions).toHaveLength(asked);
  });

  it('checks one token for both limits, since it is good once', async () => {
    const [client, email] = [newClient(), newAddress()];
    for (let i = 0; i < 8; i++) await resend(email, {}, client);
    expect(await statusOf(email, solved(), client)).toBe(200);
  });

  it('asks for nothing when a request is repeated under its key', async () => {
    const email = newAddress();
    const post = () => resend(email, {}).set('Idempotency-Key', `key-of-${email}`);
    const client = newClient();
    const first = await post().set('X-Forwarded-For', client).expect(200);
    await resend(email);
    await resend(email).expect(400);
    const again = await post().set('X-Forwarded-For', client).expect(200);
    expect(again.body).toEqual(first.body);
  });

  it('says the same of somebody and of nobody, all the way', async () => {
    const [somebody, nobody] = ['somebody@example.com', 'nobody1@example.com'];
    await insertUser(running, { email: somebody, emailConfirmedAt: new Date() });
    const seen = [];
    for (const email of [somebody, nobody]) {
      const client = newClient();
      const answers = [];
      for (let i = 0; i < 24; i++) {
        const response = await resend(email, i % 3 === 2 ? solved() : {}, client);
        const headers = Object.entries(response.headers as Record<string, string>).filter(
          ([name]) => name !== 'x-request-id' && name !== 'date',
        );
        const { message_id, ...body } = response.body as Record<string, unknown>;
        answers.push({ status: response.status, headers, body, accepted: typeof message_id });
      }
      seen.push(answers);
      running.clock.advance(11 * minutes);
    }
    expect(seen[0]).toEqual(seen[1]);
    expect(new Set(seen[0]?.map(({ status }) => status))).toEqual(new Set([200, 400, 429]));
  });

  it('stands before a sign-up too, whose captchas are of no use elsewhere', async () => {
    const client = newClient();
    const signUp = (fields: object = {}) =>
      running.http
        .post('/signup')
        .set('X-Forwarded-For', client)
        .send({ email: newAddress(), password: 'correct horse battery staple', ...fields });
    for (let i = 0; i < 8; i++) await signUp().expect(200);
    await signUp(solved('resend')).expect(400, captchaFailed);
    await signUp(solved('signup')).expect(200);
  });
});

describe('CAPTCHA_MODE=always', () => {
  beforeAll(() => start({ CAPTCHA_MODE: 'always', CAPTCHA_PROVIDERS: 'altcha,turnstile' }));
  afterEach(() => running.clock.advance(11 * minutes));
  afterAll(stop);

  const challenge = (client = newClient()) =>
    running.http.get('/captcha/challenge').set('X-Forwarded-For', client);

  it('takes work that was done for a challenge of our own, once', async () => {
    const { body, headers } = await challenge().expect(200);
    expect(headers['cache-control']).toBe('no-store');
    const captcha_token = await solveAltcha(body as Challenge);
    await resend(newAddress(), { captcha_token }).expect(200);
    expect((await resend(newAddress(), { captcha_token }).expect(400)).body).toEqual(captchaFailed);
  });

  it('takes the token of another captcha at the same time', async () => {
    await resend(newAddress(), solved()).expect(200);
    await resend(newAddress(), solved('signup')).expect(400);
  });

  it('opens no second quota: the limit is what it says', async () => {
    const email = newAddress();
    for (let i = 0; i < 3; i++) await resend(email, solved()).expect(200);
    const refused = await resend(email, solved()).expect(429);
    expect(refused.headers['ratelimit-policy']).toBe('"ip";q=10;w=600, "email";q=3;w=300');
  });

  it('limits by client how many challenges there are', async () => {
    const client = newClient();
    for (let i = 0; i < 10; i++) await challenge(client).expect(200);
    const refused = await challenge(client).expect(429);
    expect(refused.body).toEqual(errorBodies.tooManyRequests('over_request_rate_limit', 600));
  });

  it('gives a challenge that has expired no chance', async () => {
    const captcha_token = await solveAltcha((await challenge().expect(200)).body as Challenge);
    running.clock.advance(5 * minutes);
    await resend(newAddress(), { captcha_token }).expect(400);
  });

  it('is unavailable when the vendor is, at no cost to the identifier', async () => {
    const email = newAddress();
    vendor.answersWith(500, 'Internal Server Error');
    for (let i = 0; i < 4; i++) {
      const response = await resend(email, solved()).expect(503);
      expect(response.body).toMatchObject({ error_code: 'captcha_unavailable' });
      expect(response.headers['retry-after']).toBe('5');
    }
    const { body } = await challenge().expect(200);
    await resend(email, { captcha_token: await solveAltcha(body as Challenge) }).expect(200);
    vendor.misbehaviour = undefined;
    expect(limitIn(await resend(email, solved()).expect(200), 'email')).toBe('r=1;t=300');
  });
});

describe('CAPTCHA_ON_OUTAGE=open', () => {
  describe('with a captcha always', () => {
    beforeAll(() => start({ CAPTCHA_MODE: 'always', CAPTCHA_ON_OUTAGE: 'open' }));
    afterAll(stop);

    it('lets one request of three pass while nobody can say, and none without a token', async () => {
      const email = newAddress();
      vendor.answersWith(500, 'Internal Server Error');
      await resend(email).expect(400);
      const passed = await resend(email, solved()).expect(200);
      expect(passed.headers['ratelimit-policy']).toBe('"ip";q=10;w=600, "email";q=1;w=300');
      await resend(email, solved()).expect(429);
      vendor.misbehaviour = undefined;
      await resend(email, { captcha_token: 'bad' }).expect(400);
      expect(limitIn(await resend(email, solved()).expect(200), 'email')).toBe('r=1;t=300');
      const warnings = running.logLines.filter(({ msg }) => String(msg).includes('could not be checked'));
      expect(warnings.map(({ level }) => level)).toEqual(['warn', 'warn']);
    });
  });

  describe('with step-up', () => {
    beforeAll(() => start({ CAPTCHA_MODE: 'step-up', CAPTCHA_ON_OUTAGE: 'open' }));
    afterAll(stop);

    it('never opens a second quota', async () => {
      vendor.answersWith(500, 'Internal Server Error');
      const email = newAddress();
      for (let i = 0; i < 2; i++) await resend(email).expect(200);
      for (let i = 0; i < 3; i++) await resend(email, solved()).expect(429);
      const client = newClient();
      for (let i = 0; i < 8; i++) await resend(newAddress(), {}, client).expect(200);
      for (let i = 0; i < 2; i++) await resend(newAddress(), solved(), client).expect(200);
      await resend(newAddress(), solved(), client).expect(503);
    });
  });
});

describe('CAPTCHA_MODE=off', () => {
  beforeAll(() => start({}));
  afterAll(stop);

  it('asks nobody anything and issues no challenges', async () => {
    await resend(newAddress(), { captcha_token: 'whatever' }).expect(200);
    expect(vendor.questions).toHaveLength(0);
    const response = await running.http.get('/captcha/challenge').expect(404);
    expect(response.body).toMatchObject({ error_code: 'not_found' });
  });
});
