import { Inject, Injectable } from '@nestjs/common';
import { normaliseEmail, normalisePhone } from '../requests/normal-form.js';
import type { Channel } from '../messages/confirmation-type.js';
import type { DeliveryEventKind } from '../messages/message.entities.js';
import { NotificationProvider } from '../messages/notification-provider.js';
import type { SuppressionReason } from '../messages/suppression-list.js';
import type { ReportedEvent } from './reported-event.js';

/** The object in a field, or one with nothing in it. */
export function objectIn(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** What a table of ours says of a vendor's word, which may be the name of something that every object inherits. */
export function entryIn<T>(table: Readonly<Record<string, T>>, word: unknown): T | undefined {
  return typeof word === 'string' && Object.hasOwn(table, word) ? table[word] : undefined;
}

/** An identifier: printable ASCII of 1 to 200 characters; else null. */
export function nameIn(value: unknown): string | null {
  return typeof value === 'string' && /^[\x21-\x7e]{1,200}$/.test(value) ? value : null;
}

/** A code or a single word, which cannot be an address; else null. */
export function codeIn(value: unknown): string | null {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && /^[\w.:-]{1,60}$/.test(text) && !/\d{7}/.test(text) ? text : null;
}

/** A moment as ISO 8601 or RFC 5322 writes it, or as seconds since 1970. */
export function dateIn(value: unknown): Date | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const date = new Date(typeof value === 'number' ? value * 1_000 : value);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** An address or a number in its normal form; a number may lack its plus. */
export function recipientIn(value: unknown, channel: Channel): string | null {
  if (typeof value !== 'string') return null;
  if (channel === 'email') return normaliseEmail(value);
  return normalisePhone(/^\d/.test(value) ? `+${value}` : value);
}

/** The message's id in a `Message-ID` that we made: `<msg_…@domain>`, with or without the brackets; else null. */
export function uuidInMessageId(value: unknown): string | null {
  return typeof value === 'string'
    ? (/^\s*<?msg_([0-9a-f]{32})@[^\s@]{1,255}\s*$/.exec(value)?.[1] ?? null)
    : null;
}

/**
 * Who hands mail to the outside. A vendor of mail reports under its own name, but it was reached over SMTP, and the name
 * that it gave to a mail stands with the carrier that got it.
 */
@Injectable()
export class EmailCarriers {
  private readonly names: readonly string[];

  constructor(@Inject(NotificationProvider) providers: readonly NotificationProvider[]) {
    this.names = providers.filter(({ channel }) => channel === 'email').map(({ name }) => name);
  }

  receipt(id: unknown): ReportedEvent['receipt'] {
    const name = nameIn(id);
    return name === null ? null : { id: name, providers: this.names };
  }
}

/** @param isHard whether nothing more can arrive after this bounce */
export function suppressionFor(kind: DeliveryEventKind, isHard: boolean): SuppressionReason | null {
  if (kind === 'complained') return 'complaint';
  return kind === 'bounced' && isHard ? 'hard_bounce' : null;
}

/**
 * Whether an enhanced status code says that nothing can arrive there any more. RFC 3463, section 3.2: no such mailbox or
 * system, no address at all, moved; RFC 7505: a domain without mail. 5.1.7 and 5.1.8 speak of the sender. 5.2.1 is a
 * mailbox that is switched off.
 */
export function isMailboxGone(status: string): boolean {
  return /^5\.(1\.([012356]|10)|2\.1)$/.test(status);
}
