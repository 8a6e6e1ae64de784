import { DataSource } from 'typeorm';
import { UserEntity } from '../src/auth/users/typeorm-users.repository.js';
import { MessageEntity } from '../src/auth/messages/message.entities.js';
import { errorBodies } from './support/error-bodies.js';
import { eventually } from './support/eventually.js';
import { inboxOf } from './support/inbox.js';
import { type RunningApp, startApp } from './support/start-app.js';

const password = 'correct horse battery staple';

describe('POST /signup', () => {
  let running: RunningApp;
  let count = 0;

  beforeAll(async () => {
    running = await startApp({
      env: { REDIRECT_ALLOW_LIST: 'https://app.example.com', LIMIT_IP: '10000/1s' },
    });
  });
  afterAll(() => running.stop());

  const anEmail = () => `person-${(count += 1)}@example.com`;
  const signUp = (body: object) => running.http.post('/signup').send(body);
  const users = () => running.app.get(DataSource).getRepository(UserEntity);
  const mailTo = (to: string) =>
    eventually(`a message to ${to}`, async () => (await inboxOf(running, to))[0]);

  it('adds an unconfirmed user and sends the first confirmation, whose code confirms', async () => {
    const email = anEmail();
    const redirect_to = 'https://app.example.com/welcome';
    const response = await signUp({ email, password, data: { name: 'Ada' }, redirect_to }).expect(200);
    expect(response.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      email,
      phone: null,
      email_confirmed_at: null,
      phone_confirmed_at: null,
      new_email: null,
      new_phone: null,
      user_metadata: { name: 'Ada' },
      created_at: new Date(running.clock.now()).toISOString(),
    });
    const { code, link } = await mailTo(email);
    expect(new URL(link ?? '').searchParams.get('redirect_to')).toBe(redirect_to);
    const verified = await running.http
      .post('/verify')
      .send({ type: 'signup', email, token: code })
      .expect(200);
    expect(verified.body).toMatchObject({
      user: { ...(response.body as object), email_confirmed_at: expect.any(String) as string },
    });
  });

  it('signs up with a phone, and the SMS confirms it', async () => {
    const phone = `+1555100${(count += 1)}`;
    const response = await signUp({ phone: phone.replace('+1', '+1 (') + ')', password }).expect(200);
    expect(response.body).toMatchObject({ phone, email: null });
    const { code } = await mailTo(phone);
    await running.http.post('/verify').send({ type: 'sms', phone, token: code }).expect(200);
  });

  it('keeps the email in its normal form and the password as a salted hash only', async () => {
    const email = anEmail();
    await signUp({ email: ` ${email.toUpperCase()} `, password }).expect(200);
    const user = await users().findOneByOrFail({ email });
    expect(user.passwordHash).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(JSON.stringify(user)).not.toContain(password);
    expect(JSON.stringify(running.logLines)).not.toContain(password);
  });

  it('answers in the same shape when the address is taken, adds nobody and accepts a message all the same', async () => {
    const email = anEmail();
    const first = await signUp({ email, password, data: { name: 'Ada' } }).expect(200);
    const messages = running.app.get(DataSource).getRepository(MessageEntity);
    const second = await signUp({ email, password: 'quite another one', data: { name: 'Eve' } }).expect(200);
    expect(Object.keys(second.body as object)).toEqual(Object.keys(first.body as object));
    expect(second.body).toMatchObject({ email, email_confirmed_at: null, user_metadata: { name: 'Eve' } });
    expect((second.body as { id: string }).id).not.toBe((first.body as { id: string }).id);
    expect(await users().findBy({ email })).toMatchObject([{ metadata: { name: 'Ada' } }]);
    expect(await messages.countBy({ recipient: email, type: 'signup' })).toBe(2);
  });

  it('sends nothing to who is confirmed already, and answers as ever', async () => {
    const email = anEmail();
    await signUp({ email, password }).expect(200);
    await users().update({ email }, { emailConfirmedAt: new Date() });
    const response = await signUp({ email, password }).expect(200);
    expect(response.body).toMatchObject({ email, email_confirmed_at: null });
  });

  it('takes nulls and unknown fields, and the dialect of Supabase clients', async () => {
    const email = anEmail();
    const body = {
      email,
      password,
      phone: null,
      data: null,
      channel: 'sms',
      code_challenge: null,
      gotrue_meta_security: { captcha_token: null },
    };
    const response = await running.http
      .post('/signup?redirect_to=https://evil.example/')
      .send(body)
      .expect(200);
    expect(response.body).toMatchObject({ email, user_metadata: {} });
    const { link } = await mailTo(email);
    expect(link).not.toContain('evil.example');
  });

  it('gives metadata back as it came, and stores no trap', async () => {
    const email = anEmail();
    const data = JSON.parse(
      '{"__proto__": {"admin": true}, "π": [1, null, {"deep": "🦉"}], "constructor": 1}',
    ) as object;
    const response = await signUp({ email, password, data }).expect(200);
    expect((response.body as { user_metadata: object }).user_metadata).toEqual(data);
    const { metadata } = await users().findOneByOrFail({ email });
    expect(JSON.parse(JSON.stringify(metadata))).toEqual(data);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it.each<[string, object, string, boolean?]>([
    ['no address', { password }, 'Email or phone number is required', true],
    [
      'two addresses',
      { email: 'a@example.com', phone: '+1234567890', password },
      'Send email or phone, not both',
    ],
    [
      'a bad email',
      { email: 'a@', password },
      'email must be a valid email address of at most 254 characters',
    ],
    ['no password', { email: 'a@example.com' }, 'Password is required', true],
    [
      'a short password',
      { email: 'a@example.com', password: '1234567' },
      'password must be 8 to 256 characters',
    ],
    [
      'seven owls',
      { email: 'a@example.com', password: '🦉'.repeat(7) },
      'password must be 8 to 256 characters',
    ],
    [
      'a long password',
      { email: 'a@example.com', password: 'x'.repeat(257) },
      'password must be 8 to 256 characters',
    ],
    [
      'half a character',
      { email: 'a@example.com', password: 'password\ud800' },
      'password must be 8 to 256 characters',
    ],
    [
      'a list as data',
      { email: 'a@example.com', password, data: [] },
      expect.stringMatching(/^data must be/) as string,
    ],
    [
      'NUL in data',
      { email: 'a@example.com', password, data: { a: ['\0'] } },
      expect.stringMatching(/^data must be/) as string,
    ],
    [
      'NUL in a name',
      { email: 'a@example.com', password, data: { 'a\0': 1 } },
      expect.stringMatching(/^data must be/) as string,
    ],
    [
      'half a character in data',
      { email: 'a@example.com', password, data: { a: '\udc00' } },
      expect.stringMatching(/^data must be/) as string,
    ],
    [
      'much data',
      { email: 'a@example.com', password, data: { a: 'x'.repeat(9_000) } },
      expect.stringMatching(/^data must be/) as string,
    ],
    [
      'a redirect elsewhere',
      { email: 'a@example.com', password, redirect_to: 'https://evil.example' },
      expect.stringContaining('allow list') as string,
    ],
  ])('refuses %s', async (_name, body, details, missing = false) => {
    const response = await signUp(body).expect(400);
    expect(response.body).toEqual({
      ...errorBodies.invalidField(details),
      ...(missing ? { msg: 'Missing required field' } : {}),
    });
    expect(await users().countBy({ email: 'a@example.com' })).toBe(0);
  });

  it.each(['/signup', '/resend', '/verify'])(
    'is not misled by a field that names a constructor: %s',
    async (path) => {
      for (const trap of [{ constructor: 1 }, [{ constructor: 'x' }], { constructor: { name: 'Object' } }]) {
        const body = { type: 'signup', token: 'x', email: trap, password };
        const response = await running.http.post(path).send(body).expect(400);
        expect(response.body).toEqual(
          errorBodies.invalidField('email must be a valid email address of at most 254 characters'),
        );
      }
    },
  );

  it('takes eight owls and 256 characters', async () => {
    await signUp({ email: anEmail(), password: '🦉'.repeat(8) }).expect(200);
    await signUp({ email: anEmail(), password: '🦉'.repeat(256) }).expect(200);
  });

  it('limits sign-ups for one address, apart from its resends', async () => {
    const email = anEmail();
    for (let i = 0; i < 3; i += 1) await signUp({ email, password }).expect(200);
    const refused = await signUp({ email, password }).expect(429);
    expect(refused.body).toEqual(errorBodies.tooManyRequests('over_email_send_rate_limit', 300));
    await running.http.post('/resend').send({ type: 'signup', email }).expect(200);
  });
});
