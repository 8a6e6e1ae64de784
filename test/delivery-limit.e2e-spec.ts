import { eventually } from './support/eventually.js';
import { arrived, inboxOf } from './support/inbox.js';
import { ended, messageRow, resend } from './support/messages.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

let running: RunningApp;

beforeAll(async () => {
  running = await startApp({ env: { LIMIT_IP: '1000/10m', LIMIT_DELIVERY: '2/1m' } });
});

afterAll(() => running.stop());

describe('the limit of the whole service', () => {
  it('delays what is over it, refuses nothing, and is not spent by addresses that nobody has', async () => {
    for (const name of ['a', 'b', 'c']) await insertUser(running, { email: `${name}@example.com` });
    for (let i = 0; i < 5; i++) {
      const unknown = await resend(running, { type: 'signup', email: `nobody${i}@example.com` });
      expect((await ended(running, unknown)).reason).toBe('unknown_user');
    }
    const ids = new Map<string, string>();
    for (const name of ['a', 'b']) {
      const id = await resend(running, { type: 'signup', email: `${name}@example.com` });
      await arrived(running, `${name}@example.com`, id);
      ids.set(name, id);
    }
    const third = await resend(running, { type: 'signup', email: 'c@example.com' });
    const unknown = await resend(running, { type: 'signup', email: 'nobody@example.com' });
    // Only now is it known until when the message waits.
    await eventually('a message that is put off', () =>
      running.logLines.some(({ messageId, status }) => messageId === third && status === 'delayed'),
    );
    await eventually(
      'its being written down',
      async () => (await messageRow(running, third)).status === 'accepted',
    );
    running.clock.advance(59_000);
    expect(await inboxOf(running, 'c@example.com')).toEqual([]);
    expect((await messageRow(running, third)).status).not.toBe('sent');
    running.clock.advance(2_000);
    await arrived(running, 'c@example.com', third);
    expect(await ended(running, third)).toEqual({ status: 'sent', reason: null, attempts: 1 });
    expect(await ended(running, unknown)).toMatchObject({ status: 'dropped' });
  });
});
