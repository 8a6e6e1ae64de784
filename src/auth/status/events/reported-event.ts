import type { Channel } from '../../confirmation-type.js';
import type { DeliveryEventKind } from '../delivery-event.entity.js';
import type { SuppressionReason } from '../suppression.entity.js';

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
