import { ApiProperty } from '@nestjs/swagger';
import { AddressDto } from '../auth/requests/address.dto.js';
import type { Channel } from '../auth/messages/confirmation-type.js';
import {
  type SuppressionEntity,
  type SuppressionReason,
  suppressionReasons,
} from '../auth/messages/suppression-list.js';
import { messageIdOf } from '../platform/ids.js';
import {
  CursorField,
  LimitField,
  readSuppressionCursor,
  suppressionCursorOf,
  suppressionIdOf,
  type SuppressionPlace,
} from './query.fields.js';

export class ListSuppressionsQueryDto {
  @LimitField(200, 50, 'Entries in the answer.')
  limit = 50;

  @CursorField(readSuppressionCursor)
  cursor?: SuppressionPlace;
}

/** Whom the suppression list is about. */
export class SuppressionDto extends AddressDto {}

export class SuppressionResponse {
  @ApiProperty({
    pattern: '^[A-Za-z0-9_-]{43}$',
    description: 'Names the entry. It is a keyed hash: no address can be read back from it.',
  })
  id: string;

  @ApiProperty({ enum: ['email', 'sms'] }) channel: Channel;
  @ApiProperty({ enum: suppressionReasons }) reason: SuppressionReason;
  @ApiProperty({ description: 'Masked: the address itself is not kept.' }) recipient: string;
  @ApiProperty({ type: String, nullable: true, description: 'The message whose fate it was, if any.' })
  message_id: string | null;
  @ApiProperty({ type: String, format: 'date-time' }) created_at: Date;
}

export class SuppressionListResponse {
  @ApiProperty({ type: [SuppressionResponse], description: 'The newest first.' })
  suppressions: SuppressionResponse[];

  @ApiProperty({ type: String, nullable: true, description: 'Where the list goes on; null at its end.' })
  next_cursor: string | null;
}

export function suppressionResponse(entry: SuppressionEntity): SuppressionResponse {
  return {
    id: suppressionIdOf(entry.key),
    channel: entry.channel,
    reason: entry.reason,
    recipient: entry.maskedIdentifier,
    message_id: entry.messageId === null ? null : messageIdOf(entry.messageId),
    created_at: entry.createdAt,
  };
}

/** @param found one more than `limit` when the list goes on */
export function suppressionListResponse(
  found: readonly SuppressionEntity[],
  limit: number,
): SuppressionListResponse {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    suppressions: page.map(suppressionResponse),
    next_cursor: found.length > limit && last ? suppressionCursorOf(last) : null,
  };
}

export const exampleSuppression = {
  id: 'mX3p0Zq8n2V5c7R1t4Y6u9I0o3P5a8S1d4F7g0H2j5K',
  channel: 'email',
  reason: 'operator',
  recipient: 'u***@example.com',
  message_id: null,
  created_at: '2026-01-31T12:00:00.000Z',
} as const;
