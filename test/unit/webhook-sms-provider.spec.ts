import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';
import {
  PermanentDeliveryError,
  TransientDeliveryError,
} from '../../src/auth/messages/notification-provider.js';
import { WebhookSmsProvider } from '../../src/auth/vendors/webhook/webhook-sms.provider.js';
import { ConfigurationError, readConfig } from '../../src/config/config.js';
import { webhookConfig } from '../../src/auth/vendors/webhook/webhook.config.js';
import { SmsGateway } from '../support/sms-gateway.js';
import { TestClock } from '../support/test-clock.js';

const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
const message = {
  messageId: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f',
  to: '+1234567890',
  subject: '',
  text: 'Your code is 123456',
  html: '',
};

let gateway: SmsGateway;
const clock = new TestClock();
const provider = () => new WebhookSmsProvider({ url: gateway.url, secret }, clock);

beforeEach(async () => {
  gateway = await SmsGateway.start();
});

afterEach(() => gateway.stop());

it('posts number and text, signed so that the Standard Webhooks library accepts it', async () => {
  await provider().send(message);
  const [request] = gateway.requests;
  if (!request) throw new Error('Nothing arrived');
  expect(request.path).toBe('/sms');
  expect(request.headers['content-type']).toBe('application/json');
  expect(request.headers['webhook-id']).toBe(message.messageId);
  const verified = new Webhook(secret).verify(request.body, request.headers as Record<string, string>);
  expect(verified).toEqual({
    type: 'sms.send',
    timestamp: new Date(clock.now()).toISOString(),
    data: { message_id: message.messageId, to: '+1234567890', text: 'Your code is 123456' },
  });
});

it('signs with a secret that is not base64 as it stands', async () => {
  const raw = 'a raw secret of thirty characters';
  await new WebhookSmsProvider({ url: gateway.url, secret: raw }, clock).send(message);
  const [request] = gateway.requests;
  const verify = (key: string) => () =>
    new Webhook(key, { format: 'raw' }).verify(
      request?.body ?? '',
      request?.headers as Record<string, string>,
    );
  expect(verify(raw)).not.toThrow();
  expect(verify('another raw secret of the same size')).toThrow();
});

const configured = (env: Record<string, string>) =>
  readConfig({ SMS_WEBHOOK_URL: gateway.url, SMS_WEBHOOK_SECRET: secret, ...env }, [webhookConfig]);

it.each([
  ['too short', `whsec_${Buffer.alloc(23, 'secret').toString('base64')}`],
  ['too short as it stands', 'only-23-characters-long'],
  ['not base64', 'whsec_%%%not-base64-but-long-enough%%%'],
])('refuses a secret that is %s, without repeating it', (_what, bad) => {
  const make = () => configured({ SMS_WEBHOOK_SECRET: bad });
  expect(make).toThrow(ConfigurationError);
  expect(make).not.toThrow(bad);
});

it('refuses a URL with a password, which could not be used', () => {
  const url = 'https://user:hunter2@gateway.example.com/';
  const make = () => configured({ SMS_WEBHOOK_URL: url });
  expect(make).toThrow(ConfigurationError);
  expect(make).not.toThrow('hunter2');
});

it.each([400, 406, 413, 422, 451])('ends with %i, which blames the message', async (status) => {
  gateway.answerWith(status, '{"error":"+1234567890"}');
  const error = await provider()
    .send(message)
    .catch((e: unknown) => e);
  expect(error).toBeInstanceOf(PermanentDeliveryError);
  expect(error).toMatchObject({ reason: 'rejected_by_gateway' });
});

it.each([301, 307, 401, 402, 403, 404, 405, 408, 409, 410, 425, 429, 500, 502, 503])(
  'tries again after %i, which blames the set-up or the moment',
  async (status) => {
    gateway.answerWith(status, '', { location: '/elsewhere' });
    const error = await provider()
      .send(message)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TransientDeliveryError);
    expect(gateway.requests.map(({ path }) => path)).toEqual(['/sms']);
  },
);

it.each([
  [409, true],
  [502, true],
  [504, true],
  [429, false],
  [500, true],
  [503, false],
])('after %i it is %s that nobody knows whether the SMS was taken', async (status, outcomeUnknown) => {
  gateway.answerWith(status);
  await expect(provider().send(message)).rejects.toMatchObject({ outcomeUnknown });
});

it.each<[string, (socket: Socket) => unknown, string]>([
  ['never answers the handshake', () => undefined, 'timed_out'],
  ['speaks no TLS', (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'), 'connection_failed'],
])('knows that nothing was sent to a gateway that %s', async (_what, answer, reason) => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    answer(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const sending = new WebhookSmsProvider({ url, secret }, clock, reason === 'timed_out' ? 500 : 15_000).send(
    message,
  );
  await expect(sending).rejects.toMatchObject({ reason, outcomeUnknown: false });
  for (const socket of sockets) socket.destroy();
  server.close();
});

it.each([
  ['{"id":"abc-1"}', 'abc-1'],
  ['{"id":42}', '42'],
  ['{"id":""}', null],
  ['{"id":"two words"}', null],
  ['{"id":{"a":1}}', null],
  ['[]', null],
  ['null', null],
  ['accepted', null],
  [`{"id":"${'x'.repeat(100)}","rest":"${'y'.repeat(20_000)}"}`, null],
])('takes the receipt from the answer %.40s', async (body, receiptId) => {
  gateway.answerWith(200, body);
  await expect(provider().send(message)).resolves.toEqual({ receiptId });
});

it('has handed the message over when the answer begins with 200 and never ends', async () => {
  gateway.answer = (response) => response.writeHead(200).write('{"id":');
  const withShortTimeout = new WebhookSmsProvider({ url: gateway.url, secret }, clock, 500);
  await expect(withShortTimeout.send(message)).resolves.toEqual({ receiptId: null });
});
