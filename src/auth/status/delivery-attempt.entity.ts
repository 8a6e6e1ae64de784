import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

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
  /** The message's how-manieth attempt it belongs to, from 1. */
  @Column('int') attempt: number;
  /** Null when nobody knows which it was: the worker died. */
  @Column('text', { nullable: true }) provider: string | null;
  /** The provider's own name for the message. */
  @Column('text', { name: 'receipt_id', nullable: true }) receiptId: string | null;
  @Column('text') outcome: AttemptOutcome;
  /** The class of the error, one short word; null when it was sent. */
  @Column('text', { nullable: true }) error: string | null;
  @Column('timestamptz', { name: 'started_at', nullable: true }) startedAt: Date | null;
  @Column('timestamptz', { name: 'ended_at' }) endedAt: Date;
}
