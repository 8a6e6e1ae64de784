import { Test } from '@nestjs/testing';
import { MailerModule, MailerService } from '@nestjs-modules/mailer';
import { mailerOptions, smtpServers } from '../../src/auth/vendors/smtp/mailer.module.js';
import type { NotificationProvider } from '../../src/auth/messages/notification-provider.js';
import { InboxSmsProvider } from '../../src/auth/vendors/smtp/inbox-sms.provider.js';
import { mailbox } from '../../src/config/mail.config.js';
import { SmtpProvider } from '../../src/auth/vendors/smtp/smtp.provider.js';
import { TwilioSmsProvider } from '../../src/auth/vendors/twilio/twilio-sms.provider.js';
import { VonageSmsProvider } from '../../src/auth/vendors/vonage/vonage-sms.provider.js';
import { WebhookSmsProvider } from '../../src/auth/vendors/webhook/webhook-sms.provider.js';
import { ScriptedSmtpServer } from './smtp-server.js';
import { type GatewayRequest, SmsGateway } from './sms-gateway.js';
import { TestClock } from './test-clock.js';

/**
 * Long enough for a busy machine; the short one is for vendors that never answer. It too has time to hand a message
 * over: else it would know that nothing was sent.
 */
const timeoutMs = 60_000;
export const shortTimeoutMs = 2_000;

/** A provider and the vendor behind it, who does what the test says. */
export interface ProviderRig {
  readonly provider: NotificationProvider;
  readonly withShortTimeout: NotificationProvider;
  readonly to: string;
  /** The ids under which messages arrived at the vendor. */
  arrived(): (string | undefined)[];
  takesOverAs(receiptId: string): void;
  refusesForGood(): void;
  refusesForNow(): void;
  neverAnswers(): void;
  hangsUp(): void;
  recovers(): void;
  goesAway(): Promise<void>;
  stop(): Promise<void>;
}

export async function smtpRig(kind: 'email' | 'sms'): Promise<ProviderRig> {
  const server = await ScriptedSmtpServer.start();
  const module = await Test.createTestingModule({
    imports: [MailerModule.forRoot(mailerOptions(smtpServers([server.url])))],
  }).compile();
  const sender = mailbox('Example <no-reply@example.com>');
  const Provider = kind === 'email' ? SmtpProvider : InboxSmsProvider;
  return {
    provider: new Provider(module.get(MailerService), sender, new TestClock(), timeoutMs),
    withShortTimeout: new Provider(module.get(MailerService), sender, new TestClock(), shortTimeoutMs),
    to: kind === 'email' ? 'user@example.com' : '+1234567890',
    arrived: () => server.received.map(({ parsed }) => /^<([^@]*)@/.exec(parsed.messageId ?? '')?.[1]),
    takesOverAs: (id) => {
      server.acknowledgement = `2.0.0 Ok: queued as ${id}`;
    },
    refusesForGood: () => {
      server.refuseAt('rcpt', 550, '5.1.1 No such mailbox');
    },
    refusesForNow: () => {
      server.refuseAt('rcpt', 451, '4.7.1 Greylisted');
    },
    neverAnswers: () => {
      server.hangAt('message');
    },
    hangsUp: () => {
      server.hangUpAt('message');
    },
    recovers: () => {
      server.behave();
    },
    goesAway: () => server.stop(),
    async stop() {
      await module.close();
      await server.stop();
    },
  };
}

export async function webhookRig(): Promise<ProviderRig> {
  const gateway = await SmsGateway.start();
  const secret = `whsec_${Buffer.alloc(32, 'key').toString('base64')}`;
  const settings = { url: gateway.url, secret };
  return {
    provider: new WebhookSmsProvider(settings, new TestClock(), timeoutMs),
    withShortTimeout: new WebhookSmsProvider(settings, new TestClock(), shortTimeoutMs),
    to: '+1234567890',
    arrived: () => gateway.requests.map(({ headers }) => headers['webhook-id']?.toString()),
    takesOverAs: (id) => {
      gateway.answerWith(202, JSON.stringify({ id }));
    },
    refusesForGood: () => {
      gateway.answerWith(422);
    },
    refusesForNow: () => {
      gateway.answerWith(503);
    },
    neverAnswers: () => {
      gateway.answer = null;
    },
    hangsUp: () => {
      gateway.answer = (response) => response.destroy();
    },
    recovers: () => {
      gateway.answerWith(200, '{}');
    },
    goesAway: () => gateway.stop(),
    stop: () => gateway.stop(),
  };
}

const credentials = { user: 'AC00112233445566778899aabbccddeeff', password: 'a token of the account' };

/** Who answers 401 to whoever does not log in as documented, and 404 elsewhere than at the documented place. */
function vendorRig(
  gateway: SmsGateway,
  vendor: {
    readonly path: string;
    readonly refusalOfLogin: string;
    readonly taken: (receiptId?: string) => string;
    readonly takenStatus: number;
    readonly refusal: [status: number, body: string];
    readonly idIn: (request: GatewayRequest) => string | undefined;
    readonly make: (timeoutMs: number) => NotificationProvider;
  },
): ProviderRig {
  const login = `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`;
  const answerWith = (status: number, body: string) => {
    gateway.answer = (response) => {
      const request = gateway.requests.at(-1);
      const known = request?.headers.authorization === login;
      const found = request?.path === vendor.path;
      response.setHeader('content-type', 'application/json');
      response.statusCode = !known ? 401 : !found ? 404 : status;
      response.end(!known ? vendor.refusalOfLogin : !found ? '{}' : body);
    };
  };
  answerWith(vendor.takenStatus, vendor.taken());
  return {
    provider: vendor.make(timeoutMs),
    withShortTimeout: vendor.make(shortTimeoutMs),
    to: '+12345678901',
    arrived: () => gateway.requests.map((request) => vendor.idIn(request)),
    takesOverAs: (id) => {
      answerWith(vendor.takenStatus, vendor.taken(id));
    },
    refusesForGood: () => {
      answerWith(...vendor.refusal);
    },
    refusesForNow: () => {
      answerWith(503, '{}');
    },
    neverAnswers: () => {
      gateway.answer = null;
    },
    hangsUp: () => {
      gateway.answer = (response) => response.destroy();
    },
    recovers: () => {
      answerWith(vendor.takenStatus, vendor.taken());
    },
    goesAway: () => gateway.stop(),
    stop: () => gateway.stop(),
  };
}

const publicUrl = 'https://auth.example.com';
const from = '+15005550006';

export async function twilioRig(): Promise<ProviderRig> {
  const gateway = await SmsGateway.start();
  const { user: accountSid, password: authToken } = credentials;
  return vendorRig(gateway, {
    path: `/2010-04-01/Accounts/${accountSid}/Messages.json`,
    refusalOfLogin: '{"code":20003,"message":"Authenticate","status":401}',
    taken: (sid) => JSON.stringify({ ...(sid && { sid }), status: 'queued', error_code: null }),
    takenStatus: 201,
    refusal: [400, '{"code":21211,"message":"Invalid \'To\' Phone Number: +12345678901","status":400}'],
    idIn: ({ body }) => {
      const callback = new URLSearchParams(body).get('StatusCallback');
      return callback ? (new URL(callback).searchParams.get('message_id') ?? undefined) : undefined;
    },
    make: (timeoutMs) =>
      new TwilioSmsProvider({ accountSid, authToken, from, publicUrl }, timeoutMs, gateway.url),
  });
}

export async function vonageRig(): Promise<ProviderRig> {
  const gateway = await SmsGateway.start();
  const { user: apiKey, password: apiSecret } = credentials;
  return vendorRig(gateway, {
    path: '/v1/messages',
    refusalOfLogin: '{"type":"https://developer.vonage.com/api-errors#unauthorized","title":"Unauthorized"}',
    taken: (id) => JSON.stringify(id ? { message_uuid: id } : {}),
    takenStatus: 202,
    refusal: [
      422,
      '{"type":"https://developer.vonage.com/api-errors/messages#1170","detail":"12345678901 is no number"}',
    ],
    idIn: ({ body }) => (JSON.parse(body) as { client_ref?: string }).client_ref,
    make: (timeoutMs) =>
      new VonageSmsProvider({ apiKey, apiSecret, from, publicUrl }, timeoutMs, gateway.url),
  });
}
