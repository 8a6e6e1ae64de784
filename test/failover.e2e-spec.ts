import { randomUUID } from 'node:crypto';
import { failuresToOpen, firstPauseMs } from '../src/auth/send/provider-circuits.js';
import { eventually } from './support/eventually.js';
import { advanceWhileIdle, attemptRows, ended, messageRow, resend } from './support/messages.js';
import { ScriptedSmtpServer, type SmtpStage } from './support/smtp-server.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

/** How long the mailer bears a silent server here, in milliseconds; in production it is twenty seconds. */
const silenceMs = 2_000;

let first: ScriptedSmtpServer;
let second: ScriptedSmtpServer;
let running: RunningApp;

beforeAll(async () => {
  first = await ScriptedSmtpServer.start();
  second = await ScriptedSmtpServer.start();
  running = await startApp({
    env: {
      SMTP_URL: [first.urlWithCredentials, second.url].map(withTimeouts).join(', '),
      LIMIT_IP: '100000/10m',
    },
  });
});

afterAll(async () => {
  await running.stop();
  await first.stop();
  await second.stop();
});

const withTimeouts = (url: string) =>
  `${url}/?socketTimeout=${silenceMs}&greetingTimeout=${silenceMs}&connectionTimeout=${silenceMs}`;
const nameOf = (server: ScriptedSmtpServer) => `smtp:${new URL(server.url).host}`;
const byFirst = (outcome: string, error: string | null, attempt = 1) => ({
  attempt,
  provider: nameOf(first),
  outcome,
  error,
});
const bySecond = (outcome: string, error: string | null, attempt = 1) => ({
  ...byFirst(outcome, error, attempt),
  provider: nameOf(second),
});
const sentTo = (server: ScriptedSmtpServer, id: string) =>
  server.received.filter(({ parsed }) => parsed.messageId?.includes(id)).length;

async function ask(): Promise<string> {
  const email = `${randomUUID()}@example.com`;
  await insertUser(running, { email });
  return resend(running, { type: 'signup', email });
}

/** Lets the message's backoff pass, once it has come to that. */
async function nextAttempt(id: string, attempts: number): Promise<void> {
  await eventually(`the end of attempt ${attempts}`, async () => {
    const row = await messageRow(running, id);
    return row.status === 'accepted' && row.attempts === attempts;
  });
  running.clock.advance(2_000);
}

async function states(): Promise<Record<string, string>> {
  const { body } = await running.http.get('/health/ready').expect(200);
  return (body as { providers: Record<string, string> }).providers;
}

/** Everything works again, and the first server has just carried a mail. */
async function recover(): Promise<void> {
  first.behave();
  second.behave();
  running.clock.advance(10 * firstPauseMs);
  const id = await ask();
  expect(await ended(running, id)).toMatchObject({ status: 'sent' });
  expect((await attemptRows(running, id)).at(-1)).toMatchObject(byFirst('sent', null));
}

type Misbehave = (server: ScriptedSmtpServer) => void;
const refuse =
  (stage: SmtpStage, code: number, text: string): Misbehave =>
  (server) => {
    server.refuseAt(stage, code, text);
  };
const hang =
  (stage: SmtpStage): Misbehave =>
  (server) => {
    server.hangAt(stage);
  };
const hangUp =
  (stage: SmtpStage): Misbehave =>
  (server) => {
    server.hangUpAt(stage);
  };

describe('when the preferred mail server', () => {
  afterEach(recover);

  it.each<[string, Misbehave, string]>([
    ['refuses the connection with 554', refuse('connect', 554, 'Go away'), 'refused_by_server'],
    ['is too busy for a connection', refuse('connect', 421, 'Too busy'), 'deferred'],
    ['never greets', hang('connect'), 'timed_out'],
    ['hangs up instead of a greeting', hangUp('connect'), 'connection_failed'],
    ['refuses EHLO', refuse('ehlo', 550, 'Who are you'), 'refused_by_server'],
    ['closes after EHLO', refuse('ehlo', 421, 'Later'), 'deferred'],
    ['does not answer EHLO', hang('ehlo'), 'timed_out'],
    ['hangs up after EHLO', hangUp('ehlo'), 'connection_failed'],
    ['refuses the login', refuse('auth', 535, '5.7.8 Bad credentials'), 'authentication_failed'],
    ['does not answer the login', hang('auth'), 'timed_out'],
    ['hangs up after the login', hangUp('auth'), 'connection_failed'],
    ['refuses the sender', refuse('mail', 550, '5.7.1 Not you'), 'rejected_sender'],
    ['defers the sender', refuse('mail', 451, 'Later'), 'deferred'],
    ['does not answer MAIL', hang('mail'), 'timed_out'],
    ['hangs up after MAIL', hangUp('mail'), 'connection_failed'],
    ['refuses to relay', refuse('rcpt', 550, '5.7.1 Relaying denied'), 'refused_by_server'],
    ['greylists the recipient', refuse('rcpt', 451, '4.7.1 Greylisted'), 'deferred'],
    ['does not answer RCPT', hang('rcpt'), 'timed_out'],
    ['hangs up after RCPT', hangUp('rcpt'), 'connection_failed'],
    ['defers DATA', refuse('data', 451, 'Later'), 'deferred'],
    ['does not answer DATA', hang('data'), 'timed_out'],
    ['hangs up after DATA', hangUp('data'), 'connection_failed'],
    ['defers the content', refuse('message', 451, 'Later'), 'deferred'],
    ['shuts down after the content', refuse('message', 421, 'Shutting down'), 'deferred'],
  ])('%s, the next one carries the mail in the same attempt', async (_what, misbehave, error) => {
    misbehave(first);
    first.closeConnections();
    const id = await ask();
    expect(await ended(running, id)).toEqual({ status: 'sent', reason: null, attempts: 1 });
    expect(await attemptRows(running, id)).toEqual([byFirst('transient', error), bySecond('sent', null)]);
    expect(sentTo(second, id)).toBe(1);
  });

  it('is gone, the next one carries the mail in the same attempt', async () => {
    await first.stop();
    const id = await ask();
    expect(await ended(running, id)).toEqual({ status: 'sent', reason: null, attempts: 1 });
    expect(await attemptRows(running, id)).toEqual([
      byFirst('transient', 'connection_failed'),
      bySecond('sent', null),
    ]);
    await first.listen();
  });

  it.each<[string, Misbehave, string]>([
    ['knows no such mailbox', refuse('rcpt', 550, '5.1.1 No such user'), 'rejected_recipient'],
    ['knows no such mailbox, in words of its own', refuse('rcpt', 550, 'Who?'), 'rejected_recipient'],
    ['does not want the content', refuse('message', 554, '5.6.0 Spam'), 'rejected_message'],
  ])('%s, nobody else is asked and nothing is tried again', async (_what, misbehave, reason) => {
    misbehave(first);
    const id = await ask();
    expect(await ended(running, id)).toEqual({ status: 'failed', reason, attempts: 1 });
    expect(await attemptRows(running, id)).toEqual([byFirst('permanent', reason)]);
    expect(sentTo(second, id)).toBe(0);
    expect(await states()).toMatchObject({ [nameOf(first)]: 'closed' });
  });

  it('takes its time, it is waited for', async () => {
    first.dawdleAt('message', silenceMs / 3);
    const id = await ask();
    expect(await ended(running, id)).toEqual({ status: 'sent', reason: null, attempts: 1 });
    expect(await attemptRows(running, id)).toEqual([byFirst('sent', null)]);
    expect(sentTo(second, id)).toBe(0);
  });

  it('and the next one both defer, the mail waits for its backoff and goes out then', async () => {
    first.refuseOnceAt('rcpt', 451, '4.7.1 Greylisted');
    second.refuseOnceAt('rcpt', 450, '4.2.0 Greylisted');
    const id = await ask();
    await nextAttempt(id, 1);
    expect(await ended(running, id)).toEqual({ status: 'sent', reason: null, attempts: 2 });
    expect(await attemptRows(running, id)).toEqual([
      byFirst('transient', 'deferred'),
      bySecond('transient', 'deferred'),
      byFirst('sent', null, 2),
    ]);
  });
});

describe('when the answer to a whole mail is lost', () => {
  afterEach(recover);

  it.each<[string, Misbehave, string]>([
    ['because the server hangs up', hangUp('message'), 'connection_failed'],
    ['because the server says nothing', hang('message'), 'timed_out'],
  ])('%s, the same server is asked once more, under the same Message-ID', async (_what, lose, error) => {
    lose(first);
    const id = await ask();
    await eventually('the mail at the server', () => sentTo(first, id) === 1);
    await eventually('its row', async () => (await attemptRows(running, id)).length === 1);
    first.behave();
    await nextAttempt(id, 1);
    expect(await ended(running, id)).toEqual({ status: 'sent', reason: null, attempts: 2 });
    expect(await attemptRows(running, id)).toEqual([byFirst('unknown', error), byFirst('sent', null, 2)]);
    expect([sentTo(first, id), sentTo(second, id)]).toEqual([2, 0]);
  });

  it('twice by the same server, the next one is asked at once', async () => {
    first.hangUpAt('message');
    const id = await ask();
    await nextAttempt(id, 1);
    expect(await ended(running, id)).toEqual({ status: 'sent', reason: null, attempts: 2 });
    expect(await attemptRows(running, id)).toEqual([
      byFirst('unknown', 'connection_failed'),
      byFirst('unknown', 'connection_failed', 2),
      bySecond('sent', null, 2),
    ]);
  });

  it('three times, the mail is given up: nobody gets it more than three times', async () => {
    first.hangUpAt('message');
    second.hangUpAt('message');
    const id = await ask();
    await nextAttempt(id, 1);
    expect(await ended(running, id)).toEqual({ status: 'failed', reason: 'outcome_unknown', attempts: 2 });
    const rows = await attemptRows(running, id);
    expect(rows.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown', 'unknown']);
    expect(sentTo(first, id) + sentTo(second, id)).toBe(3);
  });

  it('each time is counted', async () => {
    first.hangUpAt('message');
    const id = await ask();
    await nextAttempt(id, 1);
    await ended(running, id);
    const { text } = await running.http.get('/metrics').expect(200);
    const counted = (provider: string, outcome: string) =>
      Number(
        new RegExp(
          `^strike_auth_provider_attempts_total{provider="${provider}",outcome="${outcome}"} (\\d+)$`,
          'm',
        ).exec(text)?.[1],
      );
    expect(counted(nameOf(first), 'unknown')).toBeGreaterThanOrEqual(2);
    expect(counted(nameOf(second), 'sent')).toBeGreaterThanOrEqual(1);
  });
});

describe('a mail server that keeps failing', () => {
  afterEach(recover);

  const switches = () =>
    running.logLines
      .filter(({ event, provider }) => event === 'provider' && provider === nameOf(first))
      .map(({ state }) => state);

  async function failUntilOpen(): Promise<void> {
    for (let n = 0; n < failuresToOpen; n++) await ended(running, await ask());
    await eventually('an open circuit', async () => (await states())[nameOf(first)] === 'open');
  }

  it('is left alone at once, probed after a pause and used again, and each switch is logged once', async () => {
    const before = switches().length;
    first.refuseAt('mail', 451, '4.3.2 System not accepting messages');
    await failUntilOpen();
    const id = await ask();
    expect(await ended(running, id)).toMatchObject({ status: 'sent' });
    expect(await attemptRows(running, id)).toEqual([bySecond('sent', null)]);
    const { text } = await running.http.get('/metrics').expect(200);
    expect(text).toContain(`strike_auth_provider_state{provider="${nameOf(first)}",state="open"} 1`);
    expect(text).toContain(`strike_auth_provider_state{provider="${nameOf(second)}",state="closed"} 1`);

    running.clock.advance(firstPauseMs);
    const probe = await ask();
    expect(await ended(running, probe)).toMatchObject({ status: 'sent' });
    expect(await attemptRows(running, probe)).toEqual([
      byFirst('transient', 'deferred'),
      bySecond('sent', null),
    ]);
    expect(await states()).toMatchObject({ [nameOf(first)]: 'open' });

    first.behave();
    running.clock.advance(2 * firstPauseMs);
    const served = await ask();
    expect(await ended(running, served)).toMatchObject({ status: 'sent' });
    expect(await attemptRows(running, served)).toEqual([byFirst('sent', null)]);
    expect(await states()).toEqual({ [nameOf(first)]: 'closed', [nameOf(second)]: 'closed' });
    expect(switches().slice(before)).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  it('is not left alone for what it says of single recipients', async () => {
    first.refuseAt('rcpt', 452, '4.2.2 Mailbox full');
    for (let n = 0; n < 2 * failuresToOpen; n++) await ended(running, await ask());
    expect(await states()).toMatchObject({ [nameOf(first)]: 'closed' });
  });

  it('as all others do, leaves the mail waiting, which is no attempt, until one of them works', async () => {
    for (const server of [first, second]) server.refuseAt('mail', 451, '4.3.2 System not accepting messages');
    const early: string[] = [];
    for (let n = 0; n < failuresToOpen; n++) early.push(await ask());
    await eventually('open circuits', async () =>
      Object.values(await states()).every((state) => state === 'open'),
    );
    const id = await ask();
    await eventually('a mail that waits', async () => {
      const row = await messageRow(running, id);
      return row.reason === 'providers_away' && row.attempts === 0 && row.status === 'accepted';
    });
    expect(await attemptRows(running, id)).toEqual([]);
    for (const server of [first, second]) server.behave();
    await eventually('the mails', async () => {
      await advanceWhileIdle(running, firstPauseMs);
      const rows = await Promise.all([...early, id].map((each) => messageRow(running, each)));
      return rows.every(({ status }) => status === 'sent');
    });
    expect(await attemptRows(running, id)).toHaveLength(1);
  });
});
