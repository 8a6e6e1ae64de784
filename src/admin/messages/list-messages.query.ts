import { ApiPropertyOptional } from '@nestjs/swagger';
import { Expose, Transform, type TransformFnParams } from 'class-transformer';
import { IsIn, IsOptional, Matches, ValidateBy } from 'class-validator';
import { normaliseEmail, normalisePhone } from '../../auth/address.js';
import { type Channel, confirmationTypes, type ConfirmationType } from '../../auth/confirmation-type.js';
import { messageStatuses, type MessageStatus } from '../../auth/status/message-status.js';
import { readMessageCursor } from '../cursors.js';
import { CursorField, InstantField, LimitField } from '../query.fields.js';
import type { MessageFilters } from './message-filters.js';

const channels = ['email', 'sms'] as const;

/** Messages to which all of this applies. */
export class ListMessagesQuery implements MessageFilters {
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
