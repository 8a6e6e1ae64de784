import { createHash } from 'node:crypto';
import { type ParsedMail, simpleParser } from 'mailparser';
import { uuidInMessageId } from '../../reports/report-fields.js';
import type { ReportedEvent } from '../../reports/reported-event.js';
import { type DeliveryStatus, deliveryStatusesIn } from './delivery-status.js';

/** Nothing of a notification is shown to anybody: no part needs another form. */
const parserOptions = {
  keepDeliveryStatus: true,
  skipHtmlToText: true,
  skipTextToHtml: true,
  skipTextLinks: true,
  skipImageLinks: true,
  // Of each part, in bytes.
  maxHeadSize: 32 * 1024,
};

/**
 * What matters stands at the beginning, and the body of the mail that came back at the end. A notification is written by
 * anybody, and a megabyte of made-up headers takes two seconds to parse. In bytes.
 */
const maxParsed = 64 * 1024;

/** The lines of the headers of a mail that was returned, or of the mail itself. */
const messageIdLine = /^Message-ID:[ \t]*(?:\r?\n[ \t]+)?(<[^\s<>]+>)/im;

/**
 * What a delivery status notification (RFC 3464) says; nothing when the mail is none, or about none of ours.
 *
 * A notification is a mail like any other, and anybody can write one. Who knows our return address for the message has
 * carried it; who knows only its id may have made the notification up, so that one has no effect beyond its message.
 *
 * @param raw the mail as it came, headers first
 * @param uuidOfReturnPath which message an address in a text was made for
 * @param recipient whom the notification itself was sent to, when the mail server says so
 */
export async function dsnReports(
  raw: Buffer,
  uuidOfReturnPath: (text: string) => string | null,
  recipient: string,
): Promise<ReportedEvent[]> {
  const beginning = raw.subarray(0, maxParsed);
  const text = beginning.toString('latin1');
  const mail = await parsed(beginning);
  const part = mail?.attachments.find(({ contentType }) => contentType === 'message/delivery-status');
  if (!mail || !part) return [];
  const headers = text.slice(0, /\r?\n\r?\n/.exec(text)?.index ?? 0);
  const proven = uuidOfReturnPath(recipient) ?? uuidOfReturnPath(headers);
  const messageUuid = proven ?? uuidOfReturned(mail);
  if (messageUuid === null) return [];
  const name = createHash('sha256')
    .update(mail.messageId ?? text, 'latin1')
    .digest('hex');
  return deliveryStatusesIn(part.content.toString('latin1')).map((status, index) =>
    eventOf(status, `${name}:${index}`, messageUuid, { isProven: proven !== null }),
  );
}

async function parsed(raw: Buffer): Promise<ParsedMail | null> {
  try {
    return await simpleParser(raw, parserOptions);
  } catch {
    return null;
  }
}

/** The id in the `Message-ID` of the mail, or of its headers, that came back. */
function uuidOfReturned({ attachments }: ParsedMail): string | null {
  const returned = attachments.find(({ contentType }) =>
    ['message/rfc822', 'text/rfc822-headers', 'message/global', 'message/global-headers'].includes(
      contentType,
    ),
  );
  return uuidInMessageId(
    messageIdLine.exec(returned?.content.toString('latin1') ?? '')?.[1]?.replaceAll(/[<>]/g, ''),
  );
}

function eventOf(
  { kind, status, isHard, recipient }: DeliveryStatus,
  eventId: string,
  messageUuid: string,
  { isProven }: { isProven: boolean },
): ReportedEvent {
  return {
    provider: 'dsn',
    eventId,
    channel: 'email',
    messageUuid,
    receipt: null,
    kind,
    detail: status,
    // The date is whatever the sender wrote.
    occurredAt: null,
    recipient,
    suppression: isHard && isProven ? 'hard_bounce' : null,
  };
}
