import { Logger } from '@nestjs/common';
import type { MailerService } from '@nestjs-modules/mailer';
import type { Clock } from '../../platform/clock.js';
import type { Config, SmsVendor } from '../../config/config.js';
import type { NotificationProvider } from '../messages/notification-provider.js';
import type { ReturnPath } from '../messages/return-path.js';
import { TwilioSmsProvider } from './twilio/twilio-sms.provider.js';
import { VonageSmsProvider } from './vonage/vonage-sms.provider.js';
import { WebhookSmsProvider } from './webhook/webhook-sms.provider.js';
import { InboxSmsProvider } from './smtp/inbox-sms.provider.js';
import { type MailSender, parseSender } from './smtp/mail-sender.js';
import { sendTimeoutMs, SmtpProvider } from './smtp/smtp.provider.js';
import { smtpServers } from './smtp/mailer.module.js';

type Maker = (config: Config, clock: Clock) => NotificationProvider | undefined;

const makers: Readonly<Record<SmsVendor, Maker>> = {
  twilio: ({ sms, publicUrl }) => sms.twilio && new TwilioSmsProvider({ ...sms.twilio, publicUrl }),
  vonage: ({ sms, publicUrl }) => sms.vonage && new VonageSmsProvider({ ...sms.vonage, publicUrl }),
  webhook: ({ sms: { webhook } }, clock) => webhook && new WebhookSmsProvider(webhook, clock),
};

/**
 * Who carries an SMS to the outside, in order of preference; none when nobody is configured.
 * @throws ConfigurationError when one cannot work with what it is given
 */
export function smsProviders(config: Config, clock: Clock): NotificationProvider[] {
  return config.sms.providers
    .map((vendor) => makers[vendor](config, clock))
    .filter((provider) => provider !== undefined);
}

/**
 * Who carries the messages, by configuration, those of a channel in order of preference. A channel without one is not
 * served: its messages end as `failed`, `no_provider`.
 * @throws ConfigurationError when a provider cannot work with what it is given
 */
export function notificationProviders(
  config: Config,
  mailer: MailerService,
  clock: Clock,
  returnPath?: ReturnPath,
): readonly NotificationProvider[] {
  const sender = parseSender(config.mailFrom);
  const envelopeFrom = (messageId: string) => returnPath?.addressFor(messageId) ?? sender.address;
  // Postmark writes Message-IDs of its own, and gives back what stands under its own header.
  const marked = config.events.postmark ? { idHeader: 'X-PM-Metadata-message-id' } : {};
  const email = emailProviders(config, mailer, { ...sender, ...marked, envelopeFrom }, clock);
  const sms = smsProviders(config, clock);
  if (sms.length > 0) return [...email, ...sms];
  if (config.inbox) return [...email, new InboxSmsProvider(mailer, sender, clock)];
  new Logger('NotificationProviders').warn(
    'Nobody carries SMS: they will fail. Set SMS_WEBHOOK_URL, TWILIO_ACCOUNT_SID or VONAGE_API_KEY',
  );
  return email;
}

function emailProviders(
  { smtpUrls }: Config,
  mailer: MailerService,
  sender: MailSender,
  clock: Clock,
): readonly NotificationProvider[] {
  if (smtpUrls.length < 2) return [new SmtpProvider(mailer, sender, clock)];
  return smtpServers(smtpUrls).map(
    ({ name }) => new SmtpProvider(mailer, sender, clock, sendTimeoutMs, name),
  );
}
