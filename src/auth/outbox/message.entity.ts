import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Channel, ConfirmationType } from '../confirmation-type.js';
import type { MessageStatus } from '../status/message-status.js';

/** A row of the outbox: what was asked for, never a secret. */
@Entity('messages')
@Check(
  'messages_status',
  `status IN ('accepted', 'sending', 'sent', 'delayed', 'delivered', 'bounced', 'complained', 'dropped', 'failed')`,
)
@Index('messages_due', ['dueAt'], { where: `status IN ('accepted', 'sending')` })
@Index('messages_by_recipient', ['recipient', 'id'], { where: `status NOT IN ('accepted', 'sending')` })
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
