import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Channel, ConfirmationType } from './confirmation-type.js';
import type { MessageStatus } from './message-status.js';

/** A row of the outbox: what was asked for, never a secret. */
@Entity('messages')
@Check(
  'messages_status',
  `status IN ('accepted', 'sending', 'sent', 'delayed', 'delivered', 'bounced', 'complained', 'dropped', 'failed')`,
)
@Index('messages_due', ['dueAt'], { where: `status IN ('accepted', 'sending')` })
@Index('messages_by_recipient', ['recipient', 'id'], { where: `status NOT IN ('accepted', 'sending')` })
@Index('messages_by_asker', ['askedBy', 'id'])
@Index('messages_by_trouble', ['status', 'id'], {
  where: `status IN ('delayed', 'bounced', 'complained', 'dropped', 'failed')`,
})
export class MessageEntity {
  @PrimaryColumn('uuid') id: string;
  @Column('text') type: ConfirmationType;
  @Column('text') channel: Channel;
  /** The address that the client named. The worker decides who that is, if anybody. */
  @Column('text') recipient: string;
  @Column('text', { name: 'redirect_to', nullable: true }) redirectTo: string | null;
  /** Keyed hash of the client that asked, with address and purpose: see `askedBy`. */
  @Column('bytea', { name: 'asked_by', nullable: true }) askedBy: Buffer | null;
  /** Wrong codes that named this message. */
  @Column('smallint', { name: 'named_guesses', default: 0 }) namedGuesses: number;
  /** Wrong codes of the client that asked, which named none. */
  @Column('smallint', { name: 'asker_guesses', default: 0 }) askerGuesses: number;
  @Column('text', { default: 'accepted' }) status: MessageStatus;
  /** Why it was dropped or failed, or what the last attempt met; for the operator. */
  @Column('text', { nullable: true }) reason: string | null;
  @Column('int', { default: 0 }) attempts: number;
  /** When a worker may take it: the next attempt while `accepted`, the end of the lease while `sending`. */
  @Column('timestamptz', { name: 'due_at' }) dueAt: Date;
  @Column('uuid', { name: 'claimed_by', nullable: true }) claimedBy: string | null;
  @Column('timestamptz', { name: 'accepted_at' }) acceptedAt: Date;
  /** When an operator asked for it once more: from then on its age counts anew. */
  @Column('timestamptz', { name: 'requeued_at', nullable: true }) requeuedAt: Date | null;
  @Column('timestamptz', { name: 'ended_at', nullable: true }) endedAt: Date | null;
}

export const attemptOutcomes = ['sent', 'transient', 'permanent', 'unknown'] as const;
/** `unknown`: it may have been sent, or not; the connection or the process ended before the provider's answer. */
export type AttemptOutcome = (typeof attemptOutcomes)[number];

/** One try at one provider. A message that fails over within an attempt leaves a row for each provider. */
@Entity('delivery_attempts')
@Check('delivery_attempts_outcome', `outcome IN ('sent', 'transient', 'permanent', 'unknown')`)
@Index('delivery_attempts_by_message', ['messageId'])
@Index('delivery_attempts_by_receipt', ['provider', 'receiptId'], { where: 'receipt_id IS NOT NULL' })
export class DeliveryAttemptEntity {
  /** UUIDv7: in the order of time. */
  @PrimaryColumn('uuid') id: string;
  @Column('uuid', { name: 'message_id' }) messageId: string;
  /** The number of the attempt at the message, from 1. */
  @Column('int') attempt: number;
  /** Null when it is unknown, because the worker died. */
  @Column('text', { nullable: true }) provider: string | null;
  /** The provider's own name for the message. */
  @Column('text', { name: 'receipt_id', nullable: true }) receiptId: string | null;
  @Column('text') outcome: AttemptOutcome;
  /** The class of the error, one short word; null when it was sent. */
  @Column('text', { nullable: true }) error: string | null;
  @Column('timestamptz', { name: 'started_at', nullable: true }) startedAt: Date | null;
  @Column('timestamptz', { name: 'ended_at' }) endedAt: Date;
}

export const deliveryEventKinds = ['delayed', 'delivered', 'bounced', 'complained', 'failed'] as const;
export type DeliveryEventKind = (typeof deliveryEventKinds)[number];

/** What a provider said of a message afterwards, once for each of its events. */
@Entity('delivery_events')
@Check('delivery_events_kind', `kind IN ('delayed', 'delivered', 'bounced', 'complained', 'failed')`)
@Index('delivery_events_by_message', ['messageId'])
export class DeliveryEventEntity {
  @PrimaryColumn('text') provider: string;
  /** The provider's name for the event, or what makes it the same event when it comes again. */
  @PrimaryColumn('text', { name: 'event_id' }) eventId: string;
  @Column('uuid', { name: 'message_id' }) messageId: string;
  @Column('text') kind: DeliveryEventKind;
  /** The provider's own word, such as an enhanced status code; never an address. */
  @Column('text', { nullable: true }) detail: string | null;
  /** By the provider's clock. */
  @Column('timestamptz', { name: 'occurred_at' }) occurredAt: Date;
  @Column('timestamptz', { name: 'received_at' }) receivedAt: Date;
}
