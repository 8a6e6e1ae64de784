import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { MessageEntity } from '../src/auth/messages/message.entities.js';
import { leaseMs } from '../src/auth/outbox/message-queue.js';
import { failuresToOpen } from '../src/auth/send/provider-circuits.js';
import { SuppressionList } from '../src/auth/messages/suppression-list.js';
import { eventually } from './support/eventually.js';
import { advanceWhileIdle, attemptRows, ended, messageRow, resend } from './support/messages.js';
import { SmsGateway } from './support/sms-gateway.js';
import { ScriptedSmtpServer } from './support/smtp-server.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

const minutes = 60_000;

let smtp: ScriptedSmtpServer;
let gateway: SmsGateway;
let running: RunningApp;

beforeAll(async () => {
  smtp = await ScriptedSmtpServer.start();
  gateway = await SmsGateway.start();
  running = await startApp({
    env: {
      SMTP_URL: smtp.url,
      SMS_WEBHOOK_URL: gateway.url,
      SMS_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'key').toString('base64')}`,
      LIMIT_IP: '100000/10m',
    },
  });
});

afterAll(async () => {
  await running.stop();
  await smtp.stop();
  await gateway.stop();
});

/** Everything works again, and both providers have just been used. */
afterEach(async () => {
  smtp.behave();
  gateway.answerWith(200, '{}');
  running.clock.advance(2 * minutes);
  for (const { id } of [await askByMail(), await askBySms()]) {
    await eventually('a provider that works', async () => {
      // While another message probes, this one is put off for a while.
      await advanceWhileIdle(running, 100);
      return (await messageRow(running, id)).status === 'sent';
    });
  }
});

let phones = 0;
const nextPhone = () => `+1555${String(1_000_000 + phones++)}`;

async function askByMail(type = 'magiclink'): Promise<{ id: string; email: string }> {
  const email = `${randomUUID()}@example.com`;
  await insertUser(running, { email });
  return { id: await resend(running, { type, email }), email };
}

async function askBySms(): Promise<{ id: string; phone: string }> {
  const phone = nextPhone();
  await insertUser(running, { phone });
  return { id: await resend(running, { type: 'sms', phone }), phone };
}

/** Moves the clock until the message has been tried so often and waits again, or so far. */
async function letPass(id: string, ms: number): Promise<void> {
  await eventually('an attempt', async () => {
    const { status, attempts } = await messageRow(running, id);
    return status === 'accepted' && attempts > 0;
  });
  running.clock.advance(ms);
}

const messages = () => running.app.get(DataSource).getRepository(MessageEntity);
const postsOf = (id: string) => gateway.requests.filter(({ headers }) => headers['webhook-id'] === id);
const mailOf = (id: string) => smtp.received.filter(({ parsed }) => parsed.messageId?.includes(id)).at(-1);

describe('a message that cannot be delivered', () => {
  it('by mail ends as expired when it is older than RETRY_MAX_AGE', async () => {
    smtp.refuseAt('rcpt', 451, '4.7.1 Greylisted');
    const { id } = await askByMail();
    await letPass(id, 60 * minutes);
    // On the hour it is tried once more.
    await eventually('another attempt', async () => (await messageRow(running, id)).attempts === 2);
    await letPass(id, 2 * minutes);
    expect(await ended(running, id)).toMatchObject({ status: 'failed', reason: 'expired' });
    expect(await attemptRows(running, id)).toMatchObject([
      { attempt: 1, outcome: 'transient', error: 'deferred' },
      { attempt: 2, outcome: 'transient', error: 'deferred' },
    ]);
    expect(mailOf(id)).toBeUndefined();
  });

  it('by SMS ends as expired when its code would have, although mails are still tried', async () => {
    gateway.answerWith(503);
    smtp.refuseAt('rcpt', 451, '4.7.1 Greylisted');
    const { id } = await askBySms();
    const mail = await askByMail();
    await letPass(mail.id, 0);
    await letPass(id, 11 * minutes);
    gateway.answerWith(200, '{}');
    smtp.behave();
    expect(await ended(running, id)).toMatchObject({ status: 'failed', reason: 'expired' });
    expect(await ended(running, mail.id)).toMatchObject({ status: 'sent', attempts: 2 });
    expect(postsOf(id)).toHaveLength(1);
  });

  it('because all providers are away ends as well, though nothing was tried', async () => {
    gateway.answerWith(503);
    for (let n = 0; n < failuresToOpen; n++) {
      const early = await askBySms();
      await eventually('its attempt', async () => (await attemptRows(running, early.id)).length === 1);
    }
    await eventually('an open circuit', async () => {
      const { body } = await running.http.get('/health/ready').expect(200);
      const { providers } = body as { providers: Record<string, string> };
      return providers['webhook'] === 'open' && providers['smtp'] === 'closed';
    });
    const { id } = await askBySms();
    await eventually(
      'a message that waits',
      async () => (await messageRow(running, id)).reason === 'providers_away',
    );
    running.clock.advance(11 * minutes);
    expect(await ended(running, id)).toMatchObject({ status: 'failed', reason: 'expired' });
    expect(await attemptRows(running, id)).toEqual([]);
  });

  it('because its mail servers are away ends as expired without having been tried', async () => {
    smtp.refuseAt('mail', 451, '4.3.2 System not accepting messages');
    for (let n = 0; n < failuresToOpen; n++) {
      const early = await askByMail();
      await eventually('its attempt', async () => (await attemptRows(running, early.id)).length === 1);
    }
    const { id } = await askByMail();
    await eventually(
      'a message that waits',
      async () => (await messageRow(running, id)).reason === 'providers_away',
    );
    // As old as that while the server is still left alone: the clock stands, so nothing probes.
    const now = running.clock.now();
    await messages().update(
      { id: uuidOf(id) },
      { acceptedAt: new Date(now - 61 * minutes), dueAt: new Date(now) },
    );
    expect(await ended(running, id)).toMatchObject({ status: 'failed', reason: 'expired' });
    expect(await attemptRows(running, id)).toEqual([]);
  });

  it('counts its age anew from when an operator asked for it once more', async () => {
    smtp.refuseAt('rcpt', 451, '4.7.1 Greylisted');
    const { id } = await askByMail();
    await letPass(id, 61 * minutes);
    expect(await ended(running, id)).toMatchObject({ status: 'failed', reason: 'expired' });
    smtp.refuseOnceAt('rcpt', 451, '4.7.1 Greylisted');
    const now = new Date(running.clock.now());
    await messages().update(
      { id: uuidOf(id) },
      { status: 'accepted', requeuedAt: now, dueAt: now, endedAt: null },
    );
    await eventually('another attempt', async () => (await attemptRows(running, id)).length === 2);
    await letPass(id, 59 * minutes);
    expect(await ended(running, id)).toMatchObject({ status: 'sent' });
  });
});

describe('a message that an operator asked for once more', () => {
  it('is tried once, however long it had to wait for that', async () => {
    smtp.refuseOnceAt('rcpt', 550, 'No such user');
    const { id } = await askByMail();
    expect(await ended(running, id)).toMatchObject({ status: 'failed', attempts: 1 });
    const now = running.clock.now();
    await messages().update(
      { id: uuidOf(id) },
      {
        status: 'accepted',
        requeuedAt: new Date(now - 61 * minutes),
        acceptedAt: new Date(now - 90 * minutes),
        dueAt: new Date(now),
        endedAt: null,
      },
    );
    await running.app
      .get(DataSource)
      .query(`UPDATE delivery_attempts SET ended_at = $2 WHERE message_id = $1`, [
        uuidOf(id),
        new Date(now - 80 * minutes),
      ]);
    expect(await ended(running, id)).toMatchObject({ status: 'sent', attempts: 2 });
  });
});

const uuidOf = (id: string) => id.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

describe('a message of a worker that died', () => {
  it('is sent by another, and that it may have been sent before is written down and counted', async () => {
    const abandoned = randomUUID();
    const email = `${abandoned}@example.com`;
    await insertUser(running, { email });
    const at = new Date(running.clock.now());
    await messages().insert({
      id: abandoned,
      type: 'signup',
      channel: 'email',
      recipient: email,
      status: 'sending',
      claimedBy: randomUUID(),
      attempts: 1,
      dueAt: at,
      acceptedAt: at,
    });
    const messageId = `msg_${abandoned.replaceAll('-', '')}`;
    await eventually('its end', async () => (await messageRow(running, messageId)).status === 'sent');
    expect(await attemptRows(running, messageId)).toEqual([
      { attempt: 1, provider: null, outcome: 'unknown', error: 'lease_expired' },
      { attempt: 2, provider: 'smtp', outcome: 'sent', error: null },
    ]);
    const { text } = await running.http.get('/metrics').expect(200);
    expect(text).toContain('strike_auth_provider_attempts_total{provider="unknown",outcome="unknown"} 1');
  });
});

describe('a message whose lease ran out while its worker was suspended', () => {
  it('is not begun a second time by that worker, which still has it in hand', async () => {
    smtp.hangAt('message');
    const { id } = await askByMail();
    await eventually('the mail at the server', () => mailOf(id));
    running.clock.advance(2 * leaseMs);
    // The claim that brings the next message would bring the first one as well.
    smtp.behave();
    expect(await ended(running, (await askByMail()).id)).toMatchObject({ status: 'sent' });
    expect(await messageRow(running, id)).toMatchObject({ status: 'sending', attempts: 1 });
    smtp.closeConnections();
    await letPass(id, 1 * minutes);
    expect(await ended(running, id)).toMatchObject({ status: 'sent', attempts: 2 });
    expect(await attemptRows(running, id)).toMatchObject([
      { attempt: 1, provider: 'smtp', outcome: 'unknown' },
      { attempt: 2, provider: 'smtp', outcome: 'sent' },
    ]);
  });
});

describe('after an outage', () => {
  it.each<[number, number[]]>([
    [20, [10, 10]],
    [55, [5, 20, 30]],
  ])('of %i minutes the code of a mail is good for as long as it says', async (_all, pauses) => {
    await smtp.stop();
    const { id, email } = await askByMail();
    for (const [n, pause] of pauses.entries()) {
      await eventually('an attempt', async () => (await attemptRows(running, id)).length === n + 1);
      await letPass(id, 0);
      if (n === pauses.length - 1) await smtp.listen();
      running.clock.advance(pause * minutes);
    }
    expect(await ended(running, id)).toMatchObject({ status: 'sent', attempts: pauses.length + 1 });
    const mail = mailOf(id)?.parsed.text ?? '';
    expect(mail).toContain('The link and the code work for 1 hour');
    const code = /^\d{6}$/m.exec(mail)?.[0];
    running.clock.advance(60 * minutes - 1);
    await running.http.post('/verify').send({ type: 'magiclink', email, token: code }).expect(200);
  });

  it.each([20, 55])('of %i minutes the link of a mail opens until the time that it says', async (pause) => {
    await smtp.stop();
    const { id } = await askByMail();
    await letPass(id, 0);
    await smtp.listen();
    running.clock.advance(pause * minutes);
    expect(await ended(running, id)).toMatchObject({ status: 'sent' });
    const token = /token=([\w-]{43})/.exec(mailOf(id)?.parsed.text ?? '')?.[1];
    running.clock.advance(60 * minutes - 1);
    await running.http.post('/verify').send({ type: 'magiclink', token }).expect(200);
  });

  it('of the whole service an SMS whose time is over is not sent, and a mail is, with fresh secrets', async () => {
    smtp.refuseOnceAt('rcpt', 451, '4.7.1 Greylisted');
    const { id } = await askByMail();
    await letPass(id, 50 * minutes);
    expect(await ended(running, id)).toMatchObject({ status: 'sent' });
    gateway.answerWith(503);
    const sms = await askBySms();
    await letPass(sms.id, 10 * minutes + 1);
    gateway.answerWith(200, '{}');
    expect(await ended(running, sms.id)).toMatchObject({ status: 'failed', reason: 'expired' });
    expect(postsOf(sms.id)).toHaveLength(1);
  });
});

describe('an address on the suppression list', () => {
  const list = () => running.app.get(SuppressionList);

  it('gets nothing, and the client the same answer', async () => {
    const email = 'bounced@example.com';
    await insertUser(running, { email });
    await list().add('email', email, 'hard_bounce');
    const response = await running.http.post('/resend').send({ type: 'signup', email }).expect(200);
    const { message_id: id, ...rest } = response.body as { message_id: string };
    expect(id).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(rest).toEqual({});
    expect(await ended(running, id)).toEqual({ status: 'dropped', reason: 'suppressed', attempts: 1 });
    expect(await attemptRows(running, id)).toEqual([]);
    expect(mailOf(id)).toBeUndefined();
    await list().lift('email', email);
    expect(await ended(running, await resend(running, { type: 'signup', email }))).toMatchObject({
      status: 'sent',
    });
  });

  it('stands there when a mail server knows no such mailbox, as it would after a bounce, and not for policy', async () => {
    smtp.refuseAt('message', 554, '5.7.1 Refused by policy');
    const refused = await askByMail();
    expect(await ended(running, refused.id)).toMatchObject({ status: 'failed', reason: 'rejected_message' });
    expect(await list().contains('email', refused.email)).toBe(false);
    smtp.refuseAt('rcpt', 550, '5.1.1 No such user');
    const gone = await askByMail();
    expect(await ended(running, gone.id)).toMatchObject({ status: 'failed', reason: 'rejected_recipient' });
    expect(await list().find('email', gone.email)).toMatchObject({
      reason: 'hard_bounce',
      messageId: uuidOf(gone.id),
    });
    smtp.behave();
    const next = await resend(running, { type: 'magiclink', email: gone.email });
    expect(await ended(running, next)).toMatchObject({ status: 'dropped', reason: 'suppressed' });
  });

  it('is the one that would get the message, not the one that was named', async () => {
    await insertUser(running, { email: 'old@example.com', pendingEmail: 'new@example.com' });
    await list().add('email', 'old@example.com', 'complaint');
    const sent = await resend(running, { type: 'email_change', email: 'old@example.com' });
    expect(await ended(running, sent)).toMatchObject({ status: 'sent' });
    await list().add('email', 'new@example.com', 'hard_bounce');
    const dropped = await resend(running, { type: 'email_change', email: 'old@example.com' });
    expect(await ended(running, dropped)).toMatchObject({ status: 'dropped', reason: 'suppressed' });
  });

  it('of one channel is nothing to the other', async () => {
    const phone = nextPhone();
    const email = 'both@example.com';
    await insertUser(running, { phone, email });
    await list().add('sms', phone, 'opt_out');
    const sms = await resend(running, { type: 'sms', phone });
    expect(await ended(running, sms)).toMatchObject({ status: 'dropped', reason: 'suppressed' });
    const mail = await resend(running, { type: 'signup', email });
    expect(await ended(running, mail)).toMatchObject({ status: 'sent' });
  });
});
