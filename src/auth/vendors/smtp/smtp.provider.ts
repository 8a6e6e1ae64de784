import type { Readable } from 'node:stream';
import type { ISendMailOptions, MailerOptions, MailerService } from '@nestjs-modules/mailer';
import type { Clock } from '../../../platform/clock.js';
import {
  NotificationProvider,
  type OutgoingMessage,
  PermanentDeliveryError,
  type Receipt,
  refuseUnsafe,
} from '../../messages/notification-provider.js';
import type { MailSender } from './mail-sender.js';
import { deliveryErrorOf } from './smtp-refusal.js';

type Plugin = NonNullable<MailerOptions['plugins']>[number];

/**
 * Travels with a mail through the DATA phase and knows whether a server can have got the whole of it. nodemailer reads a mail only after the
 * server's 354, and ends it with the dot only when it has been read to its end. When the connection is lost before that,
 * nothing was taken (RFC 5321, section 4.1.1.4); when it is lost after, the outcome is unknown.
 */
class DataPhaseProbe {
  private stream: Readable | undefined;

  get isComplete(): boolean {
    return this.stream?.readableEnded ?? false;
  }

  follow(stream: Readable): Readable {
    this.stream = stream;
    return stream;
  }
}

interface ProbedMail {
  readonly data: { readonly dataPhase?: DataPhaseProbe; readonly counted?: string };
  readonly message: {
    processFunc(follow: (stream: Readable) => Readable): void;
    getEnvelope(): { readonly to: readonly string[] };
  };
}

/** Lets a mail that carries a `DataPhaseProbe` be followed. */
const probeDataPhase: Plugin = {
  step: 'stream',
  plugin: ({ data, message }: ProbedMail, done) => {
    const { dataPhase } = data;
    if (dataPhase) message.processFunc((stream) => dataPhase.follow(stream));
    done();
  },
};

/**
 * Holds a mail of ours back whose envelope names anybody else than the address that was counted, looked up and found on no list:
 * nodemailer has a spelling of its own for some, and takes the quotes off `"ann"@example.org`.
 */
const compareEnvelope: Plugin = {
  step: 'stream',
  plugin: ({ data, message }: ProbedMail, done) => {
    const { to } = message.getEnvelope();
    const { counted } = data;
    const isMeant = counted === undefined || (to.length === 1 && to[0] === counted);
    done(isMeant ? undefined : new PermanentDeliveryError('malformed_message'));
  },
};

export const mailPlugins: readonly Plugin[] = [probeDataPhase, compareEnvelope];

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
  const dataPhase = new DataPhaseProbe();
  const from = { name: sender.name, address: sender.address };
  // A variable, not a literal: the mailer's type does not know all of it, nodemailer does.
  const options = {
    ...(server !== undefined && { transporterName: server }),
    dataPhase,
    counted: to,
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
    if (error instanceof PermanentDeliveryError) throw error;
    throw deliveryErrorOf(error, to, dataPhase.isComplete);
  }
}

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
