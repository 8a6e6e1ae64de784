import { Test } from '@nestjs/testing';
import { MailerModule, MailerService } from '@nestjs-modules/mailer';
import { mailerOptions } from '../../src/auth/send/mailer-options.js';
import type { NotificationProvider } from '../../src/auth/send/notification-provider.js';
import { InboxSmsProvider } from '../../src/auth/send/providers/inbox-sms.provider.js';
import { parseSender } from '../../src/auth/send/providers/mail-sender.js';
import { SmtpProvider } from '../../src/auth/send/providers/smtp.provider.js';
import { WebhookSmsProvider } from '../../src/auth/send/providers/webhook-sms.provider.js';
import { ScriptedSmtpServer } from './smtp-server.js';
import { SmsGateway } from './sms-gateway.js';
import { TestClock } from './test-clock.js';

/** Long enough for a busy machine; the impatient one is for vendors that never answer. */
const patientMs = 15_000;
export const impatientMs = 300;

/** A provider and the vendor behind it, who does what the test says. */
export interface ProviderRig {
  readonly provider: NotificationProvider;
  readonly impatient: NotificationProvider;
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
    imports: [MailerModule.forRoot(mailerOptions(server.url))],
  }).compile();
  const sender = parseSender('Example <no-reply@example.com>');
  const Provider = kind === 'email' ? SmtpProvider : InboxSmsProvider;
  return {
    provider: new Provider(module.get(MailerService), sender, new TestClock(), patientMs),
    impatient: new Provider(module.get(MailerService), sender, new TestClock(), impatientMs),
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
    provider: new WebhookSmsProvider(settings, new TestClock(), patientMs),
    impatient: new WebhookSmsProvider(settings, new TestClock(), impatientMs),
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
