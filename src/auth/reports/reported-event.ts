import type { Channel } from '../messages/confirmation-type.js';
import type { AttemptOutcome, DeliveryEventKind } from '../messages/message.entities.js';
import type { SuppressionReason } from '../messages/suppression-list.js';

/** What a provider says of one message, told apart from how it says it. */
export interface ReportedEvent {
  readonly provider: string;
  /** What makes it the same event when it comes again; printable ASCII of at most 300 characters. */
  readonly eventId: string;
  /** Null: of either. */
  readonly channel: Channel | null;
  /** Ours, as 32 hexadecimal digits; null when the report does not name it. */
  readonly messageUuid: string | null;
  /** The provider's own name for the message, and the carriers that may have given it. */
  readonly receipt: { readonly id: string; readonly providers: readonly string[] } | null;
  readonly kind: DeliveryEventKind;
  /** The provider's own word; never an address. */
  readonly detail: string | null;
  /** By the provider's clock; null when it does not say. */
  readonly occurredAt: Date | null;
  /** Whom it speaks of, in the normal form; null when it does not say. */
  readonly recipient: string | null;
  /** Why the recipient gets nothing any more; null when they go on. */
  readonly suppression: SuppressionReason | null;
}

/** `unknown`: no such message. `repeated`: it was known. `recorded`: it changed nothing. `applied`: it did. */
export type EventResult = 'unknown' | 'repeated' | 'recorded' | 'applied';

/** A try after which the message may be on its way: a provider took it, or the outcome is unknown. */
export interface DeliveryCopy {
  /** Null when it is unknown: the worker died. */
  readonly provider: string | null;
  readonly receiptId: string | null;
  readonly outcome: AttemptOutcome;
  readonly startedAt: Date | null;
  readonly endedAt: Date;
}

interface NegativeEvent {
  /** Who carries what it reports on; null for mail, whose vendors are reached over servers with other names. */
  readonly carrier: string | null;
  /** The vendor's name for the copy. */
  readonly receiptId: string | null;
  /** Null when the vendor does not say. */
  readonly occurredAt: Date | null;
}

/** Some vendors tell times in whole seconds. In milliseconds. */
const precisionMs = 1_000;

/** Whether other providers have carried the message, and this one has not. */
export function belongsToAnotherProvider(carrier: string | null, copies: readonly DeliveryCopy[]): boolean {
  const strangers = copies.filter(({ provider }) => provider !== null && provider !== carrier);
  return carrier !== null && copies.length > 0 && strangers.length === copies.length;
}

/**
 * Whether a negative event is about the copy that counts, which is the last that a provider took. What became of an earlier one
 * says nothing of that: its answer got lost, or an operator asked for the message once more. Where neither the name of the
 * copy nor a time tells them apart, the last one has the benefit of the doubt.
 * @param copies in the order of time
 * @param requeuedAt when an operator asked for the message once more
 */
export function isAboutLastCopy(
  { carrier, receiptId, occurredAt }: NegativeEvent,
  copies: readonly DeliveryCopy[],
  requeuedAt: Date | null,
): boolean {
  if (copies.length === 0) return true;
  if (belongsToAnotherProvider(carrier, copies)) return false;
  if (requeuedAt !== null && occurredAt === null && !copies.some(({ endedAt }) => endedAt > requeuedAt))
    return false;
  const last = copies.findLast(({ outcome }) => outcome === 'sent');
  if (!last || (receiptId !== null && receiptId === last.receiptId)) return true;
  if (carrier !== null && last.provider !== carrier) return false;
  if (carrier !== null && receiptId !== null && last.receiptId !== null) return false;
  if (copies.length === 1) return true;
  const handedOver = (last.startedAt ?? last.endedAt).getTime();
  return occurredAt !== null && occurredAt.getTime() >= handedOver - precisionMs;
}
