import { Logger } from '@nestjs/common';
import type { MailerService } from '@nestjs-modules/mailer';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config.js';
import type { ReturnPath } from '../return-path.js';
import type { NotificationProvider } from './notification-provider.js';
import { InboxSmsProvider } from './providers/inbox-sms.provider.js';
import { type MailSender, parseSender } from './providers/mail-sender.js';
import { sendTimeoutMs } from './providers/smtp-delivery.js';
import { SmtpProvider } from './providers/smtp.provider.js';
import { smsProviders } from './sms-providers.js';
import { smtpServers } from './smtp-servers.js';

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
