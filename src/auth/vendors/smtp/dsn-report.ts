import { createHash } from 'node:crypto';
import { type ParsedMail, simpleParser } from 'mailparser';
import type { DeliveryEventKind } from '../../messages/message.entities.js';
import { entryIn, isMailboxGone, recipientIn, uuidInMessageId } from '../../reports/report-fields.js';
import type { ReportedEvent } from '../../reports/reported-event.js';

/** What a delivery status notification says of one recipient (RFC 3464, section 2.3). */
export interface DeliveryStatus {
  readonly kind: DeliveryEventKind;
  /** The enhanced status code (RFC 3463), such as `5.1.1`; null when it has none. */
  readonly status: string | null;
  /** The mailbox does not exist, or not any more. */
  readonly isHard: boolean;
  /** In the normal form; the one that the mail was sent to, when the report knows it. */
  readonly recipient: string | null;
}

const kinds: Readonly<Record<string, DeliveryEventKind>> = {
  failed: 'bounced',
  delayed: 'delayed',
  delivered: 'delivered',
  relayed: 'delivered',
  expanded: 'delivered',
};

/** Our mails have one recipient; a list behind it may have a few. */
const maxRecipients = 10;

/** What the body of a part `message/delivery-status` says; nothing when it is none. */
function deliveryStatusesIn(text: string): DeliveryStatus[] {
  return groupsOf(text)
    .slice(0, maxRecipients + 1)
    .map(fieldsOf)
    .flatMap((fields) => statusOf(fields) ?? []);
}

/** Groups of fields are separated by empty lines; a field goes on in lines that begin with a space. */
function groupsOf(text: string): string[] {
  return text
    .replaceAll('\r\n', '\n')
    .split(/\n\s*\n/)
    .map((group) => group.replaceAll(/\n[ \t]+/g, ' '));
}

function fieldsOf(group: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of group.split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    if (name !== '' && !fields.has(name)) fields.set(name, withoutComments(line.slice(colon + 1)));
  }
  return fields;
}

function withoutComments(value: string): string {
  return value.replaceAll(/\([^()]*\)/g, '').trim();
}

function statusOf(fields: ReadonlyMap<string, string>): DeliveryStatus | null {
  const kind = entryIn(kinds, fields.get('action')?.toLowerCase());
  if (kind === undefined) return null;
  const status = /^[245]\.\d{1,3}\.\d{1,3}$/.exec(fields.get('status') ?? '')?.[0] ?? null;
  return {
    kind,
    status,
    isHard: kind === 'bounced' && status !== null && isMailboxGone(status),
    recipient: addressIn(fields.get('original-recipient')) ?? addressIn(fields.get('final-recipient')),
  };
}

/** `rfc822; user@example.com` */
function addressIn(field: string | undefined): string | null {
  const address = /^(?:rfc822|utf-8)\s*;\s*(\S+)$/i.exec(field ?? '')?.[1];
  return recipientIn(address?.replace(/^<(.*)>$/, '$1'), 'email');
}

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
