import {
  type NotificationProvider,
  PermanentDeliveryError,
  TransientDeliveryError,
} from '../../src/auth/messages/notification-provider.js';
import { TwilioSmsProvider } from '../../src/auth/vendors/twilio/twilio-sms.provider.js';
import { VonageSmsProvider } from '../../src/auth/vendors/vonage/vonage-sms.provider.js';
import { smsProviders, vendorSections } from '../../src/auth/vendors/vendors.js';
import { ConfigurationError, readConfig } from '../../src/config/config.js';
import { SmsGateway } from '../support/sms-gateway.js';
import { TestClock } from '../support/test-clock.js';

const message = {
  messageId: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f',
  to: '+12345678901',
  subject: '',
  text: 'Your code is 123456 – größer',
  html: '',
};
const publicUrl = 'https://auth.example.com';
const twilioLogin = { accountSid: 'AC0011', authToken: 'token' };
const vonageLogin = { apiKey: 'abcd1234', apiSecret: 'secret' };

let gateway: SmsGateway;

beforeEach(async () => {
  gateway = await SmsGateway.start();
});
afterEach(() => gateway.stop());

const twilio = (settings = {}) =>
  new TwilioSmsProvider(
    {
      ...twilioLogin,
      from: '+15005550006',
      publicUrl,
      ...settings,
    },
    undefined,
    gateway.url,
  );
const vonage = (settings = {}) =>
  new VonageSmsProvider(
    {
      ...vonageLogin,
      from: '+15005550006',
      publicUrl,
      ...settings,
    },
    undefined,
    gateway.url,
  );

async function outcomeOf(provider: NotificationProvider): Promise<object> {
  return provider.send(message).then(
    (receipt) => receipt,
    (error: unknown) => error as object,
  );
}

function requestSent() {
  const [request] = gateway.requests;
  if (!request) throw new Error('Nothing arrived');
  return request;
}

describe('TwilioSmsProvider', () => {
  it('posts the form that the Messages resource takes', async () => {
    await twilio().send(message);
    const { path, headers, body } = requestSent();
    expect(path).toBe('/2010-04-01/Accounts/AC0011/Messages.json');
    expect(headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
    expect(headers.authorization).toBe(`Basic ${Buffer.from('AC0011:token').toString('base64')}`);
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      To: '+12345678901',
      From: '+15005550006',
      Body: 'Your code is 123456 – größer',
      StatusCallback: `https://auth.example.com/events/twilio?message_id=${message.messageId}`,
    });
  });

  it('sends by a messaging service when it is given one', async () => {
    const service = `MG${'0'.repeat(32)}`;
    await twilio({ from: service }).send(message);
    const form = new URLSearchParams(requestSent().body);
    expect(form.get('MessagingServiceSid')).toBe(service);
    expect(form.has('From')).toBe(false);
  });

  it.each(['http://localhost:8080', 'http://127.0.0.1', 'http://[::1]:8080'])(
    'asks for no reports to %s, which Twilio would refuse',
    async (local) => {
      await twilio({ publicUrl: local }).send(message);
      expect(new URLSearchParams(requestSent().body).has('StatusCallback')).toBe(false);
    },
  );

  it.each([
    [400, 21211, 'rejected_recipient'],
    [400, 21610, 'opted_out'],
    [400, 21614, 'rejected_recipient'],
    [400, 21617, 'rejected_message'],
    [201, 30006, 'rejected_recipient'],
  ])('ends with %i and code %i, which blame the message', async (status, code, reason) => {
    gateway.answerWith(status, JSON.stringify({ code, error_code: code, message: '+12345678901' }));
    const error = await outcomeOf(twilio());
    expect(error).toBeInstanceOf(PermanentDeliveryError);
    expect(error).toMatchObject({ reason });
  });

  it.each([
    [401, 20003, 'authentication_failed'],
    [401, 0, 'authentication_failed'],
    [400, 21408, 'region_not_enabled'],
    [400, 21606, 'rejected_sender'],
    [400, 21612, 'no_route'],
    [400, 99999, 'refused_by_twilio'],
    [429, 20429, 'deferred'],
    [429, 0, 'deferred'],
    [201, 30003, 'unreachable'],
    [307, 0, 'refused_by_twilio'],
    [500, 20500, 'refused_by_twilio'],
  ])(
    'tries again after %i and code %i, which blame the set-up or the moment',
    async (status, code, reason) => {
      gateway.answerWith(status, JSON.stringify({ code, error_code: code }), { location: '/elsewhere' });
      const error = await outcomeOf(twilio());
      expect(error).toBeInstanceOf(TransientDeliveryError);
      expect(error).toMatchObject({ reason });
      expect(gateway.requests).toHaveLength(1);
    },
  );

  it.each(['', 'null', '[]', '<html>', `{"sid":"${'x'.repeat(20_000)}"}`, '{"sid":7}'])(
    'has handed the message over whatever stands beside 201: %.20s',
    async (body) => {
      gateway.answerWith(201, body);
      expect(await outcomeOf(twilio())).toEqual({ receiptId: null });
    },
  );
});

describe('VonageSmsProvider', () => {
  it('posts what the Messages API takes, with our id as its reference', async () => {
    await vonage().send(message);
    const { path, headers, body } = requestSent();
    expect(path).toBe('/v1/messages');
    expect(headers['content-type']).toBe('application/json');
    expect(headers.authorization).toBe(`Basic ${Buffer.from('abcd1234:secret').toString('base64')}`);
    expect(JSON.parse(body)).toEqual({
      channel: 'sms',
      message_type: 'text',
      to: '12345678901',
      from: '15005550006',
      text: message.text,
      client_ref: message.messageId,
      webhook_url: 'https://auth.example.com/events/vonage',
      webhook_version: 'v1',
    });
  });

  it('asks for no reports to this machine', async () => {
    await vonage({ publicUrl: 'http://localhost:8080' }).send(message);
    expect(JSON.parse(requestSent().body)).not.toHaveProperty('webhook_url');
  });

  const problem = (code: number | string, more = {}) =>
    JSON.stringify({ type: `https://developer.vonage.com/api-errors/messages#${code}`, ...more });

  it.each([
    [422, problem(1050), 'opted_out'],
    [422, problem(1170), 'rejected_recipient'],
    [422, problem(1090), 'rejected_message'],
    [422, problem(1020, { invalid_parameters: [{ name: 'to' }] }), 'rejected_recipient'],
  ])('ends with %i %s, which blames the message', async (status, body, reason) => {
    gateway.answerWith(status, body);
    const error = await outcomeOf(vonage());
    expect(error).toBeInstanceOf(PermanentDeliveryError);
    expect(error).toMatchObject({ reason });
  });

  it.each([
    [401, problem('unauthorized'), 'authentication_failed'],
    [402, problem('low-balance'), 'no_credit'],
    [422, problem(1120), 'rejected_sender'],
    [422, problem(1020, { invalid_parameters: [{ name: 'from' }, null] }), 'refused_by_vonage'],
    [422, 'not JSON', 'refused_by_vonage'],
    [429, problem(1000), 'deferred'],
    [302, '', 'refused_by_vonage'],
    [500, problem(1030), 'refused_by_vonage'],
  ])('tries again after %i %s, which blames the set-up or the moment', async (status, body, reason) => {
    gateway.answerWith(status, body, { location: '/elsewhere' });
    const error = await outcomeOf(vonage());
    expect(error).toBeInstanceOf(TransientDeliveryError);
    expect(error).toMatchObject({ reason });
    expect(gateway.requests).toHaveLength(1);
  });
});

describe.each<[string, () => NotificationProvider]>([
  ['Twilio', () => twilio()],
  ['Vonage', () => vonage()],
])('%s may have taken the message', (_name, provider) => {
  it.each([
    [500, true],
    [502, true],
    [504, true],
    [503, false],
    [429, false],
    [400, false],
  ])('when it answers %i: %s', async (status, outcomeUnknown) => {
    gateway.answerWith(status, '');
    expect(await outcomeOf(provider())).toMatchObject({ outcomeUnknown });
  });
});

describe('The order of preference', () => {
  const env = {
    NODE_ENV: 'test',
    TWILIO_ACCOUNT_SID: 'AC0011',
    TWILIO_AUTH_TOKEN: 'token',
    TWILIO_FROM: '+15005550006',
    VONAGE_API_KEY: 'key',
    VONAGE_API_SECRET: 'secret',
    VONAGE_FROM: 'Example',
    SMS_WEBHOOK_URL: 'https://sms.example.com/',
    SMS_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  };
  const namesWith = (more: Record<string, string>) =>
    smsProviders(readConfig({ ...env, ...more }, vendorSections), new TestClock()).map(({ name }) => name);

  it('is that of the documentation unless it is given', () => {
    expect(namesWith({})).toEqual(['twilio', 'vonage', 'webhook']);
    expect(namesWith({ TWILIO_ACCOUNT_SID: '', TWILIO_AUTH_TOKEN: '', TWILIO_FROM: '' })).toEqual([
      'vonage',
      'webhook',
    ]);
  });

  it('is the one that is given, each once, and leaves out who is not named', () => {
    expect(namesWith({ SMS_PROVIDERS: 'webhook, twilio, webhook' })).toEqual(['webhook', 'twilio']);
  });

  it.each([
    [
      { SMS_PROVIDERS: 'vonage', VONAGE_API_SECRET: '' },
      /SMS_PROVIDERS names vonage, which needs VONAGE_API_KEY, VONAGE_API_SECRET, VONAGE_FROM/,
    ],
    [{ SMS_PROVIDERS: 'pigeon' }, /SMS_PROVIDERS must be some of twilio, vonage, webhook/],
    [{ SMS_PROVIDERS: ',' }, /SMS_PROVIDERS must be some of twilio, vonage, webhook/],
    [{ TWILIO_FROM: '' }, /TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_FROM belong together/],
    [{ VONAGE_API_KEY: '' }, /VONAGE_API_KEY, VONAGE_API_SECRET, VONAGE_FROM belong together/],
  ])('is refused at the start when it cannot be: %j', (more, problem) => {
    const read = () => readConfig({ ...env, ...more }, vendorSections);
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(problem);
  });
});
