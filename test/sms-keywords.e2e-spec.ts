import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { SuppressionList } from '../src/auth/messages/suppression-list.js';
import { post } from './support/report-posting.js';
import { publicUrl, reportingVendors } from './support/reporting-vendors.js';
import { type RunningApp, startApp } from './support/start-app.js';

const { twilio, vonage, webhook } = reportingVendors;

/** How each vendor tells of an SMS that came in. */
const ways = [
  {
    name: 'Twilio',
    send: (id: string, from: string, text: string) =>
      signed(
        twilio,
        '/events/twilio/inbound',
        new URLSearchParams({ MessageSid: id, From: from, Body: text }).toString(),
      ),
  },
  {
    name: 'Vonage',
    send: (id: string, from: string, text: string) =>
      signed(
        vonage,
        '/events/vonage/inbound',
        JSON.stringify({ message_uuid: id, from: from.slice(1), text, channel: 'sms', message_type: 'text' }),
      ),
  },
  {
    name: 'a gateway',
    send: (id: string, from: string, text: string) =>
      signed(webhook, '/events/webhook', JSON.stringify({ type: 'sms.received', data: { id, from, text } })),
  },
];

let running: RunningApp;
let list: SuppressionList;
let next = 0;

beforeAll(async () => {
  running = await startApp({
    env: {
      ALLOW_PUBLIC_DEVELOPMENT: 'true',
      PUBLIC_URL: publicUrl,
      SITE_URL: 'https://www.example.com',
      ...twilio.env,
      ...vonage.env,
      ...webhook.env,
    },
  });
  list = running.app.get(SuppressionList);
});
afterAll(() => running.stop());

async function signed(vendor: typeof twilio, path: string, body: string) {
  return post(running, { path, body, headers: await vendor.sign(path, body) });
}

describe.each(ways)('An SMS by way of $name', ({ send }) => {
  let number: string;

  beforeEach(() => {
    next += 1;
    number = `+1202555${String(1_000 + next)}`;
  });

  const say = async (text: string, id: string = randomUUID()) => {
    const answer = await send(id, number, text);
    expect(answer.status).toBe(200);
    return answer.text;
  };
  const isSuppressed = () => list.contains('sms', number);

  it('opts its sender out with STOP, and in again with START', async () => {
    await say('Stop');
    expect(await isSuppressed()).toBe(true);
    await say('START');
    expect(await isSuppressed()).toBe(false);
  });

  it('counts once: a START that comes again does not undo a later STOP', async () => {
    await say('stop', 'one');
    await say('start', `two-${number}`);
    await say('stop', `three-${number}`);
    await say('start', `two-${number}`);
    expect(await isSuppressed()).toBe(true);
  });

  it('cannot lift what is no opt-out', async () => {
    await list.add('sms', number, 'complaint');
    await say('STOP');
    await say('START');
    expect(await isSuppressed()).toBe(true);
  });

  it('is ignored when it is anything else', async () => {
    await say('Thank you, I got the code');
    await say('123456');
    expect(await isSuppressed()).toBe(false);
  });

  it('is not written down beyond the fact that there was one', async () => {
    await say('STOP');
    const rows = await running.app.get(DataSource).query<object[]>(`SELECT * FROM sms_keywords`);
    expect(JSON.stringify(rows)).not.toContain(number.slice(1));
    const lines = running.logLines.map((line) => JSON.stringify(line)).join('\n');
    expect(lines).not.toContain(number.slice(1));
    expect(lines).toContain('"event":"sms_keyword"');
  });
});

describe('A question', () => {
  it('is answered through Twilio in TwiML', async () => {
    const answer = await ways[0]!.send('SM-help', '+12025550199', 'help');
    expect(answer.text).toMatch(
      /^<\?xml [^>]+><Response><Message>www\.example\.com .*STOP.*<\/Message><\/Response>$/,
    );
  });

  it('is not answered twice when Twilio has answered it', async () => {
    const fields = { MessageSid: 'SM-help-2', From: '+12025550199', Body: 'help', OptOutType: 'HELP' };
    const answer = await signed(twilio, '/events/twilio/inbound', new URLSearchParams(fields).toString());
    expect(answer.text).toMatch(/<Response><\/Response>$/);
  });

  it('is answered to the gateway, which may pass it on', async () => {
    const answer = await ways[2]!.send('help-3', '+12025550199', 'HELP');
    expect(JSON.parse(answer.text)).toEqual({
      received: 1,
      reply: expect.stringContaining('STOP') as string,
    });
  });
});

it('does not take an SMS from a stranger for one of Twilio', async () => {
  const body = new URLSearchParams({ MessageSid: 'SM-x', From: '+12025550198', Body: 'STOP' }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': 'AAAA' };
  expect((await post(running, { path: '/events/twilio/inbound', headers, body })).status).toBe(403);
  expect(await list.contains('sms', '+12025550198')).toBe(false);
});
