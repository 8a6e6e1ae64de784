import type { ParsedMail } from 'mailparser';
import { inboxSmsDomain } from '../auth/send/providers/inbox-sms.provider.js';
import type { ArrivedMessage } from './inbox.js';

/** Reads a mail as a person does who is after the link and the code. `recipient` is the one of the envelope. */
export function messageIn(mail: ParsedMail, recipient: string): ArrivedMessage {
  const text = (mail.text ?? '').trimEnd();
  const phone = phoneOf(recipient);
  const common = { message_id: messageIdOf(mail.messageId), text, code: codeIn(text) };
  if (phone !== null) {
    return { ...common, channel: 'sms', to: phone, subject: null, html: null, link: null };
  }
  return {
    ...common,
    channel: 'email',
    to: recipient.toLowerCase(),
    subject: mail.subject ?? '',
    html: mail.html || null,
    link: linkIn(text),
  };
}

function phoneOf(recipient: string): string | null {
  const suffix = `@${inboxSmsDomain}`;
  return recipient.toLowerCase().endsWith(suffix) ? recipient.slice(0, -suffix.length) : null;
}

/** The part before the `@` in our mails; the whole id in those of others. */
function messageIdOf(header: string | undefined): string | null {
  if (header === undefined) return null;
  return /^<(msg_[0-9a-f]{32})@/.exec(header)?.[1] ?? header.replace(/^<|>$/g, '');
}

function linkIn(text: string): string | null {
  // A link that has a line of its own is the one to follow; addresses within sentences are decoration.
  return (/^\s*(https?:\/\/\S+)\s*$/im.exec(text) ?? /(https?:\/\/[^\s<>"]+)/i.exec(text))?.[1] ?? null;
}

function codeIn(text: string): string | null {
  const prose = text.replace(/https?:\/\/\S+/gi, '');
  const found =
    /^\s*(\d{6})\s*$/m.exec(prose) ?? /#(\d{6})\s*$/.exec(prose) ?? /(?<!\w)(\d{6})(?!\w)/.exec(prose);
  return found?.[1] ?? null;
}
