import { ApiProperty } from '@nestjs/swagger';
import {
  type Channel,
  type ConfirmationType,
  confirmationTypes,
} from '../auth/messages/confirmation-type.js';
import { maskIdentifier } from '../platform/log.js';
import { type MessageStatus, messageStatuses } from '../auth/messages/message-status.js';
import { messageIdOf } from '../platform/ids.js';
import { messageCursorOf } from './query.fields.js';
import {
  type AttemptOutcome,
  attemptOutcomes,
  type DeliveryEventKind,
  deliveryEventKinds,
} from '../auth/messages/message.entities.js';

const instant = { type: String, format: 'date-time' } as const;

export class MessageResponse {
  @ApiProperty({ pattern: '^msg_[0-9a-f]{32}$' }) message_id: string;
  @ApiProperty({ enum: confirmationTypes }) type: ConfirmationType;
  @ApiProperty({ enum: ['email', 'sms'] }) channel: Channel;
  @ApiProperty({ description: 'Masked in lists; whole where one message is asked for.' }) recipient: string;
  @ApiProperty({ enum: messageStatuses }) status: MessageStatus;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why it ended so, or what the last attempt met.',
  })
  reason: string | null;
  @ApiProperty({ type: 'integer', minimum: 0 }) attempts: number;
  @ApiProperty(instant) accepted_at: Date;
  @ApiProperty({ ...instant, nullable: true, description: 'When an operator sent it again.' })
  requeued_at: Date | null;
  @ApiProperty({ ...instant, description: 'When a worker may take it next, while it has not ended.' })
  due_at: Date;
  @ApiProperty({ ...instant, nullable: true }) ended_at: Date | null;
}

export class MessageListResponse {
  @ApiProperty({ type: [MessageResponse], description: 'The newest first.' })
  messages: MessageResponse[];

  @ApiProperty({
    type: String,
    nullable: true,
    description:
      'Where the list goes on; null at its end. There may be more though the page is not full, or empty.',
  })
  next_cursor: string | null;
}

/** What operators see of a row of `messages`. */
export interface MessageSummary {
  /** UUID. */
  readonly id: string;
  readonly type: ConfirmationType;
  readonly channel: Channel;
  readonly recipient: string;
  readonly redirectTo: string | null;
  readonly status: MessageStatus;
  readonly reason: string | null;
  readonly attempts: number;
  readonly acceptedAt: Date;
  readonly requeuedAt: Date | null;
  readonly dueAt: Date;
  readonly endedAt: Date | null;
}

export interface MessagePage {
  readonly messages: MessageSummary[];
  /** The UUID after which the list goes on; null at its end. */
  readonly next: string | null;
}

export function messageResponse(message: MessageSummary) {
  return {
    message_id: messageIdOf(message.id),
    type: message.type,
    channel: message.channel,
    recipient: maskIdentifier(message.recipient),
    status: message.status,
    reason: message.reason,
    attempts: message.attempts,
    accepted_at: message.acceptedAt,
    requeued_at: message.requeuedAt,
    due_at: message.dueAt,
    ended_at: message.endedAt,
  };
}

export function messageListResponse({ messages, next }: MessagePage): MessageListResponse {
  return {
    messages: messages.map(messageResponse),
    next_cursor: next === null ? null : messageCursorOf(next),
  };
}

export const exampleMessage = {
  message_id: 'msg_0198c0ffee7b7c1e9d1f2a3b4c5d6e7f',
  type: 'signup',
  channel: 'email',
  recipient: 'u***@example.com',
  status: 'failed',
  reason: 'expired',
  attempts: 12,
  accepted_at: '2026-01-31T12:00:00.000Z',
  requeued_at: null,
  due_at: '2026-01-31T13:00:04.000Z',
  ended_at: '2026-01-31T13:00:04.000Z',
} as const;

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
