import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What the numbers of one prefix have made of their codes. */
@Entity('sms_prefixes')
@Index('sms_prefixes_by_time', ['at'])
export class SmsPrefixEntity {
  /** `+` and the leading digits of the numbers. */
  @PrimaryColumn('text') prefix: string;
  /** The time that must pass until nothing is left of it: above 0 codes that nobody verified, below 0 credit. */
  @Column('bigint', { name: 'debt_ms' }) debtMs: string;
  /** When it was so. */
  @Column('timestamptz') at: Date;
}
