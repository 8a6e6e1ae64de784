import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * An SMS with which somebody opted out or in again: kept so that the same SMS, reported twice or sent anew by whoever
 * caught the report, has no second effect. Whose it was does not stand here.
 */
@Entity('sms_keywords')
@Check('sms_keywords_keyword', `keyword IN ('stop', 'start')`)
export class SmsKeywordEntity {
  @PrimaryColumn('text') provider: string;
  /** The provider's name for the SMS. */
  @PrimaryColumn('text', { name: 'event_id' }) eventId: string;
  @Column('text') keyword: 'stop' | 'start';
  @Column('timestamptz', { name: 'received_at' }) receivedAt: Date;
}
