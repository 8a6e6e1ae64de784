import type { MailerService } from '@nestjs-modules/mailer';
import type { Config } from '../../../config/config.js';
import type { Clock } from '../../../platform/clock.js';
import type { NotificationProvider } from '../../messages/notification-provider.js';
import type { Vendor } from '../../messages/vendor.js';
import { dsnConfig } from './dsn.config.js';
import { DsnEventsController } from './dsn-events.controller.js';
import { InboxSmsProvider } from './inbox-sms.provider.js';
import type { MailSender } from './mail-sender.js';
import { smtpServers } from './mailer.module.js';
import type { ReturnPath } from './return-path.js';
import { sendTimeoutMs, SmtpProvider } from './smtp.provider.js';

/** Mail servers of any operator; they report by bounces (RFC 3464). */
export const smtp: Vendor = { name: 'smtp', config: dsnConfig, controllers: [DsnEventsController] };

/** A provider for each mail server, in order of preference. */
export function emailProviders(
  { mailFrom, smtpUrls }: Config,
  mailer: MailerService,
  clock: Clock,
  { returnPath, idHeader }: { returnPath?: ReturnPath | undefined; idHeader?: string | undefined },
): readonly NotificationProvider[] {
  const sender: MailSender = {
    ...mailFrom,
    ...(idHeader !== undefined && { idHeader }),
    ...(returnPath && { envelopeFrom: returnPath.addressFor.bind(returnPath) }),
  };
  if (smtpUrls.length < 2) return [new SmtpProvider(mailer, sender, clock)];
  return smtpServers(smtpUrls).map(
    ({ name }) => new SmtpProvider(mailer, sender, clock, sendTimeoutMs, name),
  );
}

/** For development: SMS by mail into the inbox. */
export function inboxSmsProvider({ mailFrom }: Config, mailer: MailerService, clock: Clock) {
  return new InboxSmsProvider(mailer, mailFrom, clock);
}
