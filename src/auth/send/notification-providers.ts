import { Logger } from '@nestjs/common';
import type { MailerService } from '@nestjs-modules/mailer';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config.js';
import { inboxEnabled } from '../../inbox/inbox-enabled.js';
import type { NotificationProvider } from './notification-provider.js';
import { InboxSmsProvider } from './providers/inbox-sms.provider.js';
import { parseSender } from './providers/mail-sender.js';
import { SmtpProvider } from './providers/smtp.provider.js';
import { WebhookSmsProvider } from './providers/webhook-sms.provider.js';

/**
 * Who carries the messages, by configuration; of several for a channel the first is asked. A channel without one is
 * not served: its messages end as `failed`, `no_provider`.
 * @throws ConfigurationError when a provider cannot work with what it is given
 */
export function notificationProviders(
  config: Config,
  mailer: MailerService,
  clock: Clock,
): readonly NotificationProvider[] {
  const sender = parseSender(config.mailFrom);
  const email = new SmtpProvider(mailer, sender, clock);
  if (config.smsWebhook) return [email, new WebhookSmsProvider(config.smsWebhook, clock)];
  if (inboxEnabled(config)) return [email, new InboxSmsProvider(mailer, sender, clock)];
  new Logger('NotificationProviders').warn('No SMS gateway: messages by SMS will fail. Set SMS_WEBHOOK_URL');
  return [email];
}
