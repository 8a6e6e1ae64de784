import { DataSource } from 'typeorm';
import { AccessTokens } from '../src/auth/tokens/access-tokens.js';
import { MessageEntity } from '../src/auth/messages/message.entities.js';
import { UserEntity } from '../src/auth/users/typeorm-users.repository.js';
import { errorBodies } from './support/error-bodies.js';
import { eventually } from './support/eventually.js';
import { inboxOf } from './support/inbox.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

const badJwt = {
  code: 401,
  error_code: 'bad_jwt',
  msg: 'Invalid access token',
  details: 'Send a valid access token as Authorization: Bearer',
};

describe('PUT /user', () => {
  let running: RunningApp;
  let count = 0;

  beforeAll(async () => {
    running = await startApp({ env: { LIMIT_IP: '10000/1s' } });
  });
  afterAll(() => running.stop());

  const anEmail = () => `person-${(count += 1)}@example.com`;
  const users = () => running.app.get(DataSource).getRepository(UserEntity);
  const mailTo = (to: string) =>
    eventually(`a message to ${to}`, async () => (await inboxOf(running, to))[0]);

  async function signedIn(fields: Partial<UserEntity> = {}) {
    const user = await insertUser(running, { email: anEmail(), emailConfirmedAt: new Date(), ...fields });
    const { access_token } = await running.app.get(AccessTokens).issue(user);
    const change = (body: object) =>
      running.http.put('/user').set('Authorization', `Bearer ${access_token}`).send(body);
    return { user, access_token, change };
  }

  it('keeps the new email beside the old one until the mail to it is confirmed', async () => {
    const { user, change } = await signedIn();
    const email = anEmail();
    const asked = await change({ email: email.toUpperCase() }).expect(200);
    expect(asked.body).toMatchObject({ id: user.id, email: user.email, new_email: email });
    const { code } = await mailTo(email);
    const done = await running.http
      .post('/verify')
      .send({ type: 'email_change', email, token: code })
      .expect(200);
    expect(done.body).toMatchObject({ user: { id: user.id, email, new_email: null } });
  });

  it('does the same with a phone', async () => {
    const { user, change } = await signedIn();
    const phone = `+1555200${(count += 1)}`;
    expect((await change({ phone }).expect(200)).body).toMatchObject({ phone: null, new_phone: phone });
    const { code } = await mailTo(phone);
    const done = await running.http.post('/verify').send({ type: 'sms', phone, token: code }).expect(200);
    expect(done.body).toMatchObject({ user: { id: user.id, phone, new_phone: null, email: user.email } });
  });

  it('answers the same when somebody else has the new address, and never hands it over', async () => {
    const { user, change } = await signedIn();
    const { email } = await insertUser(running, { email: anEmail(), emailConfirmedAt: new Date() });
    expect((await change({ email }).expect(200)).body).toMatchObject({ email: user.email, new_email: email });
    const { code } = await mailTo(email ?? '');
    await running.http.post('/verify').send({ type: 'email_change', email, token: code }).expect(403);
    expect(await users().findOneByOrFail({ id: user.id })).toMatchObject({ email: user.email });
  });

  it('asks for an access token, and says how', async () => {
    const { access_token } = await signedIn();
    const put = () => running.http.put('/user').send({ email: anEmail() });
    const none = await put().expect(401);
    expect(none.body).toEqual(badJwt);
    expect(none.headers['www-authenticate']).toBe('Bearer');
    const parts = access_token.split('.');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${parts[1]}.`;
    for (const token of ['x', unsigned, `${parts[0]}.${parts[1]}.${'A'.repeat(86)}`]) {
      const refused = await put().set('Authorization', `Bearer ${token}`).expect(401);
      expect(refused.body).toEqual(badJwt);
      expect(refused.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
    }
  });

  it('refuses the access token of a user who is gone or banned, and records nothing', async () => {
    const gone = await signedIn();
    await users().delete({ id: gone.user.id });
    const banned = await signedIn({ bannedUntil: new Date(running.clock.now() + 60_000) });
    for (const { change } of [gone, banned]) {
      const email = anEmail();
      const refused = await change({ email }).expect(401);
      expect(refused.body).toEqual(badJwt);
      expect(refused.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
      const messages = running.app.get(DataSource).getRepository(MessageEntity);
      expect(await messages.countBy({ recipient: email })).toBe(0);
      expect(await users().countBy({ pendingEmail: email })).toBe(0);
    }
  });

  it('refuses an access token once it has expired', async () => {
    const { change } = await signedIn();
    running.clock.advance(3_599_000);
    await change({ email: anEmail() }).expect(200);
    running.clock.advance(1_000);
    await change({ email: anEmail() }).expect(401);
  });

  it.each<[string, object, string, boolean?]>([
    ['nothing', {}, 'Email or phone number is required', true],
    ['both', { email: 'a@example.com', phone: '+1234567890' }, 'Send email or phone, not both'],
    ['a bad email', { email: 'a' }, 'email must be a valid email address of at most 254 characters'],
  ])('refuses %s', async (_name, body, details, missing = false) => {
    const { change } = await signedIn();
    const response = await change(body).expect(400);
    expect(response.body).toEqual({
      ...errorBodies.invalidField(details),
      ...(missing ? { msg: 'Missing required field' } : {}),
    });
  });

  it('limits what one account asks for, whatever the address, and takes nothing from another', async () => {
    const email = anEmail();
    const one = await signedIn();
    for (let i = 0; i < 3; i += 1) await one.change({ email: i === 0 ? email : anEmail() }).expect(200);
    const refused = await one.change({ email: anEmail() }).expect(429);
    expect(refused.body).toEqual(errorBodies.tooManyRequests('over_email_send_rate_limit', 300));
    await (await signedIn()).change({ email }).expect(200);
  });
});
