import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Expose } from 'class-transformer';
import { IsDefined, IsIn, IsOptional, Matches } from 'class-validator';
import { confirmationTypes, type ConfirmationType } from '../../auth/confirmation-type.js';
import { messageCursorOf, readMessageCursor } from '../cursors.js';
import { CursorField, InstantField, LimitField } from '../query.fields.js';
import { type Replay, type Replayed, requeuableStatuses, type RequeuableStatus } from './requeue.js';

/** Which messages are sent again. */
export class ReplayRequest implements Replay {
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
