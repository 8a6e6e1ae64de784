import { DataSource } from 'typeorm';
import { UserEntity } from '../src/auth/users/typeorm-users.repository.js';
import { arrived } from './support/inbox.js';
import { ended, resend } from './support/messages.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

const dayMs = 86_400_000;

let running: RunningApp;
let count = 0;

beforeAll(async () => {
  running = await startApp({ env: { LIMIT_IP: '10000/1s', LIMIT_EMAIL: '50/1s' } });
});
afterAll(() => running.stop());

/** A user who has just got a mail of this type. */
async function mailed(type = 'recovery') {
  const to = `stop-${(count += 1)}@example.com`;
  const changing = type === 'email_change';
  const email = changing ? `old-${to}` : to;
  const pending = changing ? { pendingEmail: to, pendingSince: new Date() } : {};
  const { id } = await insertUser(running, { email, ...pending });
  const { text, html } = await arrived(running, to, await resend(running, { type, email }));
  const [, token = ''] = /\/stop\?token=([\w-]+)$/m.exec(text) ?? [];
  expect(html).toContain(`/stop?token&#x3D;${token}"`);
  return { id, email, to, token };
}

const open = (token: string) => running.http.get(`/stop?token=${token}`).set('Accept', 'text/html');
const press = (token: string, action = 'stop', headers: Record<string, string> = {}) =>
  running.http
    .post('/stop')
    .set({ Accept: 'text/html', ...headers })
    .type('form')
    .send({ token, action });
const fate = async (body: object) => {
  const { status, reason } = await ended(running, await resend(running, body));
  return { status, reason };
};
const stopped = { status: 'dropped', reason: 'stopped' };
const sent = { status: 'sent', reason: null };

describe('"Stop these mails"', () => {
  it('stops mails of its type to its address when the button is pressed, for 30 days, and no others', async () => {
    const { email, token } = await mailed('recovery');
    const other = await mailed('recovery');
    expect((await press(token).expect(200)).text).toContain('<h1>These mails are stopped</h1>');
    expect(await fate({ type: 'recovery', email })).toEqual(stopped);
    expect(await fate({ type: 'magiclink', email })).toEqual(sent);
    expect(await fate({ type: 'recovery', email: other.email })).toEqual(sent);
    running.clock.advance(30 * dayMs - 60_000);
    expect(await fate({ type: 'recovery', email })).toEqual(stopped);
    running.clock.advance(60_000);
    expect(await fate({ type: 'recovery', email })).toEqual(sent);
  });

  it('is taken back on the page that the same link opens', async () => {
    const { email, token } = await mailed('magiclink');
    await press(token).expect(200);
    const page = await open(token).expect(200);
    expect(page.text).toContain('name="action" value="take_back"');
    expect((await press(token, 'take_back').expect(200)).text).toContain('<h1>Stop these mails?</h1>');
    expect(await fate({ type: 'magiclink', email })).toEqual(sent);
  });

  it('changes nothing when the link is opened, which mail scanners do, or a form on another site is sent', async () => {
    const { email, token } = await mailed('signup');
    await open(token).expect(200);
    await running.http.head(`/stop?token=${token}`).expect(200);
    const foreign: Record<string, string>[] = [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://evil.example' },
    ];
    for (const headers of foreign) {
      const page = await press(token, 'stop', headers).expect(200);
      expect(page.text).toContain('<h1>Stop these mails?</h1>');
    }
    expect(await fate({ type: 'signup', email })).toEqual(sent);
  });

  it('ends a change of address that waits there', async () => {
    const { id, email, token } = await mailed('email_change');
    await press(token).expect(200);
    const user = await running.app.get(DataSource).getRepository(UserEntity).findOneByOrFail({ id });
    expect(user).toMatchObject({ email, pendingEmail: null, pendingSince: null });
    expect(await fate({ type: 'email_change', email })).toEqual({
      status: 'dropped',
      reason: 'no_pending_change',
    });
  });

  it('takes no link that was cut, changed or made up, and says so on a page', async () => {
    const { email, token } = await mailed();
    const last = token.at(-1) === 'A' ? 'B' : 'A';
    const made = [
      '',
      token.slice(0, -1),
      `${token}A`,
      token.slice(0, -1) + last,
      'A'.repeat(64),
      `B${token.slice(1)}`,
    ];
    for (const each of made) {
      for (const answer of [await open(each), await press(each)]) {
        expect(answer.status).toBe(400);
        expect(answer.text).toContain('<h1>This link is incomplete</h1>');
      }
    }
    expect(await fate({ type: 'recovery', email })).toEqual(sent);
  });

  it('speaks the language of the browser, and may lead nowhere but here', async () => {
    const { token } = await mailed();
    const page = await open(token).set('Accept-Language', 'de-AT').expect(200);
    expect(page.text).toContain('<h1>Keine solchen E-Mails mehr?</h1>');
    expect(page.headers['content-security-policy']).toContain(`form-action 'self';`);
    expect(page.headers['referrer-policy']).toBe('no-referrer');
    // To older browsers, which would name no origin of a page without a referrer, and press in vain.
    expect(page.text).toContain('<meta name="referrer" content="same-origin">');
  });
});
