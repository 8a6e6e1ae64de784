import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { MessageQueue } from '../src/auth/outbox/message-queue.js';
import { ReturnPath } from '../src/auth/vendors/smtp/return-path.js';
import { SuppressionList } from '../src/auth/messages/suppression-list.js';
import { awkwardText } from './support/hostile-input.js';
import { expectSomeError } from './support/error-bodies.js';
import { messageRow } from './support/messages.js';
import { eventsOf, insertAttempt, insertMessage, post } from './support/report-posting.js';
import {
  notification,
  publicUrl,
  reportingVendors,
  reportOf,
  type ReportingVendor,
} from './support/reporting-vendors.js';
import { type RunningApp, startApp } from './support/start-app.js';

const vendors = Object.entries<ReportingVendor>(reportingVendors);
const env: Record<string, string> = {
  ALLOW_PUBLIC_DEVELOPMENT: 'true',
  PUBLIC_URL: publicUrl,
  MAIL_RETURN_PATH: 'bounces@mail.example.com',
};
for (const [, vendor] of vendors) Object.assign(env, vendor.env);

let running: RunningApp;

beforeAll(async () => {
  running = await startApp({ env });
});
afterAll(() => running.stop());

const statusOf = async (messageId: string) => (await messageRow(running, messageId)).status;

/** A message that this vendor could have carried. */
function messageFor(vendor: ReportingVendor, fields: Parameters<typeof insertMessage>[1] = {}) {
  const byMail = { type: 'signup', channel: 'email', recipient: `${randomUUID()}@example.com` } as const;
  return insertMessage(running, { ...(vendor.channel === 'email' ? byMail : {}), ...fields });
}

describe.each(vendors)('A report of %s', (_name, vendor) => {
  it('moves the message that it names, and is written down', async () => {
    const { id, messageId } = await messageFor(vendor);
    const report = await reportOf(vendor, { messageId, receipt: `r-${id}`, status: 'delivered' });
    expect((await post(running, report)).status).toBe(200);
    expect(await statusOf(messageId)).toBe('delivered');
    expect(await eventsOf(running, id)).toMatchObject([{ provider: vendor.provider, kind: 'delivered' }]);
    expect(running.logLines).toContainEqual(
      expect.objectContaining({
        event: 'delivery_event',
        provider: vendor.provider,
        messageId,
        result: 'applied',
      }),
    );
  });

  it('counts once, however often it comes, also at the same time', async () => {
    const { id, messageId } = await messageFor(vendor);
    const report = await reportOf(vendor, { messageId, receipt: `r-${id}`, status: 'failed' });
    const answers = await Promise.all([1, 2, 3].map(() => post(running, report)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    // An operator sends it again: what comes once more must not end it.
    await running.app
      .get(DataSource)
      .query(`UPDATE messages SET status = 'accepted', requeued_at = NULL WHERE id = $1`, [id]);
    expect((await post(running, report)).status).toBe(200);
    expect(await statusOf(messageId)).toBe('accepted');
    expect(await eventsOf(running, id)).toHaveLength(1);
  });

  it('never moves a message backwards when it comes late', async () => {
    const { id, messageId } = await messageFor(vendor);
    for (const status of ['delivered', 'on its way', 'failed'] as const) {
      const report = await reportOf(vendor, { messageId, receipt: `r-${id}`, status });
      expect((await post(running, report)).status).toBe(200);
    }
    const failureIsABounce = vendor.channel === 'email';
    expect(await statusOf(messageId)).toBe(failureIsABounce ? 'bounced' : 'delivered');
    const kinds = (await eventsOf(running, id)).map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['delivered', failureIsABounce ? 'bounced' : 'failed']));
  });

  it('may come before the worker has written down that it sent the message', async () => {
    const claim = randomUUID();
    const { id, messageId } = await messageFor(vendor, { status: 'sending', claimedBy: claim });
    await post(running, await reportOf(vendor, { messageId, receipt: `r-${id}`, status: 'delivered' }));
    expect(await statusOf(messageId)).toBe('delivered');
    const claimed = { id, claim, attempts: 1, acceptedAt: new Date() };
    await running.app
      .get(MessageQueue)
      .settle(claimed as Parameters<MessageQueue['settle']>[0], { status: 'sent' });
    expect(await statusOf(messageId)).toBe('delivered');
  });

  it('is ignored when no message is meant', async () => {
    const before = await eventCount();
    const stranger = `msg_${randomUUID().replaceAll('-', '')}`;
    const report = await reportOf(vendor, {
      messageId: stranger,
      receipt: randomUUID(),
      status: 'delivered',
    });
    expect((await post(running, report)).status).toBe(200);
    expect(await eventCount()).toBe(before);
  });

  it('is refused when it has no signature', async () => {
    const { id, messageId } = await messageFor(vendor);
    const report = await reportOf(vendor, { messageId, receipt: `r-${id}`, status: 'delivered' });
    const headers = { 'content-type': report.headers['content-type'] ?? '' };
    await expectRefusal(await post(running, { ...report, headers }), messageId, id);
  });

  it('is refused when it was signed with another secret', async () => {
    const { id, messageId } = await messageFor(vendor);
    const saying = { messageId, receipt: `r-${id}`, status: 'delivered' } as const;
    const secret = Buffer.alloc(32, 'another').toString('base64');
    expect((await post(running, await reportOf(vendor, saying, { secret }))).status).toBe(403);
    expect(await statusOf(messageId)).toBe('sent');
  });

  it('tells neither recipient nor secret in the log', () => {
    const lines = running.logLines.map((line) => JSON.stringify(line)).join('\n');
    expect(lines).not.toMatch(/12345678901/);
    for (const secret of Object.values(vendor.env)) expect(lines).not.toContain(secret);
  });

  it('is answered with an error of the usual shape when it is hostile, and never with a 500', async () => {
    const statuses = new Set<number>();
    const right = await reportOf(vendor, { messageId: 'msg_1', status: 'delivered' });
    const bodies = fc.oneof(
      awkwardText,
      fc.json(),
      fc.dictionary(
        fc.constantFrom(
          ...['MessageSid', 'MessageStatus', 'ErrorCode', 'message_uuid', 'status', 'client_ref', 'error'],
          ...['type', 'data', 'timestamp', 'text', 'from', 'RecordType', 'MessageID', 'event', '__proto__'],
        ),
        fc.oneof(awkwardText, fc.jsonValue(), fc.constantFrom('delivered', 'failed', 'sms.received')),
      ),
    );
    await fc.assert(
      fc.asyncProperty(bodies, fc.boolean(), fc.constantFrom('', '/inbound'), async (any, signed, sub) => {
        const isForm = right.headers['content-type']?.includes('form') === true;
        const body =
          typeof any === 'string'
            ? any
            : isForm
              ? new URLSearchParams(
                  Object.entries(any).map(([k, v]): [string, string] => [
                    k,
                    typeof v === 'string' ? v : JSON.stringify(v),
                  ]),
                ).toString()
              : JSON.stringify(any);
        const path =
          vendor.path +
          (sub === '/inbound' && vendor.provider !== 'webhook' && vendor.channel === 'sms' ? sub : '');
        // What is sent is UTF-8, and so is what is signed.
        const sent = Buffer.from(body, 'utf8').toString('utf8');
        const another = Buffer.alloc(32, 'another').toString('base64');
        const headers = await vendor.sign(path, sent, signed ? {} : { secret: another });
        const { status, text } = await post(running, { path, headers, body: sent });
        statuses.add(status);
        expect([200, 400, 403, 413, 415]).toContain(status);
        if (status !== 200) expectSomeError(status, JSON.parse(text) as Record<string, unknown>);
      }),
      { numRuns: 150 },
    );
    expect([...statuses]).toEqual(expect.arrayContaining([200, 403]));
  });
});

describe.each(vendors.filter(([, { hasReceipts }]) => hasReceipts))('A report of %s', (_name, vendor) => {
  it('finds the message by the name that the vendor gave it', async () => {
    const { id, messageId } = await messageFor(vendor);
    const receiptId = `receipt-${id}`;
    const provider = vendor.channel === 'email' ? 'smtp' : vendor.provider;
    await insertAttempt(running, { messageId: id, provider, receiptId });
    await post(running, await reportOf(vendor, { receipt: receiptId, status: 'delivered' }));
    expect(await statusOf(messageId)).toBe('delivered');
  });
});

describe.each(vendors.filter(([, { coversBody }]) => coversBody))('A signature of %s', (_name, vendor) => {
  it('is none for what was changed on the way', async () => {
    const { id, messageId } = await messageFor(vendor);
    const report = await reportOf(vendor, { messageId, receipt: `r-${id}`, status: 'delivered' });
    const body = report.body.replace('eliver', 'ELIVER');
    expect(body).not.toBe(report.body);
    await expectRefusal(await post(running, { ...report, body }), messageId, id);
  });
});

describe.each(vendors.filter(([, { hasAge }]) => hasAge))('A signature of %s', (_name, vendor) => {
  it.each([-6 * 60_000, 6 * 60_000])('is good for five minutes: not when it is off by %i ms', async (off) => {
    const { id, messageId } = await messageFor(vendor);
    const saying = { messageId, receipt: `r-${id}`, status: 'delivered' } as const;
    expect((await post(running, await reportOf(vendor, saying, { at: Date.now() + off }))).status).toBe(403);
    expect(await statusOf(messageId)).toBe('sent');
  });
});

describe('Where nothing is set up', () => {
  it.each(vendors)('a report of %s meets no route', async (_name, vendor) => {
    const bare = await startApp();
    try {
      const report = await reportOf(vendor, { messageId: 'msg_1', status: 'delivered' });
      const { status, text } = await post(bare, report);
      expect(status).toBe(404);
      expect(JSON.parse(text)).toMatchObject({ error_code: 'not_found' });
    } finally {
      await bare.stop();
    }
  });
});

describe('Vendors of mail', () => {
  const list = () => running.app.get(SuppressionList);
  const mail = (recipient: string) => insertMessage(running, { type: 'signup', channel: 'email', recipient });
  const tell = async (vendor: ReportingVendor, body: object) => {
    const text = JSON.stringify(body);
    return post(running, { path: vendor.path, body: text, headers: await vendor.sign(vendor.path, text) });
  };
  const { postmark, sendgrid } = reportingVendors;

  it.each([
    ['HardBounce', 'bounced', true],
    ['BadEmailAddress', 'bounced', true],
    ['SoftBounce', 'bounced', false],
    ['Blocked', 'bounced', false],
    ['Transient', 'delayed', false],
    ['AutoResponder', 'sent', false],
    ['SpamComplaint', 'complained', true],
  ])('such as Postmark know a bounce of type %s: %s', async (Type, status, suppressed) => {
    const recipient = `${Type}@example.org`.toLowerCase();
    const { id, messageId } = await mail(recipient);
    await tell(postmark, {
      ...{
        RecordType: 'Bounce',
        ID: 4_323_372_036,
        Type,
        MessageID: id,
        Metadata: { 'message-id': messageId },
      },
    });
    expect(await statusOf(messageId)).toBe(status);
    expect(await list().contains('email', recipient)).toBe(suppressed);
  });

  it('such as SendGrid tell of many mails at once', async () => {
    const hard = await mail('hard@example.org');
    const blocked = await mail('blocked@example.org');
    const spam = await mail('spam@example.org');
    const about = ({ messageId }: { messageId: string }, fields: object) => ({
      ...{ sg_event_id: randomUUID(), 'smtp-id': `<${messageId}@example.com>`, ...fields },
    });
    const { text } = await tell(sendgrid, [
      about(hard, { event: 'bounce', type: 'bounce', status: '5.1.1' }),
      about(blocked, { event: 'bounce', type: 'blocked', status: '5.1.1' }),
      about(spam, { event: 'spamreport' }),
      about(spam, { event: 'open' }),
      null,
    ]);
    expect(JSON.parse(text)).toEqual({ received: 3, reply: null });
    expect(await Promise.all([hard, blocked, spam].map(({ messageId }) => statusOf(messageId)))).toEqual([
      'bounced',
      'bounced',
      'complained',
    ]);
    expect(await list().contains('email', 'hard@example.org')).toBe(true);
    expect(await list().contains('email', 'blocked@example.org')).toBe(false);
    expect(await list().contains('email', 'spam@example.org')).toBe(true);
  });
});

describe('A notification of a mail server', () => {
  const list = () => running.app.get(SuppressionList);
  const returnPath = () => running.app.get(ReturnPath);
  const headers = {
    'content-type': 'message/rfc822',
    authorization: `Bearer ${reportingVendors.dsn.env['DSN_SECRET']}`,
  };
  const mail = (fields: Parameters<typeof insertMessage>[1]) =>
    insertMessage(running, { type: 'signup', channel: 'email', ...fields });
  const pipe = (body: string, query = '') => post(running, { path: `/events/dsn${query}`, headers, body });

  it('ends a mail to a mailbox that is not there, and what comes after it, when it came to the return path', async () => {
    const recipient = 'gone@example.org';
    const { messageId } = await mail({ recipient });
    const to = returnPath().addressFor(messageId) ?? '';
    const text = notification({ messageId, action: 'failed', code: '5.1.1', to, finalRecipient: recipient });
    expect(JSON.parse((await pipe(text)).text)).toEqual({ received: 1, reply: null });
    expect(await messageRow(running, messageId)).toMatchObject({ status: 'bounced', reason: '5.1.1' });
    expect(await list().contains('email', recipient)).toBe(true);
  });

  it('takes the word of the mail server for the address that it came to', async () => {
    const recipient = 'gone2@example.org';
    const { messageId } = await mail({ recipient });
    const to = returnPath().addressFor(messageId) ?? '';
    const text = notification({ messageId: 'msg_1', action: 'failed', code: '5.1.1' });
    await pipe(text, `?recipient=${encodeURIComponent(to.toUpperCase())}`);
    expect(await list().contains('email', recipient)).toBe(true);
  });

  it('keeps nobody from their mail when whoever knows the id of a message may have made it up', async () => {
    const recipient = 'victim@example.org';
    const { messageId } = await mail({ recipient });
    const digits = messageId.slice(4);
    for (const to of ['no-reply@example.com', `bounces+${digits}${'0'.repeat(16)}@mail.example.com`]) {
      await pipe(notification({ messageId, action: 'failed', code: '5.1.1', to }));
    }
    expect(await statusOf(messageId)).toBe('bounced');
    expect(await list().contains('email', recipient)).toBe(false);
  });

  it.each(['5.2.2', '5.7.1', '5.1.8', '5.0.0', '4.4.7'])(
    'keeps nobody from their mail because of %s',
    async (code) => {
      const recipient = `soft-${code}@example.org`;
      const { messageId } = await mail({ recipient });
      const to = returnPath().addressFor(messageId) ?? '';
      await pipe(notification({ messageId, action: 'failed', code, to }));
      expect(await statusOf(messageId)).toBe('bounced');
      expect(await list().contains('email', recipient)).toBe(false);
    },
  );

  it('is ignored when it is a mail of another kind', async () => {
    const { messageId } = await mail({ recipient: 'away@example.org' });
    const to = returnPath().addressFor(messageId) ?? '';
    const vacation = `To: ${to}\r\nSubject: Away\r\nMessage-ID: <1@example.org>\r\n\r\nI am away.\r\n`;
    expect(JSON.parse((await pipe(vacation)).text)).toEqual({ received: 0, reply: null });
    expect(await statusOf(messageId)).toBe('sent');
  });

  it('is ignored when its head is so long that only somebody hostile wrote it', async () => {
    const { messageId } = await mail({ recipient: 'long@example.org' });
    const text = notification({ messageId, action: 'failed', code: '5.1.1' });
    expect(JSON.parse((await pipe(`Cc: ${'a@b.c, '.repeat(6_000)}\r\n${text}`)).text)).toEqual({
      received: 0,
      reply: null,
    });
    expect(await statusOf(messageId)).toBe('sent');
  });

  it('may bring the whole mail back with it', async () => {
    const { messageId } = await mail({ recipient: 'whole@example.org' });
    const text = notification({ messageId, action: 'failed', code: '5.2.2' });
    const long = `${text.slice(0, -60)}${'A line of the mail that came back.\r\n'.repeat(20_000)}`;
    expect(JSON.parse((await pipe(long)).text)).toMatchObject({ received: 1 });
    expect(await statusOf(messageId)).toBe('bounced');
  });

  it('may have a megabyte and not more', async () => {
    expect((await pipe('x'.repeat(1024 * 1024))).status).toBe(200);
    expect((await pipe('x'.repeat(1024 * 1024 + 1))).status).toBe(413);
    const plain = { ...headers, 'content-type': 'text/plain' };
    expect((await post(running, { path: '/events/dsn', headers: plain, body: 'x' })).status).toBe(415);
  });
});

describe('What a report has for consequences', () => {
  const { twilio, vonage, webhook } = reportingVendors;
  const suppressions = () => running.app.get(SuppressionList);
  const signedBy = async (vendor: ReportingVendor, path: string, body: string) =>
    post(running, { path, body, headers: await vendor.sign(path, body) });

  it.each([
    ['30006', 'hard_bounce'],
    ['21610', 'opt_out'],
  ])('is that after %s from Twilio a number is listed as %s', async (ErrorCode, reason) => {
    const recipient = `+120255502${ErrorCode.slice(-2)}`;
    const { messageId } = await insertMessage(running, { recipient });
    const body = new URLSearchParams({
      MessageSid: `SM-${ErrorCode}`,
      MessageStatus: 'undelivered',
      ErrorCode,
    });
    await signedBy(twilio, `/events/twilio?message_id=${messageId}`, body.toString());
    expect(await messageRow(running, messageId)).toMatchObject({ status: 'bounced', reason: ErrorCode });
    expect(await suppressions().find('sms', recipient)).toMatchObject({ reason });
  });

  it('is that a number which is gone gets nothing more', async () => {
    const recipient = '+12025550101';
    const { messageId } = await insertMessage(running, { recipient });
    const body = new URLSearchParams({
      MessageSid: 'SM-gone',
      MessageStatus: 'undelivered',
      ErrorCode: '30005',
    });
    await signedBy(twilio, `/events/twilio?message_id=${messageId}`, body.toString());
    expect(await messageRow(running, messageId)).toMatchObject({ status: 'bounced', reason: '30005' });
    expect(await suppressions().contains('sms', recipient)).toBe(true);
  });

  it('is that a number which Vonage calls gone gets nothing more', async () => {
    const recipient = '+12025550102';
    const { messageId } = await insertMessage(running, { recipient });
    const error = { type: 'https://developer.vonage.com/api-errors/messages#1190', title: '1190' };
    const body = { message_uuid: 'v-gone', client_ref: messageId, status: 'rejected', error };
    await signedBy(vonage, '/events/vonage', JSON.stringify(body));
    expect(await messageRow(running, messageId)).toMatchObject({ status: 'bounced', reason: '1190' });
    expect(await suppressions().contains('sms', recipient)).toBe(true);
  });

  it('is none for the number when it was only not reached', async () => {
    const recipient = '+12025550103';
    const { messageId } = await insertMessage(running, { recipient });
    const body = new URLSearchParams({
      MessageSid: 'SM-off',
      MessageStatus: 'undelivered',
      ErrorCode: '30003',
    });
    await signedBy(twilio, `/events/twilio?message_id=${messageId}`, body.toString());
    expect(await messageRow(running, messageId)).toMatchObject({ status: 'failed', reason: '30003' });
    expect(await suppressions().contains('sms', recipient)).toBe(false);
  });

  it('is that who complained gets nothing more, and who is forwarded to is left alone', async () => {
    const recipient = 'forwards@example.com';
    const { messageId } = await insertMessage(running, { type: 'recovery', channel: 'email', recipient });
    const data = { message_id: messageId, recipient: 'behind@example.net' };
    await signedBy(webhook, '/events/webhook', JSON.stringify({ type: 'message.complained', data }));
    expect(await statusOf(messageId)).toBe('complained');
    expect(await suppressions().contains('email', recipient)).toBe(true);
    expect(await suppressions().contains('email', 'behind@example.net')).toBe(false);
  });

  it('meets the new address when the message was about a change of address', async () => {
    const { messageId } = await insertMessage(running, {
      type: 'email_change',
      channel: 'email',
      recipient: 'current@example.com',
    });
    const data = { message_id: messageId, permanent: true, recipient: 'New@Example.com' };
    await signedBy(webhook, '/events/webhook', JSON.stringify({ type: 'message.bounced', data }));
    expect(await suppressions().contains('email', 'new@example.com')).toBe(true);
    expect(await suppressions().contains('email', 'current@example.com')).toBe(false);
  });

  it('is none for what an operator has sent again since', async () => {
    const requeuedAt = new Date(running.clock.now());
    const { id, messageId } = await insertMessage(running, { status: 'accepted', requeuedAt });
    const timestamp = new Date(requeuedAt.getTime() - 60_000).toISOString();
    const body = { type: 'message.failed', timestamp, data: { message_id: messageId } };
    await signedBy(webhook, '/events/webhook', JSON.stringify(body));
    expect(await statusOf(messageId)).toBe('accepted');
    expect(await eventsOf(running, id)).toHaveLength(1);
  });

  it('is none when another carrier has taken the message over, unless it arrived', async () => {
    const { id, messageId } = await insertMessage(running);
    await insertAttempt(running, { messageId: id, provider: 'vonage', receiptId: null });
    await post(running, await reportOf(twilio, { messageId, receipt: `r-${id}`, status: 'failed' }));
    expect(await statusOf(messageId)).toBe('sent');
    await post(running, await reportOf(twilio, { messageId, receipt: `r-${id}`, status: 'delivered' }));
    expect(await statusOf(messageId)).toBe('delivered');
  });

  it('is none, for the number neither, when only another carrier has had the message', async () => {
    const recipient = '+12025550104';
    const { id, messageId } = await insertMessage(running, { recipient });
    await insertAttempt(running, { messageId: id, provider: 'twilio', receiptId: 'SM-mine' });
    const data = { message_id: messageId, permanent: true };
    await signedBy(webhook, '/events/webhook', JSON.stringify({ type: 'message.bounced', data }));
    expect(await statusOf(messageId)).toBe('sent');
    expect(await suppressions().contains('sms', recipient)).toBe(false);
    expect(await eventsOf(running, id)).toHaveLength(1);
  });

  it('is none when it is about an earlier copy than the one that was taken over', async () => {
    const { id, messageId } = await insertMessage(running);
    await insertAttempt(running, { messageId: id, provider: 'twilio', receiptId: `SM-second-${id}` });
    await post(running, await reportOf(twilio, { messageId, receipt: `SM-first-${id}`, status: 'failed' }));
    expect(await statusOf(messageId)).toBe('sent');
    await post(running, await reportOf(twilio, { messageId, receipt: `SM-second-${id}`, status: 'failed' }));
    expect(await statusOf(messageId)).toBe('failed');
  });

  it('has a reason also when the vendor gives none', async () => {
    const { messageId } = await insertMessage(running);
    const data = { message_id: messageId };
    await signedBy(webhook, '/events/webhook', JSON.stringify({ type: 'message.failed', data }));
    expect(await messageRow(running, messageId)).toMatchObject({ status: 'failed', reason: 'reported' });
  });

  it('of a gateway that says of which channel it speaks is none for the other', async () => {
    const { messageId } = await insertMessage(running);
    const tell = (channel: string) => {
      const data = { message_id: messageId, channel, detail: 'full' };
      return signedBy(webhook, '/events/webhook', JSON.stringify({ type: 'message.failed', data }));
    };
    await tell('email');
    expect(await statusOf(messageId)).toBe('sent');
    await tell('sms');
    expect(await statusOf(messageId)).toBe('failed');
  });

  it('is none for a message of the other channel', async () => {
    const fields = { type: 'signup', channel: 'email', recipient: 'a@example.com' } as const;
    const { id, messageId } = await insertMessage(running, fields);
    await post(running, await reportOf(twilio, { messageId, receipt: `r-${id}`, status: 'failed' }));
    expect(await statusOf(messageId)).toBe('sent');
  });
});

describe('A gateway that carries SMS', () => {
  const { webhook } = reportingVendors;
  let carrying: RunningApp;

  beforeAll(async () => {
    const secret = `whsec_${Buffer.alloc(32, 'key').toString('base64')}`;
    const sms = { SMS_WEBHOOK_URL: 'https://sms.example.com/', SMS_WEBHOOK_SECRET: secret };
    carrying = await startApp({ env: { ...webhook.env, ...sms } });
  });
  afterAll(() => carrying.stop());

  it('cannot move a mail with its reports, unless it says that they are about mail', async () => {
    const fields = { type: 'signup', channel: 'email', recipient: 'mail@example.com' } as const;
    const { messageId } = await insertMessage(carrying, fields);
    const tell = async (data: object) => {
      const body = JSON.stringify({ type: 'message.bounced', data: { message_id: messageId, ...data } });
      await post(carrying, {
        path: '/events/webhook',
        body,
        headers: await webhook.sign('/events/webhook', body),
      });
      return (await messageRow(carrying, messageId)).status;
    };
    expect(await tell({ permanent: true })).toBe('sent');
    expect(await carrying.app.get(SuppressionList).contains('email', 'mail@example.com')).toBe(false);
    expect(await tell({ channel: 'email' })).toBe('bounced');
  });
});

async function expectRefusal(
  { status, text }: { status: number; text: string },
  messageId: string,
  id: string,
) {
  expect(status).toBe(403);
  expectSomeError(403, JSON.parse(text) as Record<string, unknown>);
  expect(text).toContain('not_authentic');
  expect(await statusOf(messageId)).toBe('sent');
  expect(await eventsOf(running, id)).toEqual([]);
}

async function eventCount(): Promise<number> {
  const [row] = await running.app
    .get(DataSource)
    .query<{ count: string }[]>(`SELECT count(*)::text AS count FROM delivery_events`);
  return Number(row?.count);
}
