import type { ISendMailOptions, MailerService } from '@nestjs-modules/mailer';
import type { Receipt } from '../notification-provider.js';
import { HandedOverContent } from './handed-over-content.js';
import type { MailSender } from './mail-sender.js';
import { deliveryErrorOf } from './smtp-refusal.js';

/** Longest time for one mail, waiting for a free connection included. The worker renews its lease meanwhile. */
export const sendTimeoutMs = 30_000;

interface Mail extends Pick<ISendMailOptions, 'subject' | 'text' | 'html' | 'date'> {
  readonly messageId: string;
  readonly to: string;
}

/**
 * Hands one mail to an SMTP server.
 * @param server the name of its transport; undefined when there is one only
 * @throws PermanentDeliveryError | TransientDeliveryError
 */
export async function deliverBySmtp(
  mailer: MailerService,
  sender: MailSender,
  { messageId, to, ...mail }: Mail,
  timeoutMs: number,
  server?: string,
): Promise<Receipt> {
  const handedOver = new HandedOverContent();
  const from = { name: sender.name, address: sender.address };
  // A variable, not a literal: the mailer's type does not know all of it, nodemailer does.
  const options = {
    ...(server !== undefined && { transporterName: server }),
    handedOver,
    ...mail,
    from,
    // An object is one mailbox, whatever is in it; a string would be parsed as a list.
    to: { name: '', address: to },
    envelope: { from: sender.envelopeFrom?.(messageId) ?? sender.address, to: [to] },
    messageId: `<${messageId}@${sender.domain}>`,
    headers: {
      'Auto-Submitted': 'auto-generated',
      ...(sender.idHeader === undefined ? {} : { [sender.idHeader]: messageId }),
    },
    xMailer: false as const,
    // Frees the connection as well, which the mailer's own `timeout` does not.
    signal: AbortSignal.timeout(timeoutMs),
  };
  try {
    const info = (await mailer.sendMail(options)) as { response?: string };
    return { receiptId: queueIdIn(info.response ?? '') };
  } catch (error) {
    throw deliveryErrorOf(error, to, handedOver.isComplete);
  }
}

/** The name under which the server queued the mail. No standard: Postfix, Exim, SES and Sendmail each have a phrase. */
const queuePhrases = [
  /\bqueued as ([\w.-]{6,200})/i,
  /\bid=([\w.-]{6,200})/,
  /^250 Ok ([\w-]{20,200})$/i,
  /^250 2\.0\.0 ([\w-]{6,200}) Message accepted/,
];

function queueIdIn(response: string): string | null {
  for (const phrase of queuePhrases) {
    const id = phrase.exec(response)?.[1];
    if (id !== undefined) return id;
  }
  return null;
}
