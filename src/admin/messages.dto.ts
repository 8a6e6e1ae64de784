import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Expose, Transform, type TransformFnParams } from 'class-transformer';
import { IsDefined, IsOptional, ValidateBy } from 'class-validator';
import {
  type Channel,
  type ConfirmationType,
  confirmationTypes,
} from '../auth/messages/confirmation-type.js';
import { type MessageStatus, messageStatuses } from '../auth/messages/message-status.js';
import { normaliseEmail, normalisePhone } from '../auth/requests/normal-form.js';
import {
  CursorField,
  InstantField,
  LimitField,
  messageCursorOf,
  OneOfField,
  readMessageCursor,
  ReasonField,
  WordField,
} from './query.fields.js';

/** All of them apply. Times are those of the acceptance, `since` included and `until` not. */
export interface MessageFilters {
  readonly status?: MessageStatus;
  readonly reason?: string;
  readonly type?: ConfirmationType;
  readonly channel?: Channel;
  /** Of any attempt. */
  readonly provider?: string;
  /** In its normal form. */
  readonly recipient?: string;
  readonly since?: Date;
  readonly until?: Date;
}

const channels = ['email', 'sms'] as const;

/** Messages to which all of this applies. */
export class ListMessagesQueryDto implements MessageFilters {
  @OneOfField(messageStatuses)
  status?: MessageStatus;

  @ReasonField()
  reason?: string;

  @OneOfField(confirmationTypes)
  type?: ConfirmationType;

  @OneOfField(channels)
  channel?: Channel;

  @WordField('the name of a provider', { description: 'Who has tried to deliver it.' })
  provider?: string;

  @ApiPropertyOptional({
    type: String,
    description: 'A whole email address or number; the plus of a number is to be written `%2B`.',
    example: 'user@example.com',
  })
  @Expose()
  @Transform(({ value }: TransformFnParams): unknown => (value === undefined ? undefined : addressIn(value)))
  @IsOptional()
  @ValidateBy(
    { name: 'isAddress', validator: { validate: (value) => value !== '' } },
    { message: 'recipient must be a whole email address or number' },
  )
  recipient?: string;

  @InstantField('Accepted then or later.')
  since?: Date;

  @InstantField('Accepted before.')
  until?: Date;

  @LimitField(200, 50, 'Messages in the answer.')
  limit = 50;

  @CursorField(readMessageCursor)
  cursor?: string;
}

/** In its normal form; empty when it is none. */
function addressIn(value: unknown): string {
  return (typeof value === 'string' && (normaliseEmail(value) ?? normalisePhone(value))) || '';
}

/** Statuses from which a message may be sent once more. */
export const requeuableStatuses = ['failed', 'bounced', 'dropped'] as const;
export type RequeuableStatus = (typeof requeuableStatuses)[number];

export interface Replay extends MessageFilters {
  readonly status: RequeuableStatus;
}

/** What a replay has come to: how many messages, and the last one unless it was the end. */
export interface Replayed {
  readonly replayed: number;
  readonly next: string | null;
}

/** Which messages are sent again. */
export class ReplayDto implements Replay {
  @InstantField('Accepted then or later.', { required: true })
  @IsDefined({ message: 'Since is required', context: { missing: true } })
  since: Date;

  @InstantField('Accepted before. Without it: up to now.')
  until?: Date;

  @OneOfField(requeuableStatuses, 'failed')
  status: RequeuableStatus = 'failed';

  @ReasonField()
  reason?: string;

  @OneOfField(confirmationTypes)
  type?: ConfirmationType;

  @LimitField(10_000, 1_000, 'Messages that are sent again.')
  limit = 1_000;

  @CursorField(readMessageCursor)
  cursor?: string;
}

export class ReplayResponse {
  @ApiProperty({ type: 'integer', minimum: 0, description: 'Messages that are sent again.' })
  replayed: number;

  @ApiProperty({ type: String, nullable: true, description: 'Where to go on; null when there are no more.' })
  next_cursor: string | null;
}

export function replayResponse({ replayed, next }: Replayed): ReplayResponse {
  return { replayed, next_cursor: next === null ? null : messageCursorOf(next) };
}
