import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** When messages went to one number in the last day. Whose it is can be recognised, not read back. */
@Entity('sms_numbers')
@Index('sms_numbers_by_time', ['lastSentAt'])
export class SmsNumberEntity {
  /** Keyed hash of the number. */
  @PrimaryColumn('bytea') key: Buffer;
  @Column('timestamptz', { name: 'sent_at', array: true }) sentAt: Date[];
  @Column('timestamptz', { name: 'last_sent_at' }) lastSentAt: Date;
}
