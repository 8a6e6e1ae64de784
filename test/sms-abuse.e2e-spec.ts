import type { TestingModuleBuilder } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { PrefixCredit } from '../src/auth/sms-abuse/prefix-credit.js';
import { Transaction } from '../src/database/transaction.js';
import { Clock } from '../src/platform/clock.js';
import { arrived, inboxOf } from './support/inbox.js';
import { ended, resend } from './support/messages.js';
import { SmsGateway } from './support/sms-gateway.js';
import { type RunningApp, startApp } from './support/start-app.js';
import { insertUser } from './support/users.js';

const dayMs = 86_400_000;
const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;

const limits = {
  LIMIT_IP: '100000/10m',
  LIMIT_SMS: '1000/5m',
  LIMIT_VERIFY: '1000/10m',
  SMS_COUNTRIES: 'DE,+1',
  SMS_DAILY_PER_NUMBER: '2',
  SMS_COSTS: '*:+1=0.30,*:*=0.10',
  SMS_DAILY_BUDGET: '0.65,country=0.40',
};

/** A block of numbers is cut when three codes are unverified, so that few will do. */
const override = (module: TestingModuleBuilder) =>
  module.overrideProvider(PrefixCredit).useFactory({
    inject: [Transaction, Clock],
    factory: (transaction: Transaction, clock: Clock) => new PrefixCredit(transaction, clock, 3),
  });

let running: RunningApp;
let count = 0;

/** The number of somebody new, the last four digits aside all in the same block of numbers. */
async function somebody(block: string): Promise<string> {
  const phone = `${block}${String(1_000 + (count += 1))}`;
  await insertUser(running, { phone });
  return phone;
}

const ask = (phone: string) => resend(running, { type: 'sms', phone });

/** Asks until the message has been sent. */
async function sentTo(phone: string): Promise<string> {
  const id = await ask(phone);
  await arrived(running, phone, id);
  expect(await ended(running, id)).toMatchObject({ status: 'sent' });
  return id;
}

describe('what SMS may cost, when it is enforced', () => {
  beforeAll(async () => {
    running = await startApp({ env: { ...limits, SMS_ABUSE_MODE: 'enforce' }, override });
  });
  afterAll(() => running.stop());
  // What was counted in the test before counts no more.
  beforeEach(() => running.clock.advance(2 * dayMs));

  /** The next message to the number ends so, leaves nothing in the inbox, and is told of without the number. */
  async function expectRefusal(phone: string, status: string, reason: string): Promise<void> {
    const before = await inboxOf(running, phone);
    const id = await ask(phone);
    expect(await ended(running, id)).toEqual({ status, reason, attempts: 1 });
    expect(await inboxOf(running, phone)).toEqual(before);
    const lines = running.logLines.filter(
      ({ event, messageId }) => event === 'sms_refusal' && messageId === id,
    );
    expect(lines).toEqual([
      expect.objectContaining({
        reason,
        mode: 'enforce',
        to: expect.stringMatching(/^\+\d\*{5}\d{4}$/) as string,
      }),
    ]);
    expect(JSON.stringify(running.logLines)).not.toContain(phone);
    const { text } = await running.http.get('/metrics').expect(200);
    expect(text).toMatch(
      new RegExp(`^strike_auth_sms_refusals_total\\{reason="${reason}",mode="enforce"\\} [1-9]`, 'm'),
    );
  }

  it('drops a message to a country that is not allowed', async () => {
    await expectRefusal(await somebody('+3361234'), 'dropped', 'country_not_allowed');
    await sentTo(await somebody('+49151123'));
  });

  it('drops the sign-up of a number in a country that is not allowed', async () => {
    const phone = await somebody('+3361234');
    const id = await resend(running, { type: 'signup', phone });
    expect(await ended(running, id)).toMatchObject({ status: 'dropped', reason: 'country_not_allowed' });
    expect(await inboxOf(running, phone)).toEqual([]);
  });

  it('drops what a number gets beyond its share of the day', async () => {
    const phone = await somebody('+49151123');
    await sentTo(phone);
    await sentTo(phone);
    await expectRefusal(phone, 'dropped', 'number_daily_cap');
  });

  it('drops messages to a prefix that verifies none of its codes, until one is verified', async () => {
    const people = [];
    for (let i = 0; i < 5; i++) people.push(await somebody('+49151124'));
    const [first, second, third, fourth, fifth] = people as [string, string, string, string, string];
    const id = await sentTo(first);
    await sentTo(second);
    await sentTo(third);
    await expectRefusal(fourth, 'dropped', 'prefix_cut');
    const { code } = await arrived(running, first, id);
    await running.http.post('/verify').send({ type: 'sms', phone: first, token: code }).expect(200);
    await sentTo(fifth);
  });

  it('earns nothing by a wrong code', async () => {
    for (let i = 0; i < 3; i++) {
      const phone = await somebody('+49151125');
      const { code } = await arrived(running, phone, await sentTo(phone));
      const wrong = code.replace(/^./, (digit) => String((Number(digit) + 1) % 10));
      await running.http.post('/verify').send({ type: 'sms', phone, token: wrong }).expect(403);
    }
    await expectRefusal(await somebody('+49151125'), 'dropped', 'prefix_cut');
  });

  it('fails what is beyond the budget of a country, and of all', async () => {
    for (const block of ['+49151131', '+49151132', '+49151133', '+49151134'])
      await sentTo(await somebody(block));
    await expectRefusal(await somebody('+49151135'), 'failed', 'prefix_budget_exhausted');
    await expectRefusal(await somebody('+1212555'), 'failed', 'budget_exhausted');
    running.clock.advance(dayMs);
    await sentTo(await somebody('+1212555'));
  });

  it('answers the client the same whatever becomes of the message', async () => {
    const capped = await somebody('+49151141');
    await sentTo(capped);
    await sentTo(capped);
    const numbers = {
      capped,
      welcome: await somebody('+49151142'),
      abroad: await somebody('+3361234'),
      satellite: await somebody('+88161234'),
      unknown: '+4915114399999',
      'the example of the documentation': '+1234567890',
    };
    const answers = [];
    for (const phone of Object.values(numbers)) {
      const { status, body, headers } = await running.http.post('/resend').send({ type: 'sms', phone });
      answers.push({ status, body: Object.keys(body as object), headers: Object.keys(headers).sort() });
      await ended(running, (body as { message_id: string }).message_id);
    }
    for (const answer of answers)
      expect(answer).toEqual({ ...answers[0], status: 200, body: ['message_id'] });
  });
});

describe('what SMS may cost, when it is only recorded', () => {
  beforeAll(async () => {
    running = await startApp({ env: { ...limits, SMS_ABUSE_MODE: 'record-only' }, override });
  });
  afterAll(() => running.stop());

  it('sends what would be refused, and counts and logs it by reason', async () => {
    const abroad = await somebody('+3361234');
    const capped = await somebody('+49151123');
    const ids = [await sentTo(abroad)];
    for (let i = 0; i < 4; i++) ids.push(await sentTo(capped));
    const lines = running.logLines.filter(({ event }) => event === 'sms_refusal');
    expect(lines.map(({ messageId, reason, mode }) => [messageId, reason, mode])).toEqual([
      [ids[0], 'country_not_allowed', 'record-only'],
      [ids[3], 'number_daily_cap', 'record-only'],
      [ids[4], 'number_daily_cap', 'record-only'],
    ]);
    const { text } = await running.http.get('/metrics').expect(200);
    expect(text).toContain('strike_auth_sms_refusals_total{reason="number_daily_cap",mode="record-only"} 2');
  });
});

describe('what an SMS cost', () => {
  let gateway: SmsGateway;

  beforeAll(async () => {
    gateway = await SmsGateway.start();
    const webhook = { SMS_WEBHOOK_URL: gateway.url, SMS_WEBHOOK_SECRET: secret };
    running = await startApp({
      env: { ...limits, ...webhook, SMS_ABUSE_MODE: 'enforce', SMS_DAILY_PER_NUMBER: '1' },
    });
  });
  afterAll(async () => {
    await running.stop();
    await gateway.stop();
  });

  it('is nothing when the gateway refused, and such messages do not count against the number', async () => {
    const spent = () =>
      running.app.get(DataSource).query<object[]>(`SELECT scope, micros FROM sms_spending ORDER BY scope`);
    const phone = await somebody('+49151123');
    gateway.answerWith(422);
    for (let i = 0; i < 2; i++) {
      expect(await ended(running, await ask(phone))).toMatchObject({ reason: 'rejected_by_gateway' });
    }
    expect(await spent()).toEqual([
      { scope: '*', micros: '0' },
      { scope: 'DE', micros: '0' },
    ]);
    gateway.answerWith(200, '{}');
    expect(await ended(running, await ask(phone))).toMatchObject({ status: 'sent' });
    expect(await spent()).toEqual([
      { scope: '*', micros: '100000' },
      { scope: 'DE', micros: '100000' },
    ]);
    expect(await ended(running, await ask(phone))).toMatchObject({ reason: 'number_daily_cap' });
    expect(gateway.requests).toHaveLength(3);
  });
});
