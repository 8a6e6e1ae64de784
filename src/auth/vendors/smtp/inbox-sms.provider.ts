import type { MailerService } from '@nestjs-modules/mailer';
import type { Clock } from '../../../platform/clock.js';
import {
  NotificationProvider,
  type OutgoingMessage,
  type Receipt,
  refuseUnsafe,
} from '../../messages/notification-provider.js';
import type { MailSender } from './mail-sender.js';
import { deliverBySmtp, sendTimeoutMs } from './smtp.provider.js';

/** Mail to a number at this domain is an SMS. `.invalid` resolves nowhere (RFC 2606), should it ever leave. */
export const inboxSmsDomain = 'sms.strike-auth.invalid';

/** For development: an SMS really travels, over SMTP to the catcher in this process, and is read in the inbox. */
export class InboxSmsProvider extends NotificationProvider {
  override readonly name = 'inbox';
  override readonly channel = 'sms';

  constructor(
    private readonly mailer: MailerService,
    private readonly sender: MailSender,
    private readonly clock: Clock,
    private readonly timeoutMs = sendTimeoutMs,
  ) {
    super();
  }

  override async send(message: OutgoingMessage): Promise<Receipt> {
    refuseUnsafe(message);
    const { messageId, text } = message;
    const mail = {
      messageId,
      to: `${message.to}@${inboxSmsDomain}`,
      subject: 'SMS',
      text,
      date: new Date(this.clock.now()),
    };
    return deliverBySmtp(this.mailer, this.sender, mail, this.timeoutMs);
  }
}
