import { ApiProperty } from '@nestjs/swagger';
import { attemptOutcomes, type AttemptOutcome } from '../../auth/status/delivery-attempt.entity.js';
import { deliveryEventKinds, type DeliveryEventKind } from '../../auth/status/delivery-event.entity.js';
import { exampleMessage, MessageResponse } from './message.response.js';

const instant = { type: String, format: 'date-time' } as const;
const text = { type: String, nullable: true } as const;

/** One try at one provider. */
export class AttemptResponse {
  @ApiProperty({ type: 'integer', minimum: 1 }) attempt: number;
  @ApiProperty({ ...text, description: 'Null when the worker died and nobody knows which it was.' })
  provider: string | null;
  @ApiProperty({ ...text, description: "The provider's own name for the message." }) receipt_id:
    string | null;
  @ApiProperty({ enum: attemptOutcomes }) outcome: AttemptOutcome;
  @ApiProperty(text) error: string | null;
  @ApiProperty({ ...instant, nullable: true }) started_at: Date | null;
  @ApiProperty(instant) ended_at: Date;
}

/** What a provider said of it afterwards. */
export class EventResponse {
  @ApiProperty() provider: string;
  @ApiProperty() event_id: string;
  @ApiProperty({ enum: deliveryEventKinds }) kind: DeliveryEventKind;
  @ApiProperty(text) detail: string | null;
  @ApiProperty({ ...instant, description: "By the provider's clock." }) occurred_at: Date;
  @ApiProperty(instant) received_at: Date;
}

export class MessageDetailsResponse extends MessageResponse {
  @ApiProperty({ ...text, description: 'Where the person goes afterwards; null: the default.' })
  redirect_to: string | null;

  @ApiProperty({ type: [AttemptResponse], description: 'The first one first.' })
  delivery_attempts: AttemptResponse[];

  @ApiProperty({ type: [EventResponse], description: 'In the order in which they came.' })
  delivery_events: EventResponse[];
}

export const exampleDetails = {
  ...exampleMessage,
  recipient: 'user@example.com',
  redirect_to: 'https://yourapp.com/verified',
  delivery_attempts: [
    {
      attempt: 1,
      provider: 'smtp',
      receipt_id: null,
      outcome: 'transient',
      error: 'connection_failed',
      started_at: '2026-01-31T12:00:00.100Z',
      ended_at: '2026-01-31T12:00:00.300Z',
    },
  ],
  delivery_events: [],
} as const;
