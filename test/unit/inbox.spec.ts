import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Test, type TestingModule } from '@nestjs/testing';
import { MailerModule, MailerService } from '@nestjs-modules/mailer';
import { createTransport } from 'nodemailer';
import { mailerModule } from '../../src/auth/vendors/smtp/mailer.module.js';
import { StopLinks } from '../../src/auth/messages/stop-links.js';
import { MessageRenderer } from '../../src/auth/send/message-renderer.js';
import { notificationProviders, vendorSections } from '../../src/auth/vendors/vendors.js';
import { Clock } from '../../src/platform/clock.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { type Config, readConfig } from '../../src/config/config.js';
import { Inbox } from '../../src/inbox/inbox.js';
import { InboxModule } from '../../src/inbox/inbox.module.js';
import { MailCatcher } from '../../src/auth/vendors/smtp/mailer.module.js';
import { Global, Module } from '@nestjs/common';
import { productionKeys } from '../support/production-keys.js';
import { TestClock } from '../support/test-clock.js';

const clock = new TestClock();
const messageId = 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f';
const link =
  'http://localhost:8080/verify?token=abc123456def&type=signup&redirect_to=http%3A%2F%2Flocalhost%2F';

const rendererOf = (...[config, time]: [Config, Clock]) =>
  new MessageRenderer(config, time, new StopLinks(new KeyedHash(randomBytes(32))));

@Global()
@Module({ providers: [{ provide: Clock, useValue: clock }], exports: [Clock] })
class ClockModule {}

describe('the development inbox', () => {
  const config = readConfig({ NODE_ENV: 'test', SITE_URL: 'https://example.com' }, vendorSections);
  let wired: TestingModule;
  let inbox: Inbox;

  beforeEach(async () => {
    wired = await Test.createTestingModule({
      imports: [ClockModule, InboxModule.forRoot(config), mailerModule(config)],
    }).compile();
    inbox = wired.get(Inbox, { strict: false });
  });

  afterEach(() => wired.close());

  const providerOf = (channel: 'email' | 'sms') => {
    const found = notificationProviders(config, wired.get(MailerService, { strict: false }), clock).find(
      (provider) => provider.channel === channel,
    );
    if (!found) throw new Error(`No provider for ${channel}`);
    return found;
  };

  it.each(['signup', 'recovery', 'magiclink', 'email_change'] as const)(
    'shows a %s mail that went through the mailer, with link and code',
    async (type) => {
      const content = rendererOf(config, clock).render(type, 'email', {
        to: 'user@example.org',
        link,
        stopLink: 'http://localhost:8080/stop?token=dG9rZW4',
        code: '012345',
        validForMs: 3_600_000,
      });
      await providerOf('email').send({ messageId, to: 'user@example.org', ...content });
      expect(inbox.list()).toEqual([
        {
          id: expect.any(String) as string,
          message_id: messageId,
          channel: 'email',
          to: 'user@example.org',
          subject: content.subject,
          text: content.text.trimEnd(),
          html: content.html,
          link,
          code: '012345',
          received_at: new Date(clock.now()).toISOString(),
        },
      ]);
    },
  );

  it('shows an SMS with its number and code, and without what an SMS does not have', async () => {
    const content = rendererOf(config, clock).render('sms', 'sms', {
      to: '+1234567890',
      link: null,
      stopLink: null,
      code: '012345',
      validForMs: 600_000,
    });
    await providerOf('sms').send({ messageId, to: '+1234567890', ...content });
    expect(inbox.list()).toEqual([
      {
        id: expect.any(String) as string,
        message_id: messageId,
        channel: 'sms',
        to: '+1234567890',
        subject: null,
        text: content.text,
        html: null,
        link: null,
        code: '012345',
        received_at: expect.any(String) as string,
      },
    ]);
  });

  it('reads mail of others too: an id of another form, no code, a link within a sentence', async () => {
    const transport = createTransport(wired.get(MailCatcher, { strict: false }).url);
    await transport.sendMail({
      from: 'a@example.com',
      to: ['One@Example.org', 'two@example.org'],
      messageId: '<something@else>',
      subject: 'Hello',
      text: 'See https://example.com/123456 for 1234567 reasons',
    });
    expect(inbox.list().map(({ to }) => to)).toEqual(['two@example.org', 'one@example.org']);
    expect(inbox.list()[0]).toMatchObject({
      message_id: 'something@else',
      html: null,
      code: null,
      link: 'https://example.com/123456',
    });
  });

  it('refuses a mail of more than a megabyte', async () => {
    const transport = createTransport(wired.get(MailCatcher, { strict: false }).url);
    const sending = transport.sendMail({ from: 'a@b.co', to: 'c@b.co', text: 'x'.repeat(2 * 1024 * 1024) });
    await expect(sending).rejects.toMatchObject({ responseCode: 552 });
    expect(inbox.list()).toEqual([]);
  });

  it('survives clients that hang up in the middle', async () => {
    const { port } = new URL(wired.get(MailCatcher, { strict: false }).url);
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'data');
    socket.write('EHLO x\r\nMAIL FROM:<a@b.co>\r\nRCPT TO:<c@b.co>\r\nDATA\r\nSubject: half');
    await once(socket, 'data');
    socket.resetAndDestroy();
    await once(socket, 'close');
    const content = { subject: 'Whole', text: 'Whole', html: '<p>Whole</p>' };
    await providerOf('email').send({ messageId, to: 'user@example.org', ...content });
    expect(inbox.list().map(({ subject }) => subject)).toEqual(['Whole']);
  });

  it('listens on the loopback interface only, and no longer once the application has stopped', async () => {
    const { hostname, port } = new URL(wired.get(MailCatcher, { strict: false }).url);
    expect(hostname).toBe('127.0.0.1');
    const elsewhere = connect(Number(port), '127.0.0.2');
    await expect(once(elsewhere, 'connect')).rejects.toThrow('ECONNREFUSED');
    await wired.close();
    const late = connect(Number(port), '127.0.0.1');
    await expect(once(late, 'connect')).rejects.toThrow('ECONNREFUSED');
  });
});

describe('what the inbox keeps', () => {
  const arrived = (to: string) => ({
    message_id: messageId,
    channel: 'email' as const,
    to,
    subject: 'Hello',
    text: 'Hello',
    html: null,
    link: null,
    code: null,
  });

  it('is the newest thousand, newest first', () => {
    const inbox = new Inbox(clock);
    for (let n = 1; n <= 1_005; n++) inbox.add(arrived(`${n}@example.org`));
    const kept = inbox.list();
    expect(kept).toHaveLength(1_000);
    expect(kept[0]?.to).toBe('1005@example.org');
    expect(kept.at(-1)?.to).toBe('6@example.org');
  });

  it.each([
    ['user@example.org', 'user@example.org'],
    ['  User@Example.ORG ', 'user@example.org'],
    ['+1234567890', '+1234567890'],
    [' 1234567890', '+1234567890'],
    ['+1 (234) 567-890', '+1234567890'],
  ])('is found by %j', (asked, to) => {
    const inbox = new Inbox(clock);
    inbox.add(arrived(to));
    inbox.add(arrived('other@example.org'));
    expect(inbox.list(asked).map((message) => message.to)).toEqual([to]);
  });

  it('is all of it without an address, and nothing for an unknown one', () => {
    const inbox = new Inbox(clock);
    inbox.add(arrived('user@example.org'));
    expect(inbox.list('')).toHaveLength(1);
    expect(inbox.list('example.org')).toEqual([]);
  });
});

describe('who carries what', () => {
  const production = {
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://auth.example.com',
    SITE_URL: 'https://example.com',
    SMTP_URL: 'smtp://mail.example.com',
    MAIL_FROM: 'Example <no-reply@example.com>',
    TRUST_PROXY: '0',
    ...productionKeys,
  };
  const webhook = {
    SMS_WEBHOOK_URL: 'https://gateway.example.com',
    SMS_WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 'key').toString('base64')}`,
  };
  const paidFor = { SMS_COUNTRIES: 'DE', SMS_DAILY_BUDGET: '50', SMS_COSTS: '*:*=0.10' };
  const mailServer = { SMTP_URL: 'smtp://127.0.0.1:2525' };

  it.each([
    ['development', {}, ['smtp', 'inbox']],
    ['development with a gateway', webhook, ['smtp', 'webhook']],
    ['development with a mail server: there is no inbox', mailServer, ['smtp']],
    ['production without a gateway: nobody carries SMS', production, ['smtp']],
    ['production with a gateway', { ...production, ...webhook, ...paidFor }, ['smtp', 'webhook']],
  ])('in %s', async (_where, env, names) => {
    const wired = await Test.createTestingModule({
      imports: [MailerModule.forRoot({ transport: { jsonTransport: true } })],
    }).compile();
    const providers = notificationProviders(readConfig(env, vendorSections), wired.get(MailerService), clock);
    expect(providers.map(({ name }) => name)).toEqual(names);
    await wired.close();
  });

  it('has no inbox, no catcher and no route with a mail server', async () => {
    const config = readConfig(mailServer);
    const wired = await Test.createTestingModule({
      imports: [ClockModule, InboxModule.forRoot(config), mailerModule(config)],
    }).compile();
    expect(() => wired.get(MailCatcher, { strict: false })).toThrow();
    await wired.close();
  });
});
