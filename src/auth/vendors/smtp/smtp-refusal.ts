import { PermanentDeliveryError, TransientDeliveryError } from '../../messages/notification-provider.js';
import { isMailboxGone } from '../../reports/report-fields.js';

/** What nodemailer adds to an error. Its `code` says little: EENVELOPE stands for 451 and for 550. */
interface SmtpError extends Error {
  readonly code?: string;
  /** The command that was answered, such as `RCPT TO`; `CONN` or `API` outside a dialogue. */
  readonly command?: string;
  readonly response?: string;
  readonly responseCode?: number | false;
}

/** RFC 5321, section 4.2.3, and RFC 7504: replies to RCPT that speak of the mailbox; 501 of how it is written. */
const mailboxReplies = new Set([501, 550, 551, 553, 556]);
/** RFC 3463: bad address of the sender, not of the recipient. */
const senderStatuses = new Set(['5.1.7', '5.1.8']);
/** Replies that speak of the session: bad sequence, and the family of "authenticate first" (RFC 4954, section 6). */
const sessionReplies = new Set([503, 530, 534, 535, 538]);
/** Commands whose answers speak of one recipient and one content. */
const messageCommands = new Set(['RCPT TO', 'DATA']);

/**
 * Who is to blame decides: only a refusal of this recipient or of this content is permanent. A 5xx that speaks of the
 * sender, the login, the relay or the network address is a fault of the set-up; an operator can repair it while the
 * message waits. A status that says that the mailbox is gone lists its address, as it would in a bounce; nothing else does.
 * See docs/adr/0003.
 * @param to the recipient, who is left out of the cause: causes are logged
 * @param handedOver whether the server can have got the whole mail; when it then said nothing, the outcome is unknown
 */
export function deliveryErrorOf(
  error: unknown,
  to: string,
  handedOver: boolean,
): PermanentDeliveryError | TransientDeliveryError {
  const { code, command, message, response = '', responseCode } = error as SmtpError;
  const reply = responseCode || 0;
  const cause = new Error(`${code ?? 'ERROR'} ${command ?? ''}: ${withoutAddress(message, to)}`);
  const isGone = isMailboxGone(statusIn(response) ?? '');
  const recipientLoss = isGone ? ('hard_bounce' as const) : undefined;
  const permanent = (reason: string) => new PermanentDeliveryError(reason, { cause, recipientLoss });
  const outcomeUnknown = handedOver && reply < 400;
  const providerHealthy = messageCommands.has(command ?? '') && speaksOfMessage(reply, response);
  const transient = (reason: string) =>
    new TransientDeliveryError(reason, { cause, outcomeUnknown, providerHealthy });

  if (code === 'EABORT' || code === 'ETIMEDOUT') return transient('timed_out');
  if (code === 'EAUTH') return transient('authentication_failed');
  if (reply >= 400 && reply < 500) return transient('deferred');
  if (reply < 500) return transient('connection_failed');
  if (sessionReplies.has(reply)) return transient('refused_by_server');
  if (command === 'RCPT TO' && refusesRecipient(reply, response)) return permanent('rejected_recipient');
  if (command === 'DATA') return permanent(isGone ? 'rejected_recipient' : 'rejected_message');
  if (command === 'MAIL FROM') return transient('rejected_sender');
  return transient('refused_by_server');
}

/** 421 closes the session (RFC 5321, section 3.8), and x.3.x is a fault of the mail system (RFC 3463, section 3.4). */
function speaksOfMessage(reply: number, response: string): boolean {
  return reply >= 400 && reply !== 421 && !sessionReplies.has(reply) && !/^\d{3}[ -][45]\.3\./.test(response);
}

/** The enhanced status code (RFC 3463) decides when there is one: relays refuse with 550 and 554 for many reasons. */
function refusesRecipient(reply: number, response: string): boolean {
  const status = statusIn(response);
  if (status === undefined) return mailboxReplies.has(reply);
  // Exchange Online answers 550 5.4.1 for a mailbox that does not exist.
  return (/^5\.[12]\./.test(status) && !senderStatuses.has(status)) || status === '5.4.1';
}

function statusIn(response: string): string | undefined {
  return /^\d{3}[ -](5\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1];
}

function withoutAddress(text: string, address: string): string {
  const literally = address.replace(/[^\w]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
  return text.replace(new RegExp(literally, 'giu'), 'recipient');
}
