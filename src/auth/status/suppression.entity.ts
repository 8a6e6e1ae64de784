import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Channel } from '../confirmation-type.js';

export const suppressionReasons = ['hard_bounce', 'complaint', 'opt_out', 'operator'] as const;
export type SuppressionReason = (typeof suppressionReasons)[number];

/** An address that gets nothing any more. Whose it is can be recognised, not read back. */
@Entity('suppressions')
@Check('suppressions_reason', `reason IN ('hard_bounce', 'complaint', 'opt_out', 'operator')`)
@Index('suppressions_by_time', ['createdAt', 'key'])
export class SuppressionEntity {
  /** Keyed hash of channel and identifier. */
  @PrimaryColumn('bytea') key: Buffer;
  @Column('text') channel: Channel;
  @Column('text') reason: SuppressionReason;
  /** As it stands in the log: `u***@example.com`. */
  @Column('text', { name: 'masked_identifier' }) maskedIdentifier: string;
  /** The message whose fate it was, when there was one; it may be gone by now. */
  @Column('uuid', { name: 'message_id', nullable: true }) messageId: string | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt: Date;
}
