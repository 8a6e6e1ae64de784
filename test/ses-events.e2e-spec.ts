import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { SnsEndpoint } from '../src/auth/vendors/ses/sns.js';
import { SuppressionList } from '../src/auth/messages/suppression-list.js';
import { expectSomeError } from './support/error-bodies.js';
import { awkwardText } from './support/hostile-input.js';
import { messageRow } from './support/messages.js';
import { eventsOf, insertAttempt, insertMessage, post } from './support/report-posting.js';
import {
  anotherKey,
  certificateOfAnother,
  certificateUrl,
  LocalSns,
  type SnsFields,
  snsMessage,
  topicArn,
} from './support/sns.js';
import { type RunningApp, startApp } from './support/start-app.js';

let sns: LocalSns;
let running: RunningApp;

beforeAll(async () => {
  sns = await LocalSns.start();
  running = await startApp({
    env: { SES_TOPIC_ARNS: topicArn },
    override: (module) => module.overrideProvider(SnsEndpoint).useValue(sns),
  });
});
afterAll(async () => {
  await running.stop();
  await sns.server.stop();
});

/** SNS says that it posts text. */
const headers = { 'content-type': 'text/plain; charset=UTF-8' };
const send = (message: object) =>
  post(running, { path: '/events/ses', headers, body: JSON.stringify(message) });
const notify = (about: object, fields: SnsFields = {}) =>
  send(snsMessage({ Message: JSON.stringify(about), ...fields }));

const mailTo = (recipient = `${randomUUID()}@example.org`) =>
  insertMessage(running, { type: 'recovery', channel: 'email', recipient });
const statusOf = async (messageId: string) => (await messageRow(running, messageId)).status;

const mailOf = (messageId: string) => ({
  messageId: '0100018e-ses',
  commonHeaders: { messageId: `<${messageId}@example.com>`, subject: 'Confirm' },
});
const delivery = (messageId: string) => ({
  notificationType: 'Delivery',
  mail: mailOf(messageId),
  delivery: { timestamp: new Date().toISOString(), recipients: ['user@example.org'] },
});

it.each(['1', '2'])('takes a delivery that is signed in version %s', async (SignatureVersion) => {
  const { id, messageId } = await mailTo();
  const { status } = await notify(delivery(messageId), { SignatureVersion, Subject: 'Amazon SES' });
  expect(status).toBe(200);
  expect(await statusOf(messageId)).toBe('delivered');
  expect(await eventsOf(running, id)).toMatchObject([{ provider: 'ses', kind: 'delivered' }]);
});

it.each([
  ['Permanent', 'General', '5.1.1', true],
  ['Transient', 'MailboxFull', '5.2.2', false],
  ['Undetermined', 'Undetermined', undefined, false],
])('knows a bounce that is %s', async (bounceType, bounceSubType, status, suppressed) => {
  const recipient = `${bounceType.toLowerCase()}@example.org`;
  const { messageId } = await mailTo(recipient);
  const bouncedRecipients = [{ emailAddress: recipient, status, action: 'failed' }];
  await notify({
    eventType: 'Bounce',
    mail: mailOf(messageId),
    bounce: { bounceType, bounceSubType, bouncedRecipients, timestamp: '2026-01-31T12:00:00.000Z' },
  });
  expect(await messageRow(running, messageId)).toMatchObject({
    status: 'bounced',
    reason: status ?? bounceSubType,
  });
  expect(await running.app.get(SuppressionList).contains('email', recipient)).toBe(suppressed);
});

it('tells why SES rejected a mail', async () => {
  const { messageId } = await mailTo();
  const mail = { ...mailOf(messageId), timestamp: new Date().toISOString() };
  await notify({ eventType: 'Reject', mail, reject: { reason: 'Bad content' } });
  expect(await messageRow(running, messageId)).toMatchObject({ status: 'failed', reason: 'bad_content' });
});

it('keeps who complained from more', async () => {
  const recipient = 'complains@example.org';
  const { messageId } = await mailTo(recipient);
  const complaint = { complainedRecipients: [{ emailAddress: recipient }], complaintFeedbackType: 'abuse' };
  await notify({ notificationType: 'Complaint', mail: mailOf(messageId), complaint });
  expect(await messageRow(running, messageId)).toMatchObject({ status: 'complained', reason: 'abuse' });
  expect(await running.app.get(SuppressionList).contains('email', recipient)).toBe(true);
});

it('finds a mail by the name that SES gave it', async () => {
  const { id, messageId } = await mailTo();
  const receiptId = `0100018e-${id}`;
  await insertAttempt(running, { messageId: id, provider: 'smtp', receiptId });
  await notify({ notificationType: 'Delivery', mail: { messageId: receiptId }, delivery: {} });
  expect(await statusOf(messageId)).toBe('delivered');
});

it('counts a notification once, and never moves a mail backwards', async () => {
  const { id, messageId } = await mailTo();
  const message = snsMessage({ Message: JSON.stringify(delivery(messageId)) });
  for (const answer of [await send(message), await send(message)]) expect(answer.status).toBe(200);
  await notify({ eventType: 'DeliveryDelay', mail: mailOf(messageId), deliveryDelay: {} });
  expect(await statusOf(messageId)).toBe('delivered');
  expect(await eventsOf(running, id)).toHaveLength(2);
});

it('fetches a certificate once', async () => {
  const asked = sns.asked.length;
  await notify(delivery((await mailTo()).messageId));
  await notify(delivery((await mailTo()).messageId));
  expect(sns.asked.length).toBeLessThanOrEqual(asked + 1);
});

it('confirms a subscription of its topic, at the address that SNS signed', async () => {
  const SubscribeURL = 'https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc';
  const message = snsMessage({ Type: 'SubscriptionConfirmation', SubscribeURL, Token: 'abc' });
  expect((await send(message)).status).toBe(200);
  expect(sns.asked).toContain('/?Action=ConfirmSubscription&Token=abc');
});

it('lets SNS come again when it could not be asked to confirm one', async () => {
  const SubscribeURL = 'https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=later';
  const message = snsMessage({ Type: 'SubscriptionConfirmation', SubscribeURL, Token: 'later' });
  sns.presents('', 500);
  const first = await send(message);
  sns.recovers();
  expect(first.status).toBe(503);
  expect((await send(message)).status).toBe(200);
});

it('asks nobody else than SNS to confirm one', async () => {
  const asked = sns.asked.length;
  const SubscribeURL = 'https://sns.eu-central-1.amazonaws.com.evil.example/?Action=ConfirmSubscription';
  await send(snsMessage({ Type: 'SubscriptionConfirmation', SubscribeURL, Token: 'abc' }));
  expect(sns.asked).toHaveLength(asked);
});

describe('refuses what is not from SNS:', () => {
  it.each<[string, (messageId: string) => object]>([
    [
      'what was changed on the way',
      (id) => ({ ...snsMessage({ Message: '{}' }), Message: JSON.stringify(delivery(id)) }),
    ],
    ['another key', (id) => snsMessage({ Message: JSON.stringify(delivery(id)) }, anotherKey())],
    [
      'a topic of somebody else',
      (id) => snsMessage({ Message: JSON.stringify(delivery(id)), TopicArn: `${topicArn}s` }),
    ],
    ...[
      'http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem',
      'https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem',
      'https://evil.example/SimpleNotificationService-1.pem',
      'https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-1.pem',
      'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem',
      'https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-1.pem',
      'https://user@sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem',
      'https://sns.eu-central-1.amazonaws.com/other.pem',
      'https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem?x',
      'file:///etc/passwd',
      'no address',
    ].map((SigningCertURL): [string, (messageId: string) => object] => [
      `a certificate at ${SigningCertURL}`,
      (id) => snsMessage({ Message: JSON.stringify(delivery(id)), SigningCertURL }),
    ]),
  ])('%s', async (_what, make) => {
    const { messageId } = await mailTo();
    const asked = sns.asked.length;
    const { status, text } = await send(make(messageId));
    expect(status).toBe(403);
    expectSomeError(403, JSON.parse(text) as Record<string, unknown>);
    expect(await statusOf(messageId)).toBe('sent');
    expect(sns.asked.length).toBeLessThanOrEqual(asked + 1);
    expect(sns.asked.join()).not.toMatch(/other\.pem|passwd|-1\.pem/);
  });

  it('a certificate in another name, and one that is away, which is asked for again', async () => {
    const { messageId } = await mailTo();
    const at = (name: string) =>
      send(
        snsMessage({
          Message: JSON.stringify(delivery(messageId)),
          SigningCertURL: certificateUrl.replace('0011aabb', name),
        }),
      );
    sns.presents(certificateOfAnother);
    expect((await at('another')).status).toBe(403);
    sns.presents('', 503);
    // SNS tries again after a 5xx, and after nothing else.
    expect((await at('away')).status).toBe(503);
    sns.presents('', 404);
    expect((await at('gone')).status).toBe(403);
    sns.recovers();
    expect(await statusOf(messageId)).toBe('sent');
    expect((await at('away')).status).toBe(200);
    expect(await statusOf(messageId)).toBe('delivered');
  });
});

it('refuses JSON that nests without end before it knows whose it is, and what is too large', async () => {
  const deep = `{"Message":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  expect((await post(running, { path: '/events/ses', headers, body: deep })).status).toBe(400);
  const large = 'x'.repeat(512 * 1024 + 1);
  expect((await post(running, { path: '/events/ses', headers, body: large })).status).toBe(413);
});

it('answers whatever it is sent with an error of the usual shape, and never with a 500', async () => {
  const statuses = new Set<number>();
  const names = [
    'Type',
    'Message',
    'TopicArn',
    'SigningCertURL',
    'Signature',
    'SignatureVersion',
    'SubscribeURL',
  ];
  const right = snsMessage({});
  const bodies = fc.oneof(
    awkwardText,
    fc.json(),
    fc
      .tuple(fc.constantFrom(...names), fc.oneof(awkwardText, fc.jsonValue()))
      .map(([name, value]) => JSON.stringify({ ...right, [name]: value })),
    fc.oneof(awkwardText, fc.json()).map((Message) => JSON.stringify(snsMessage({ Message }))),
  );
  await fc.assert(
    fc.asyncProperty(bodies, async (body) => {
      const { status, text } = await post(running, { path: '/events/ses', headers, body });
      statuses.add(status);
      expect([200, 400, 403]).toContain(status);
      if (status !== 200) expectSomeError(status, JSON.parse(text) as Record<string, unknown>);
    }),
    { numRuns: 200 },
  );
  expect([...statuses].toSorted()).toEqual([200, 400, 403]);
});
