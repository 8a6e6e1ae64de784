import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What was spent on SMS on one day. */
@Entity('sms_spending')
export class SmsSpendingEntity {
  /** By UTC: `2026-01-31`. */
  @PrimaryColumn('date') day: string;
  /** A country, a calling code, or `*` for all together. */
  @PrimaryColumn('text') scope: string;
  /** Millionths of the currency that the costs are in. */
  @Column('bigint') micros: string;
}
