import { Test, type TestingModule } from '@nestjs/testing';
import { MailerModule, MailerService } from '@nestjs-modules/mailer';
import { mailerOptions, smtpServers } from '../../src/auth/vendors/smtp/mailer.module.js';
import {
  PermanentDeliveryError,
  TransientDeliveryError,
} from '../../src/auth/messages/notification-provider.js';
import { readConfig } from '../../src/config/config.js';
import { mailbox } from '../../src/config/mail.config.js';
import { isStrict } from '../../src/config/plaintext.js';
import { SmtpProvider } from '../../src/auth/vendors/smtp/smtp.provider.js';
import { productionKeys } from '../support/production-keys.js';
import { ScriptedSmtpServer, type SmtpStage } from '../support/smtp-server.js';
import { TestClock } from '../support/test-clock.js';

const messageId = 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f';
const message = {
  messageId,
  to: 'user@example.org',
  subject: 'Grüße from {{name}}',
  text: 'Your code is 123456, {{name}}',
  html: '<p>Your code is 123456, {{name}}</p>',
};

let server: ScriptedSmtpServer;
let wired: TestingModule | undefined;
const clock = new TestClock();
/** Long enough for a busy machine. */
const timeoutMs = 60_000;
/** How long a server may say nothing, so that a mail to one that works still comes through. */
const silenceMs = 2_500;

const mailerFor = (url: string) =>
  Test.createTestingModule({ imports: [MailerModule.forRoot(mailerOptions(smtpServers([url])))] }).compile();

async function providerFor(url: string, mailFrom = 'Exämple, Inc. <no-reply@mail.example.com>') {
  wired = await mailerFor(url);
  return new SmtpProvider(wired.get(MailerService), mailbox(mailFrom), clock, timeoutMs);
}

beforeEach(async () => {
  server = await ScriptedSmtpServer.start();
});

afterEach(async () => {
  await wired?.close();
  wired = undefined;
  await server.stop();
});

describe('the mail that leaves', () => {
  it('carries an id made from the message id, the sender by name, the time, and is marked as automatic', async () => {
    const provider = await providerFor(server.url);
    await provider.send(message);
    const [mail] = server.received;
    expect(mail).toMatchObject({ from: 'no-reply@mail.example.com', to: ['user@example.org'] });
    expect(mail?.parsed.messageId).toBe(`<${messageId}@mail.example.com>`);
    expect(mail?.parsed.from?.value).toEqual([
      { name: 'Exämple, Inc.', address: 'no-reply@mail.example.com' },
    ]);
    expect(mail?.parsed.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail?.parsed.date).toEqual(new Date(Math.floor(clock.now() / 1000) * 1000));
    expect(mail?.parsed.headers.has('x-mailer')).toBe(false);
  });

  it('arrives as it was rendered: text and HTML, nothing filled in by the mailer', async () => {
    const provider = await providerFor(server.url);
    await provider.send(message);
    const mail = server.received[0]?.parsed;
    expect(mail?.subject).toBe(message.subject);
    expect(mail?.text?.trimEnd()).toBe(message.text);
    expect(mail && mail.html && mail.html.trimEnd()).toBe(message.html);
  });

  it('goes to one mailbox: a list in place of an address reaches nobody', async () => {
    const provider = await providerFor(server.url);
    await provider.send({ ...message, to: '"a,b"@example.org' });
    expect(server.received.map(({ to }) => to)).toEqual([['"a,b"@example.org']]);
    const error = await provider
      .send({ ...message, to: 'a@example.org,victim@example.org' })
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ reason: 'malformed_message' });
    expect(server.received).toHaveLength(1);
  });

  it.each(['"ann"@example.org', String.raw`"a\nn"@example.org`, 'ann@EXAMPLE.org', 'ann@bücher.example'])(
    'goes to the address that was counted and to no other spelling of it: %s is held back',
    async (to) => {
      const provider = await providerFor(server.url);
      const error = await provider.send({ ...message, to }).catch((e: unknown) => e);
      expect(error).toMatchObject({ reason: 'malformed_message' });
      expect(server.received).toEqual([]);
    },
  );

  it('shares connections with other mails', async () => {
    const provider = await providerFor(server.url);
    for (let n = 0; n < 5; n++) await provider.send(message);
    expect(server.received).toHaveLength(5);
    expect(server.connections).toBe(1);
  });

  it('finds its way when the server has closed the pooled connection meanwhile', async () => {
    const provider = await providerFor(server.url);
    await provider.send(message);
    await server.stop();
    await server.listen();
    await provider.send(message);
    expect(server.received).toHaveLength(2);
  });
});

describe('a refusal', () => {
  const permanent: [SmtpStage, number, string, string][] = [
    ['rcpt', 550, 'No such user', 'rejected_recipient'],
    ['rcpt', 501, 'Bad recipient address syntax', 'rejected_recipient'],
    ['rcpt', 553, 'Mailbox name not allowed', 'rejected_recipient'],
    ['rcpt', 550, '5.1.1 No such user', 'rejected_recipient'],
    ['rcpt', 554, '5.2.1 Mailbox disabled', 'rejected_recipient'],
    ['rcpt', 550, '5.4.1 Recipient address rejected: Access denied', 'rejected_recipient'],
    ['message', 554, '5.6.0 Content rejected', 'rejected_message'],
    ['message', 552, 'Too big', 'rejected_message'],
  ];
  it.each(permanent)('at %s with %i %s is permanent', async (stage, code, text, reason) => {
    const provider = await providerFor(server.url);
    server.refuseAt(stage, code, text);
    const error = await provider.send(message).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PermanentDeliveryError);
    expect(error).toMatchObject({ reason });
  });

  it.each<[SmtpStage, number, string, string | undefined]>([
    ['rcpt', 550, '5.1.1 No such user', 'hard_bounce'],
    ['rcpt', 554, '5.2.1 Mailbox disabled', 'hard_bounce'],
    ['message', 550, '5.1.1 No such user', 'hard_bounce'],
    ['rcpt', 550, 'No such user', undefined],
    ['rcpt', 550, '5.4.1 Recipient address rejected: Access denied', undefined],
    ['message', 554, '5.7.1 Refused by policy', undefined],
    ['message', 554, '5.3.4 Too big for the system', undefined],
    ['message', 554, '5.4.6 Routing loop', undefined],
    ['message', 554, '5.6.0 Content rejected', undefined],
  ])('at %s with %i %s says of the recipient: %s', async (stage, code, text, recipientLoss) => {
    const provider = await providerFor(server.url);
    server.refuseAt(stage, code, text);
    const error = (await provider.send(message).catch((e: unknown) => e)) as PermanentDeliveryError;
    expect(error).toBeInstanceOf(PermanentDeliveryError);
    expect(error.recipientLoss).toBe(recipientLoss);
  });

  const transient: [SmtpStage, number, string, string][] = [
    ['connect', 554, 'Your address is on a block list', 'refused_by_server'],
    ['connect', 421, 'Too busy', 'deferred'],
    ['mail', 550, '5.7.1 Sender not verified', 'rejected_sender'],
    ['mail', 451, 'Later', 'deferred'],
    ['rcpt', 550, '5.7.1 Relaying denied', 'refused_by_server'],
    ['rcpt', 554, 'Relay access denied', 'refused_by_server'],
    ['rcpt', 550, '5.1.8 Sender address has a bad domain', 'refused_by_server'],
    ['rcpt', 530, '5.7.0 Authentication required', 'refused_by_server'],
    ['rcpt', 450, '4.2.0 Greylisted', 'deferred'],
    ['rcpt', 452, '4.2.2 Mailbox full', 'deferred'],
    ['message', 451, 'Later', 'deferred'],
    ['message', 421, 'Shutting down', 'deferred'],
  ];
  it.each(transient)('at %s with %i %s is transient', async (stage, code, text, reason) => {
    const provider = await providerFor(server.url);
    server.refuseAt(stage, code, text);
    const error = await provider.send(message).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TransientDeliveryError);
    expect(error).toMatchObject({ reason });
  });

  it.each<[SmtpStage, number, string, boolean]>([
    ['rcpt', 450, '4.2.0 Greylisted', true],
    ['rcpt', 452, '4.2.2 Mailbox full', true],
    ['rcpt', 550, '5.7.1 Relaying denied', true],
    ['message', 451, '4.7.1 Not from you', true],
    ['rcpt', 452, '4.3.1 Insufficient system storage', false],
    ['rcpt', 421, 'Shutting down', false],
    ['rcpt', 530, '5.7.0 Authentication required', false],
    ['data', 451, '4.3.0 Queue file write error', false],
    ['mail', 451, 'Later', false],
    ['ehlo', 502, 'Not here', false],
    ['connect', 554, 'Your address is on a block list', false],
  ])('at %s with %i %s: that others may go on is %s', async (stage, code, text, providerHealthy) => {
    const provider = await providerFor(server.url);
    server.refuseAt(stage, code, text);
    const error = await provider.send(message).catch((e: unknown) => e);
    expect(error).toMatchObject({ providerHealthy, outcomeUnknown: false });
  });

  it('of our password is transient and says so', async () => {
    const provider = await providerFor(server.urlWithCredentials);
    server.refuseAt('auth', 535, '5.7.8 Bad credentials');
    const error = await provider.send(message).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TransientDeliveryError);
    expect(error).toMatchObject({ reason: 'authentication_failed' });
  });

  it('keeps what the server said for the log, without the recipient', async () => {
    const provider = await providerFor(server.url);
    server.refuseAt('rcpt', 550, '5.1.1 <User@Example.org> unknown');
    const error = (await provider.send(message).catch((e: unknown) => e)) as Error;
    expect((error.cause as Error).message).toContain('550 5.1.1 <recipient> unknown');
  });
});

describe('an answer that is lost', () => {
  const ways = ['hangUpAt', 'hangAt'] as const;
  const stages: [SmtpStage, outcomeUnknown: boolean][] = [
    ['connect', false],
    ['ehlo', false],
    ['mail', false],
    ['rcpt', false],
    ['data', false],
    ['message', true],
  ];

  const errors = new Map<string, Promise<unknown>>();

  /** What is told of a mail that goes wrong, after one that did not, at a server of its own. */
  async function lose(stage: SmtpStage, way: (typeof ways)[number]): Promise<unknown> {
    const silent = await ScriptedSmtpServer.start();
    const mailer = await mailerFor(`${silent.url}/?socketTimeout=${silenceMs}`);
    const provider = new SmtpProvider(mailer.get(MailerService), mailbox('a@example.com'), clock, timeoutMs);
    await provider.send(message);
    if (stage === 'connect' || stage === 'ehlo') silent.closeConnections();
    silent[way](stage);
    const error = await provider.send(message).catch((e: unknown) => e);
    await mailer.close();
    await silent.stop();
    return error;
  }

  // All at once: half of them wait for a server that says nothing.
  beforeAll(() => {
    for (const [stage] of stages) for (const way of ways) errors.set(stage + way, lose(stage, way));
  });

  it.each(stages)('at %s: that the mail may have been taken is %s', async (stage, outcomeUnknown) => {
    for (const way of ways) {
      const error = await errors.get(stage + way);
      expect(error).toBeInstanceOf(TransientDeliveryError);
      expect(error).toMatchObject({ outcomeUnknown });
    }
  });
});

describe('the sender', () => {
  it.each(['', 'nobody', 'a@example.com, b@example.com', 'A <a@example.com>\r\nBcc: b@example.com'])(
    'cannot be %j',
    (mailFrom) => {
      expect(() => mailbox(mailFrom)).toThrow('must be one address');
    },
  );
});

describe('the names of mail servers', () => {
  it.each<[string, string[], string[]]>([
    ['one', ['smtps://user:secret@mail.example.com'], ['smtp']],
    [
      'several',
      ['smtps://user:secret@Mail.example.com', 'smtp://mail.example.org', 'smtp://[::1]:2525/?pool=true'],
      ['smtp:mail.example.com:465', 'smtp:mail.example.org:587', 'smtp:[::1]:2525'],
    ],
    [
      'two accounts at one',
      ['smtp://key-a:x@mail.example.com', 'smtp://key-b:y@mail.example.com:587'],
      ['smtp:mail.example.com:587', 'smtp:mail.example.com:587#2'],
    ],
  ])('hold no account: %s', async (_what, urls, names) => {
    expect(smtpServers(urls).map(({ name }) => name)).toEqual(names);
  });
});

describe('the options of the mailer', () => {
  it('require STARTTLS of mail servers on other machines in production, unless that is excepted', () => {
    const production = {
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://auth.acme.test',
      SITE_URL: 'https://acme.test',
      SMTP_URL: 'smtp://mail.acme.test',
      MAIL_FROM: 'no-reply@acme.test',
      TRUST_PROXY: '0',
      ...productionKeys,
    };
    const isRequired = (env: NodeJS.ProcessEnv, url: string) => {
      const isTlsRequired = isStrict(readConfig(env), 'smtp');
      return mailerOptions(smtpServers([url]), { isTlsRequired });
    };
    for (const url of ['smtp://mail.test', 'smtp://10.0.0.7:25', 'smtp://me:x@mail.test']) {
      expect([url, isRequired(production, url)]).toMatchObject([url, { transport: { requireTLS: true } }]);
    }
    for (const [env, url] of [
      [{ ...production, ALLOW_PLAINTEXT: 'smtp' }, 'smtp://mail.test'],
      [production, 'smtp://localhost:2525'],
      [production, 'smtp://[::1]:2525'],
      [{}, 'smtp://mail.test'],
    ] as const) {
      expect([url, isRequired(env, url)]).toMatchObject([url, { transport: { requireTLS: false } }]);
    }
  });

  it('require TLS where a password would travel a network', async () => {
    expect(mailerOptions(smtpServers(['smtp://user:pass@mail.example.com'])).transport).toMatchObject({
      requireTLS: true,
    });
    expect(mailerOptions(smtpServers(['smtp://mail.example.com'])).transport).toMatchObject({
      requireTLS: false,
    });
    expect(mailerOptions(smtpServers(['smtp://user:pass@127.0.0.1'])).transport).toMatchObject({
      requireTLS: false,
    });
  });
});

it('is returned to the address that is made for each message, and names it to the vendor, when that is wanted', async () => {
  wired = await mailerFor(server.url);
  const sender = {
    ...mailbox('Example <no-reply@mail.example.com>'),
    envelopeFrom: (id: string) => `bounces+${id}@mail.example.com`,
    idHeader: 'X-PM-Metadata-message-id',
  };
  await new SmtpProvider(wired.get(MailerService), sender, clock, timeoutMs).send(message);
  const [mail] = server.received;
  expect(mail?.from).toBe(`bounces+${messageId}@mail.example.com`);
  expect(mail?.parsed.from?.text).toBe('"Example" <no-reply@mail.example.com>');
  expect(mail?.parsed.headers.get('x-pm-metadata-message-id')).toBe(messageId);
});
