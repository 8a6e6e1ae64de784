import type { MailerService } from '@nestjs-modules/mailer';
import type { Clock } from '../../../platform/clock.js';
import {
  NotificationProvider,
  type OutgoingMessage,
  type Receipt,
  refuseUnsafe,
} from '../../messages/notification-provider.js';
import type { MailSender } from './mail-sender.js';
import { deliverBySmtp, sendTimeoutMs } from './smtp-delivery.js';

/**
 * Mail over SMTP (RFC 5321). The `Message-ID` is made from the id of the message, so that every attempt carries the
 * same one and mailboxes that saw the first can drop the second; `Auto-Submitted` (RFC 3834) keeps vacation replies
 * away.
 */
export class SmtpProvider extends NotificationProvider {
  override readonly name: string;
  override readonly channel = 'email';

  /** @param server the name of its transport, which becomes the provider's; undefined when there is one only */
  constructor(
    private readonly mailer: MailerService,
    private readonly sender: MailSender,
    private readonly clock: Clock,
    private readonly timeoutMs = sendTimeoutMs,
    private readonly server?: string,
  ) {
    super();
    this.name = server ?? 'smtp';
  }

  override async send(message: OutgoingMessage): Promise<Receipt> {
    refuseUnsafe(message);
    const date = new Date(this.clock.now());
    return deliverBySmtp(this.mailer, this.sender, { ...message, date }, this.timeoutMs, this.server);
  }
}
