import { eventually } from './support/eventually.js';
import { ended, messageRow, resend } from './support/messages.js';
import { ScriptedSmtpServer } from './support/smtp-server.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

let running: RunningApp;
let smtp: ScriptedSmtpServer;
let count = 0;

beforeAll(async () => {
  smtp = await ScriptedSmtpServer.start();
  running = await startApp({ env: { LIMIT_IP: '1000/10m', LIMIT_EMAIL: '3/5m', SMTP_URL: smtp.url } });
});
beforeEach(() => {
  smtp.behave();
  count += 1;
});
afterAll(async () => {
  await running.stop();
  await smtp.stop();
});

const mailsTo = (address: string) => smtp.received.filter(({ to }) => to.includes(address)).length;

/** Somebody who has an address and waits for another, as any number of people can. */
async function somebodyWaitingFor(pendingEmail: string) {
  const email = `person-${(count += 1)}@example.com`;
  await insertUser(running, { email, pendingEmail, pendingSince: new Date() });
  return email;
}

const askedBy = (email: string) => resend(running, { type: 'email_change', email });

describe('an address that many people wait for', () => {
  it('gets three mails in five minutes, whoever asks and under whatever name, and then again', async () => {
    const victim = `victim-${count}@example.com`;
    for (let i = 0; i < 3; i += 1) {
      const id = await askedBy(await somebodyWaitingFor(victim));
      expect((await ended(running, id)).status).toBe('sent');
    }
    for (const name of [await somebodyWaitingFor(victim), victim]) {
      const beyond = await askedBy(name);
      expect(await ended(running, beyond)).toEqual({
        status: 'dropped',
        reason: 'recipient_limit',
        attempts: 1,
      });
    }
    expect(mailsTo(victim)).toBe(3);
    running.clock.advance(300_000);
    const later = await askedBy(await somebodyWaitingFor(victim));
    expect((await ended(running, later)).status).toBe('sent');
  });

  it('gets what else is meant for it all the same, and takes nothing from others', async () => {
    const victim = `victim-${count}@example.com`;
    await insertUser(running, { email: victim });
    for (let i = 0; i < 4; i += 1) await ended(running, await askedBy(await somebodyWaitingFor(victim)));
    for (let i = 0; i < 3; i += 1) {
      const own = await resend(running, { type: 'recovery', email: victim });
      expect((await ended(running, own)).status).toBe('sent');
    }
    const other = await askedBy(await somebodyWaitingFor(`other-${count}@example.com`));
    expect((await ended(running, other)).status).toBe('sent');
  });

  it('gets no more by attempts that failed, and a message that was let through once is only late', async () => {
    const victim = `victim-${count}@example.com`;
    const greylisted = await somebodyWaitingFor(victim);
    smtp.refuseOnceAt('rcpt', 451, 'Come back later');
    const late = await askedBy(greylisted);
    await eventually('a failed attempt', async () => {
      const { status, attempts } = await messageRow(running, late);
      return status === 'accepted' && attempts === 1;
    });
    for (let i = 0; i < 2; i += 1) {
      const id = await askedBy(await somebodyWaitingFor(victim));
      expect((await ended(running, id)).status).toBe('sent');
    }
    running.clock.advance(1_000);
    await eventually('an attempt that finds no room', async () => {
      const { status, reason, attempts } = await messageRow(running, late);
      return status === 'accepted' && reason === 'recipient_limit' && attempts === 2;
    });
    expect(mailsTo(victim)).toBe(2);
    running.clock.advance(300_000);
    expect(await ended(running, late)).toEqual({ status: 'sent', reason: null, attempts: 3 });
    expect(mailsTo(victim)).toBe(3);
  });
});
