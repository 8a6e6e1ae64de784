import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import { DataSource } from 'typeorm';
import { UserEntity } from '../src/auth/users/typeorm-users.repository.js';
import { errorBodies } from './support/error-bodies.js';
import { hostileRedirects } from './support/hostile-redirects.js';
import { arrived, type InboxMessage } from './support/inbox.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

const site = 'https://app.example.com';
const hours = 3_600_000;

describe('Verification', () => {
  let running: RunningApp;
  let count = 0;

  beforeAll(async () => {
    const env = {
      REDIRECT_ALLOW_LIST: `${site},com.example.app://callback`,
      TRUST_PROXY: '1',
      LIMIT_IP: '10000/1s',
      LIMIT_EMAIL: '50/1s',
    };
    running = await startApp({ env });
  });
  afterAll(() => running.stop());

  const insertPerson = (fields: Partial<UserEntity> = {}) =>
    insertUser(running, { email: `person-${(count += 1)}@example.com`, ...fields });

  /** Asks for a message and reads it. */
  async function resent(
    body: { type: string; email?: string; phone?: string; redirect_to?: string },
    to?: string,
  ) {
    const { message_id } = (await running.http.post('/resend').send(body).expect(200)).body as {
      message_id: string;
    };
    return arrived(running, to ?? body.email ?? body.phone ?? '', message_id);
  }

  const tokenIn = ({ link }: InboxMessage) => new URL(link ?? '').searchParams.get('token') ?? '';
  const verify = (body: object) => running.http.post('/verify').send(body);
  /** From a client that has not asked for a code. */
  const verifyElsewhere = (body: object) =>
    running.http.post('/verify').set('X-Forwarded-For', `192.0.2.${count}`).send(body);
  const wrong = (code: string) => code.replace(/^./, (digit) => String((Number(digit) + 1) % 10));

  it('confirms an email with the code and answers with an access token and the user', async () => {
    const { email, id } = await insertPerson({ metadata: { name: 'Ada' } });
    const { code } = await resent({ type: 'signup', email: email ?? '' });
    const response = await verify({ type: 'signup', email, token: code }).expect(200);
    const now = running.clock.now();
    expect(response.body).toEqual({
      access_token: expect.any(String) as string,
      token_type: 'bearer',
      expires_in: 3_600,
      expires_at: Math.floor(now / 1_000) + 3_600,
      user: {
        id,
        email,
        phone: null,
        email_confirmed_at: new Date(now).toISOString(),
        phone_confirmed_at: null,
        new_email: null,
        new_phone: null,
        user_metadata: { name: 'Ada' },
        created_at: expect.any(String) as string,
      },
    });
    expect(response.headers['cache-control']).toBe('no-store');
  });

  it('gives an access token that the published key proves', async () => {
    const { email, id } = await insertPerson();
    const { code } = await resent({ type: 'magiclink', email: email ?? '' });
    const { access_token } = (await verify({ type: 'magiclink', email, token: code }).expect(200)).body as {
      access_token: string;
    };
    const published = await running.http.get('/.well-known/jwks.json').expect(200);
    expect(published.headers['cache-control']).toContain('max-age=');
    const [jwk] = (published.body as { keys: Record<string, string>[] }).keys;
    expect(jwk).not.toHaveProperty('d');
    const { payload, protectedHeader } = await jwtVerify(
      access_token,
      createPublicKey({ key: jwk as unknown as JsonWebKey, format: 'jwk' }),
      { currentDate: new Date(running.clock.now()) },
    );
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'JWT', kid: jwk?.['kid'] });
    expect(payload).toMatchObject({ sub: id, aud: 'authenticated', role: 'authenticated', email });
    expect(payload).not.toHaveProperty('phone');
  });

  it.each(['token', 'token_hash'])(
    'takes the token of the link as %s, and the address is not needed',
    async (name) => {
      const { email } = await insertPerson();
      const message = await resent({ type: 'recovery', email: email ?? '' });
      const response = await verify({ type: 'recovery', [name]: tokenIn(message) }).expect(200);
      expect(response.body).toMatchObject({
        user: { email, email_confirmed_at: expect.any(String) as string },
      });
    },
  );

  it('ignores whatever stands as token beside a token_hash', async () => {
    for (const token of [{}, [], 1, true, 'x'.repeat(1_000), '123456']) {
      const refused = await verify({ type: 'signup', token, token_hash: 'no-such-link' }).expect(403);
      expect(refused.body).toEqual(errorBodies.expired);
    }
  });

  it.each(['sms', 'signup'])('confirms a phone with the code from an SMS as %s', async (type) => {
    const phone = `+1555000${(count += 1)}`;
    await insertUser(running, { phone });
    const { code } = await resent({ type: 'sms', phone });
    const response = await verify({ type, phone, token: `${code.slice(0, 3)} ${code.slice(3)}` }).expect(200);
    expect(response.body).toMatchObject({
      user: { phone, phone_confirmed_at: expect.any(String) as string },
    });
  });

  it.each(['new', 'current'])('moves a pending email into place, named by the %s address', async (which) => {
    const pendingEmail = `next-${(count += 1)}@example.com`;
    const { email } = await insertPerson({ pendingEmail, pendingSince: new Date() });
    const named = which === 'new' ? pendingEmail : email;
    const { code } = await resent({ type: 'email_change', email: named ?? '' }, pendingEmail);
    const response = await verify({ type: 'email_change', email: named, token: code }).expect(200);
    expect(response.body).toMatchObject({ user: { email: pendingEmail, new_email: null } });
  });

  it('gives one and the same 403 for wrong, used, expired, unknown, taken and banned', async () => {
    const answers: unknown[] = [];
    const refused = async (body: object) => {
      answers.push((await verify(body).expect(403)).body);
    };
    const { email } = await insertPerson();
    const { code } = await resent({ type: 'signup', email: email ?? '' });
    await refused({ type: 'signup', email, token: wrong(code) });
    await refused({ type: 'recovery', email, token: code });
    await refused({ type: 'signup', email: 'nobody@example.com', token: code });
    await verify({ type: 'signup', email, token: code }).expect(200);
    await refused({ type: 'signup', email, token: code });
    await refused({ type: 'signup', token_hash: 'no-such-link' });

    const late = await insertPerson();
    const lateCode = (await resent({ type: 'signup', email: late.email ?? '' })).code;
    running.clock.advance(24 * hours);
    await refused({ type: 'signup', email: late.email, token: lateCode });

    const wanted = `wanted-${(count += 1)}@example.com`;
    const waiting = await insertPerson({ pendingEmail: wanted, pendingSince: new Date() });
    const change = await resent({ type: 'email_change', email: waiting.email ?? '' }, wanted);
    await insertPerson({ email: wanted });
    await refused({ type: 'email_change', token: tokenIn(change) });

    expect(answers).toHaveLength(7);
    for (const answer of answers) expect(answer).toEqual(errorBodies.expired);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it('lets a banned user in neither by code nor by link, and uses nothing up', async () => {
    const { email, id } = await insertPerson();
    const message = await resent({ type: 'magiclink', email: email ?? '' });
    const users = running.app.get(DataSource).getRepository(UserEntity);
    await users.update({ id }, { bannedUntil: new Date(running.clock.now() + 60_000) });
    await verify({ type: 'magiclink', email, token: message.code }).expect(403);
    await verify({ type: 'magiclink', token: tokenIn(message) }).expect(403);
    running.clock.advance(60_000);
    await verify({ type: 'magiclink', token: tokenIn(message) }).expect(200);
  });

  it('keeps earlier codes and links good after a resend, until the first use', async () => {
    const { email } = await insertPerson();
    const first = await resent({ type: 'signup', email: email ?? '' });
    const second = await resent({ type: 'signup', email: email ?? '' });
    await verify({ type: 'signup', token: tokenIn(first) }).expect(200);
    await verify({ type: 'signup', token: tokenIn(second) }).expect(403);
    await verify({ type: 'signup', email, token: second.code }).expect(403);
  });

  it('lets one of 50 simultaneous clicks win', async () => {
    const { email } = await insertPerson();
    const message = await resent({ type: 'signup', email: email ?? '' });
    const clicks = Array.from({ length: 50 }, () => verify({ type: 'signup', token: tokenIn(message) }));
    const statuses = (await Promise.all(clicks)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 403)).toHaveLength(49);
  });

  it.each(['known', 'unknown'])(
    'refuses the sixth wrong code for a %s address, and a resend changes nothing',
    async (whose) => {
      const email = `guessed-${(count += 1)}@example.com`;
      if (whose === 'known') await insertUser(running, { email });
      const guess = () => verifyElsewhere({ type: 'signup', email, token: '000000' });
      for (let i = 0; i < 4; i += 1) expect((await guess()).status).toBe(403);
      await running.http.post('/resend').send({ type: 'signup', email }).expect(200);
      expect((await guess()).status).toBe(403);
      const refused = await guess();
      expect(refused.status).toBe(429);
      expect(refused.body).toEqual(errorBodies.tooManyRequests('over_verify_limit', 600));
      expect(refused.headers['retry-after']).toBe('600');
      running.clock.advance(600_000);
      expect((await guess()).status).toBe(403);
    },
  );

  it('takes what cannot be a code for a slip and not for a guess, and a code in whatever digits it is typed', async () => {
    const { email } = await insertPerson();
    const { code, link } = await resent({ type: 'magiclink', email: email ?? '' });
    const slips = [code.slice(1), `${code}0`, 'my code', '\u200b', '-', '①②③④⑤⑥', `${code} or ${code}`];
    for (const token of slips) {
      const refused = await verify({ type: 'magiclink', email, token }).expect(400);
      expect(refused.body).toEqual(
        errorBodies.invalidField('token must have the six digits of a code, or be the token of a link'),
      );
    }
    // The token of a link stands for itself, beside an address too.
    const token = new URL(link ?? '').searchParams.get('token') ?? '';
    const strange = token.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
    for (let i = 0; i < 6; i += 1) await verify({ type: 'magiclink', email, token: strange }).expect(403);
    for (let i = 0; i < 4; i += 1) await verify({ type: 'magiclink', email, token: wrong(code) }).expect(403);
    const persian = code.replace(/\d/g, (digit) => String.fromCodePoint(0x6f0 + Number(digit)));
    const pasted = `\u202b${persian.slice(0, 3)}\u00a0${persian.slice(3)}\u202c\u200b\n`;
    await verify({ type: 'magiclink', email, token: pasted }).expect(200);
  });

  it('takes the token of a link beside an address', async () => {
    const { email } = await insertPerson();
    const message = await resent({ type: 'signup', email: email ?? '' });
    await verify({ type: 'signup', email, token: tokenIn(message) }).expect(200);
  });

  it('counts spellings of an address together, and right codes not at all', async () => {
    const { email } = await insertPerson();
    for (let i = 0; i < 3; i += 1) {
      const { code } = await resent({ type: 'magiclink', email: email ?? '' });
      await verifyElsewhere({ type: 'magiclink', email, token: wrong(code) }).expect(403);
      await verifyElsewhere({ type: 'magiclink', email: `  ${email?.toUpperCase()}`, token: code }).expect(
        200,
      );
    }
    // The last code has been used.
    await verifyElsewhere({ type: 'magiclink', email: email?.toUpperCase(), token: '000000' }).expect(403);
    await verifyElsewhere({ type: 'magiclink', email, token: '000000' }).expect(403);
    await verifyElsewhere({ type: 'magiclink', email, token: '000000' }).expect(429);
  });

  it('lets five guesses at the codes of an address through, under however many names it is waited for', async () => {
    const pendingEmail = `wanted-${(count += 1)}@example.com`;
    const waiting = [];
    for (let i = 0; i < 3; i += 1) {
      const user = await insertPerson({ pendingEmail, pendingSince: new Date() });
      const { code } = await resent({ type: 'email_change', email: user.email ?? '' }, pendingEmail);
      waiting.push({ email: user.email, code });
    }
    const guess = (email: string | null | undefined, token: string) =>
      verifyElsewhere({ type: 'email_change', email, token });
    const [first, second, third] = waiting;
    for (let i = 0; i < 3; i += 1) await guess(first!.email, wrong(first!.code)).expect(403);
    for (let i = 0; i < 2; i += 1) await guess(second!.email, wrong(second!.code)).expect(403);
    // The sixth guess, though right, is answered as a wrong one: anything else would say who waits for which address.
    const refused = await guess(third!.email, third!.code).expect(403);
    expect(refused.body).toEqual(errorBodies.expired);
    running.clock.advance(600_000);
    await guess(third!.email, third!.code).expect(200);
  });

  it.each([
    ['no type', {}, 'Type is required', true],
    ['no token', { type: 'signup' }, 'Token is required', true],
    ['a code alone', { type: 'signup', token: '123456' }, 'Email is required to verify a code', true],
    [
      'an SMS code alone',
      { type: 'sms', token: '123456' },
      'Phone number is required to verify a code',
      true,
    ],
    [
      'an unknown type',
      { type: 'other', token: 'x' },
      'type must be one of signup, recovery, magiclink, email_change, sms',
      false,
    ],
    ['a number', { type: 'signup', token: 123456 }, 'token must be a string of 1 to 256 characters', false],
    [
      'a long token',
      { type: 'signup', token: 'x'.repeat(257) },
      'token must be a string of 1 to 256 characters',
      false,
    ],
    [
      'a bad address',
      { type: 'signup', token: '123456', email: 'nobody' },
      'email must be a valid email address of at most 254 characters',
      false,
    ],
  ])('refuses %s with what to do', async (_name, body, details, missing) => {
    const response = await verify(body).expect(400);
    expect(response.body).toEqual({
      ...errorBodies.invalidField(details),
      ...(missing ? { msg: 'Missing required field' } : {}),
    });
  });

  describe('the page behind the link', () => {
    it('consumes nothing, however often it is opened, and its button confirms', async () => {
      const { email } = await insertPerson();
      const { link } = await resent({ type: 'signup', email: email ?? '', redirect_to: `${site}/done#old` });
      const path = (link ?? '').slice(new URL(link ?? '').origin.length);
      for (let i = 0; i < 3; i += 1) {
        await running.http.head(path).expect(200);
        await running.http.get(path).expect(200);
      }
      const page = await running.http.get(path).expect(200);
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(page.headers['referrer-policy']).toBe('no-referrer');
      expect(page.headers['cache-control']).toBe('no-store');
      expect(page.headers['content-security-policy']).toContain(`default-src 'none'`);
      expect(page.headers['content-security-policy']).toContain(`form-action 'self' https:;`);
      expect(page.text.match(/<button/g)).toHaveLength(1);
      const fields = Object.fromEntries(
        [...page.text.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
      );
      const done = await running.http.post('/verify').type('form').send(fields).expect(303);
      const target = new URL(done.headers['location'] as string);
      expect(target.href.startsWith(`${site}/done#access_token=`)).toBe(true);
      const outcome = new URLSearchParams(target.hash.slice(1));
      expect(Object.fromEntries(outcome)).toEqual({
        access_token: expect.any(String) as string,
        token_type: 'bearer',
        expires_in: '3600',
        expires_at: String(Math.floor(running.clock.now() / 1_000) + 3_600),
        type: 'signup',
      });
      expect(done.headers['referrer-policy']).toBe('no-referrer');
      expect(done.headers['cache-control']).toBe('no-store');

      const again = await running.http.post('/verify').type('form').send(fields).expect(303);
      expect(again.headers['location']).toBe(
        `${site}/done#error=access_denied&error_code=otp_expired&error_description=Token+has+expired+or+is+invalid`,
      );
    });

    it('leads where it is allowed, and with everything hostile to the site: the page, its policy and the post', async () => {
      const { email } = await insertPerson();
      const token = tokenIn(await resent({ type: 'signup', email: email ?? '' }));
      const home = /^http:\/\/localhost:\d+\//;
      const hostile = Object.values(hostileRedirects).flat();
      for (const [redirect_to, expected] of [
        ['com.example.app://callback', /^com\.example\.app:\/\/callback/],
        [`${site}/done`, /^https:\/\/app\.example\.com\/done/],
        ...hostile
          .filter((url) => url.isWellFormed() && url.length < 2_000)
          .map((url) => [url, home] as const),
      ] as const) {
        const page = await running.http
          .get('/verify')
          .query({ type: 'signup', token, redirect_to })
          .expect(200);
        const [, target = ''] = /name="redirect_to" value="([^"]*)"/.exec(page.text) ?? [];
        expect([redirect_to, target]).toEqual([redirect_to, expect.stringMatching(expected)]);
        expect(page.headers['content-security-policy']).not.toContain('evil');
        const form = { type: 'signup', token: 'no-such-link', redirect_to };
        const { headers } = await running.http.post('/verify').type('form').send(form).expect(303);
        expect([redirect_to, headers['location']]).toEqual([redirect_to, expect.stringMatching(expected)]);
      }
    });

    it.each<[string, object]>([
      ['nothing', {}],
      ['no token', { type: 'signup' }],
      ['no type', { token: 'x' }],
      ['a type without links', { type: 'sms', token: 'x' }],
      ['two tokens', { type: 'signup', token: ['x', 'y'] }],
      ['a long token', { type: 'signup', token: 'x'.repeat(257) }],
      ['a long redirect', { type: 'signup', token: 'x', redirect_to: 'x'.repeat(3_000) }],
    ])('says that the link is incomplete when it has %s', async (_name, query) => {
      const page = await running.http.get('/verify').query(query).expect(400);
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(page.text).toContain('This link is incomplete');
    });
  });
});

describe('Verification with VERIFY_ON_GET=true', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp({ env: { VERIFY_ON_GET: 'true' } });
  });
  afterAll(() => running.stop());

  it('answers the click with 303, but neither HEAD nor a prefetch', async () => {
    const email = 'clicker@example.com';
    await insertUser(running, { email });
    const { message_id } = (await running.http.post('/resend').send({ type: 'signup', email })).body as {
      message_id: string;
    };
    const { link } = await arrived(running, email, message_id);
    const path = (link ?? '').slice(new URL(link ?? '').origin.length);
    await running.http.head(path).expect(200);
    await running.http.get(path).set('Sec-Purpose', 'prefetch').expect(200);
    const clicked = await running.http.get(path).expect(303);
    expect(clicked.headers['location']).toContain('#access_token=');
    const again = await running.http.get(path).expect(303);
    expect(again.headers['location']).toContain('#error=access_denied&error_code=otp_expired');
  });
});
