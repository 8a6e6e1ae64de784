import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Channel, ConfirmationType } from '../confirmation-type.js';

export const messageStatuses = ['accepted', 'sending', 'sent', 'dropped', 'failed'] as const;
export type MessageStatus = (typeof messageStatuses)[number];

/** A row of the outbox: what was asked for, never a secret. */
@Entity('messages')
@Check('messages_status', `status IN ('accepted', 'sending', 'sent', 'dropped', 'failed')`)
@Index('messages_due', ['dueAt'], { where: `status IN ('accepted', 'sending')` })
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
  @Column('timestamptz', { name: 'ended_at', nullable: true }) endedAt: Date | null;
}
