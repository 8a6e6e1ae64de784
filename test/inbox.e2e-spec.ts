import { Script } from 'node:vm';
import { MailerService } from '@nestjs-modules/mailer';
import { type InboxMessage, inboxOf } from './support/inbox.js';
import { type RunningApp, startApp } from './support/start-app.js';

/** Puts a mail into the inbox the way the service does: over SMTP. */
async function receive({ app }: RunningApp, to: string, subject: string): Promise<void> {
  await app.get(MailerService, { strict: false }).sendMail({
    from: 'no-reply@example.com',
    to,
    subject,
    text: 'Your code:\n\n123456\n',
    html: '<p>123456</p>',
  });
}

describe('the development inbox over HTTP', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp();
  });

  afterAll(() => running.stop());

  it('lists what was sent, newest first, and finds it by recipient however it is written', async () => {
    await receive(running, 'list@example.org', 'First');
    await receive(running, 'else@example.org', 'Other');
    await receive(running, 'list@example.org', 'Second');
    const subjects = (messages: InboxMessage[]) => messages.map(({ subject }) => subject);
    expect(subjects(await inboxOf(running, 'list@example.org'))).toEqual(['Second', 'First']);
    expect(subjects(await inboxOf(running, ' LIST@example.org '))).toEqual(['Second', 'First']);
    expect(await inboxOf(running, 'nobody@example.org')).toEqual([]);
    const { body } = await running.http.get('/inbox/messages').expect(200);
    expect(subjects((body as InboxMessage[]).slice(0, 3))).toEqual(['Second', 'Other', 'First']);
  });

  it('takes a plus in the query string that nobody encoded', async () => {
    await receive(running, '+1234567890@sms.strike-auth.invalid', 'SMS');
    for (const query of ['+1234567890', '%2B1234567890']) {
      const { body } = await running.http.get(`/inbox/messages?to=${query}`).expect(200);
      expect(body).toMatchObject([{ channel: 'sms', to: '+1234567890', code: '123456', subject: null }]);
    }
  });

  it('answers 304 to a page that knows the newest, and 200 once there is more', async () => {
    await receive(running, 'etag@example.org', 'First');
    const first = await running.http.get('/inbox/messages').expect(200);
    const known = first.headers['etag'] ?? '';
    await running.http.get('/inbox/messages').set('If-None-Match', known).expect(304, '');
    await receive(running, 'etag@example.org', 'Second');
    const second = await running.http.get('/inbox/messages').set('If-None-Match', known).expect(200);
    expect(second.headers['etag']).not.toBe(known);
  });

  it('serves a page under a policy that runs no scripts but its own', async () => {
    const page = await running.http.get('/inbox').expect(200);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none'; script-src 'self';/);
    expect(page.text).not.toMatch(/ on\w+=|<script>|https?:\/\//);
    const own = [...page.text.matchAll(/(?:src|href)="(inbox\/inbox\.\w+)"/g)].map(([, path]) => path);
    expect(own).toEqual(['inbox/inbox.css', 'inbox/inbox.js']);
    await running.http.get('/inbox/inbox.css').expect(200).expect('Content-Type', 'text/css; charset=utf-8');
    const script = await running.http.get('/inbox/inbox.js').expect(200);
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(() => new Script(script.text)).not.toThrow();
  });
});

it('is not there when a mail server is configured', async () => {
  const running = await startApp({ env: { SMTP_URL: 'smtp://127.0.0.1:1' } });
  try {
    for (const path of ['/inbox', '/inbox/messages', '/inbox/inbox.js'])
      await running.http.get(path).expect(404);
  } finally {
    await running.stop();
  }
});
