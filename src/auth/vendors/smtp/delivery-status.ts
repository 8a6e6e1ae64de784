import type { DeliveryEventKind } from '../../messages/message.entities.js';
import { isMailboxGone } from '../../reports/report-fields.js';
import { recipientIn } from '../../reports/report-fields.js';

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
export function deliveryStatusesIn(text: string): DeliveryStatus[] {
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
  const action = fields.get('action')?.toLowerCase() ?? '';
  const kind = Object.hasOwn(kinds, action) ? kinds[action] : undefined;
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
