import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

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
