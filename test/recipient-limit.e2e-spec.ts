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

/** What becomes of a change to this address that somebody new asks for. */
const change = async (to: string) => ended(running, await askedBy(await somebodyWaitingFor(to)));
const recovery = async (email: string) => ended(running, await resend(running, { type: 'recovery', email }));

const tooMany = { status: 'dropped', reason: 'recipient_limit', attempts: 1 };

describe('one mailbox', () => {
  it('gets six mails in five minutes, whoever asks, under whatever name and spelling, and then again', async () => {
    const name = `${count}`;
    const spellings = Array.from({ length: 8 }, (_, i) => `vic.tim-${name}+${i}@gmail.com`);
    for (const spelling of spellings.slice(0, 6)) expect((await change(spelling)).status).toBe('sent');
    for (const spelling of [...spellings.slice(6), `victim-${name}@googlemail.com`])
      expect(await change(spelling)).toEqual(tooMany);
    expect(smtp.received).toHaveLength(6);
    running.clock.advance(300_000);
    expect((await change(`victim-${name}@gmail.com`)).status).toBe('sent');
  });

  it('gets the first of each type in an hour all the same, and takes nothing from others', async () => {
    const victim = `victim-${count}@example.com`;
    await insertUser(running, { email: victim });
    for (let i = 0; i < 6; i += 1) await change(victim);
    expect(await change(victim)).toEqual(tooMany);
    expect((await recovery(victim)).status).toBe('sent');
    expect(await recovery(victim)).toEqual(tooMany);
    expect((await change(`other-${count}@example.com`)).status).toBe('sent');
  });

  it('gets no more by attempts that failed, and no less; what was let through once is only late', async () => {
    const victim = `victim-${count}@example.com`;
    smtp.refuseOnceAt('rcpt', 451, 'Come back later');
    const late = await askedBy(await somebodyWaitingFor(victim));
    await eventually('a failed attempt', async () => {
      const { status, attempts } = await messageRow(running, late);
      return status === 'accepted' && attempts === 1;
    });
    for (let i = 0; i < 6; i += 1) expect((await change(victim)).status).toBe('sent');
    running.clock.advance(1_000);
    await eventually('an attempt that finds no room', async () => {
      const { status, reason, attempts } = await messageRow(running, late);
      return status === 'accepted' && reason === 'recipient_limit' && attempts === 2;
    });
    expect(mailsTo(victim)).toBe(6);
    running.clock.advance(300_000);
    expect(await ended(running, late)).toEqual({ status: 'sent', reason: null, attempts: 3 });
    expect(mailsTo(victim)).toBe(7);
  });

  it('is not used up by what is asked for and never sent', async () => {
    const email = `owner-${count}@example.com`;
    await insertUser(running, { email, emailConfirmedAt: new Date() });
    for (const type of ['signup', 'email_change'])
      for (let i = 0; i < 3; i += 1) await ended(running, await resend(running, { type, email }));
    for (let i = 0; i < 3; i += 1) expect((await recovery(email)).status).toBe('sent');
  });
});
