import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Expose, Transform, type TransformFnParams } from 'class-transformer';
import { IsDefined, IsIn, IsOptional, Matches, ValidateBy } from 'class-validator';
import {
  type Channel,
  type ConfirmationType,
  confirmationTypes,
} from '../auth/messages/confirmation-type.js';
import { type MessageStatus, messageStatuses } from '../auth/messages/message-status.js';
import { normaliseEmail, normalisePhone } from '../auth/requests/address.dto.js';
import { CursorField, InstantField, LimitField, messageCursorOf, readMessageCursor } from './query.fields.js';

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
  @ApiPropertyOptional({ enum: messageStatuses })
  @Expose()
  @IsOptional()
  @IsIn(messageStatuses, { message: `status must be one of ${messageStatuses.join(', ')}` })
  status?: MessageStatus;

  @ApiPropertyOptional({ type: String, maxLength: 64, example: 'expired' })
  @Expose()
  @IsOptional()
  @Matches(/^[\w.:-]{1,64}$/, { message: 'reason must be the reason of a message, one word' })
  reason?: string;

  @ApiPropertyOptional({ enum: confirmationTypes })
  @Expose()
  @IsOptional()
  @IsIn(confirmationTypes, { message: `type must be one of ${confirmationTypes.join(', ')}` })
  type?: ConfirmationType;

  @ApiPropertyOptional({ enum: channels })
  @Expose()
  @IsOptional()
  @IsIn(channels, { message: `channel must be one of ${channels.join(', ')}` })
  channel?: Channel;

  @ApiPropertyOptional({ type: String, maxLength: 64, description: 'Who has tried to deliver it.' })
  @Expose()
  @IsOptional()
  @Matches(/^[\w.:-]{1,64}$/, { message: 'provider must be the name of a provider' })
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

  @ApiPropertyOptional({ enum: requeuableStatuses, default: 'failed' })
  @Expose()
  @IsOptional()
  @IsIn(requeuableStatuses, { message: `status must be one of ${requeuableStatuses.join(', ')}` })
  status: RequeuableStatus = 'failed';

  @ApiPropertyOptional({ type: String, maxLength: 64, example: 'expired' })
  @Expose()
  @IsOptional()
  @Matches(/^[\w.:-]{1,64}$/, { message: 'reason must be the reason of a message, one word' })
  reason?: string;

  @ApiPropertyOptional({ enum: confirmationTypes })
  @Expose()
  @IsOptional()
  @IsIn(confirmationTypes, { message: `type must be one of ${confirmationTypes.join(', ')}` })
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
