import { arrived, inboxOf } from './support/inbox.js';
import { ended, resend } from './support/messages.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

let running: RunningApp;

beforeAll(async () => {
  running = await startApp({ env: { LIMIT_IP: '100000/10m', LIMIT_EMAIL: '1000/5m', LIMIT_SMS: '1000/5m' } });
});

afterAll(() => running.stop());

const confirmed = new Date('2026-01-01T00:00:00Z');

describe('what is sent, and to whom', () => {
  it.each([
    ['signup', 'an unconfirmed user', { email: 's1@example.com' }],
    ['recovery', 'an unconfirmed user', { email: 'r1@example.com' }],
    ['recovery', 'a confirmed user', { email: 'r2@example.com', emailConfirmedAt: confirmed }],
    ['magiclink', 'an unconfirmed user', { email: 'm1@example.com' }],
    ['magiclink', 'a confirmed user', { email: 'm2@example.com', emailConfirmedAt: confirmed }],
  ])('%s reaches %s by email with a link and a code', async (type, _who, user) => {
    await insertUser(running, user);
    const id = await resend(running, { type, email: user.email });
    const message = await arrived(running, user.email, id);
    expect(message).toMatchObject({ channel: 'email', to: user.email });
    expect(message.code).toMatch(/^\d{6}$/);
    const link = new URL(message.link ?? '');
    expect(link.pathname).toBe('/verify');
    expect(link.searchParams.get('type')).toBe(type);
    expect(link.searchParams.get('token')).toMatch(/^[\w-]{43}$/);
    expect(message.text).toContain(message.link);
    expect(message.text).toContain(message.code);
    expect(await ended(running, id)).toEqual({ status: 'sent', reason: null, attempts: 1 });
  });

  it.each([
    ['signup', 'an unconfirmed user', '+15550000001', { phone: '+15550000001' }],
    ['sms', 'a user with this phone', '+15550000002', { phone: '+15550000002', phoneConfirmedAt: confirmed }],
    [
      'sms',
      'a user who waits for it',
      '+15550000003',
      { email: 'p3@example.com', pendingPhone: '+15550000003' },
    ],
  ])('%s reaches %s by SMS with a code', async (type, _who, phone, user) => {
    await insertUser(running, user);
    const id = await resend(running, { type, phone });
    const message = await arrived(running, phone, id);
    expect(message).toMatchObject({ channel: 'sms', to: phone, link: null, html: null, subject: null });
    expect(message.code).toMatch(/^\d{6}$/);
    expect(message.text).toContain(message.code);
    expect(await ended(running, id)).toMatchObject({ status: 'sent' });
  });

  it.each([
    ['the new address', 'new1@example.com', { email: 'old1@example.com', pendingEmail: 'new1@example.com' }],
    ['the current one', 'old2@example.com', { email: 'old2@example.com', pendingEmail: 'new2@example.com' }],
  ])('email_change found by %s goes to the new address', async (_by, email, user) => {
    await insertUser(running, user);
    const id = await resend(running, { type: 'email_change', email });
    expect((await arrived(running, user.pendingEmail, id)).to).toBe(user.pendingEmail);
    expect(await inboxOf(running, user.email)).toEqual([]);
  });

  it('email_change by the current address is not led astray by somebody who waits for that address', async () => {
    await insertUser(running, { email: 'victim@example.com', pendingEmail: 'victim-new@example.com' });
    const later = new Date();
    await insertUser(running, {
      email: 'b@example.com',
      pendingEmail: 'victim@example.com',
      pendingSince: later,
    });
    const id = await resend(running, { type: 'email_change', email: 'victim@example.com' });
    expect((await arrived(running, 'victim-new@example.com', id)).to).toBe('victim-new@example.com');
    expect(await inboxOf(running, 'victim@example.com')).toEqual([]);
  });

  it.each([
    ['signup', 'nobody', null, { email: 'd1@example.com' }, 'unknown_user'],
    ['recovery', 'nobody', null, { email: 'd2@example.com' }, 'unknown_user'],
    ['magiclink', 'nobody', null, { email: 'd3@example.com' }, 'unknown_user'],
    ['email_change', 'nobody', null, { email: 'd4@example.com' }, 'unknown_user'],
    ['sms', 'nobody', null, { phone: '+15550000011' }, 'unknown_user'],
    [
      'signup',
      'a confirmed user',
      { emailConfirmedAt: confirmed },
      { email: 'd6@example.com' },
      'already_confirmed',
    ],
    [
      'signup',
      'a confirmed phone',
      { phoneConfirmedAt: confirmed },
      { phone: '+15550000012' },
      'already_confirmed',
    ],
    ['email_change', 'a user without a change', {}, { email: 'd8@example.com' }, 'no_pending_change'],
    [
      'magiclink',
      'a banned user',
      { bannedUntil: new Date('2999-01-01') },
      { email: 'd9@example.com' },
      'banned',
    ],
  ])('%s for %s is dropped, and only the operator learns why', async (type, _who, user, address, reason) => {
    if (user) await insertUser(running, { ...user, ...address });
    const id = await resend(running, { type, ...address });
    expect(await ended(running, id)).toEqual({ status: 'dropped', reason, attempts: 1 });
    expect(await inboxOf(running, 'email' in address ? address.email : address.phone)).toEqual([]);
    const line = running.logLines.find(({ event, messageId }) => event === 'delivery' && messageId === id);
    expect(line).toMatchObject({ status: 'dropped', reason });
  });
});

describe('a message', () => {
  it('carries the id that the client got', async () => {
    await insertUser(running, { email: 'h1@example.com' });
    const id = await resend(running, { type: 'signup', email: 'h1@example.com' });
    expect((await arrived(running, 'h1@example.com', id)).message_id).toBe(id);
  });

  it('leads where the request said, or else to the site', async () => {
    await insertUser(running, { email: 'h2@example.com' });
    const first = await resend(running, {
      type: 'magiclink',
      email: 'h2@example.com',
      redirect_to: 'http://localhost:0/x',
    });
    const second = await resend(running, { type: 'magiclink', email: 'h2@example.com' });
    const redirects = [];
    for (const id of [first, second]) {
      const { link } = await arrived(running, 'h2@example.com', id);
      redirects.push(new URL(link ?? '').searchParams.get('redirect_to'));
    }
    expect(redirects).toEqual(['http://localhost:0/x', 'http://localhost:0/']);
  });

  it('leaves no secret and no address in the log or the outbox', async () => {
    await insertUser(running, { email: 'private.person@example.com' });
    const id = await resend(running, { type: 'magiclink', email: 'private.person@example.com' });
    const { code, link } = await arrived(running, 'private.person@example.com', id);
    await ended(running, id);
    const log = JSON.stringify(running.logLines.filter(({ messageId }) => messageId === id));
    expect(log).toContain('p***@example.com');
    const everything = JSON.stringify(running.logLines);
    expect(everything).not.toContain('private.person');
    expect(everything).not.toContain(new URL(link ?? '').searchParams.get('token'));
    expect(log).not.toContain(code);
  });
});
