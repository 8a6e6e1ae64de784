import { ApiProperty } from '@nestjs/swagger';
import { InstantField } from './query.fields.js';
import { type ConfirmationType, confirmationTypes } from '../auth/messages/confirmation-type.js';
import { type AttemptOutcome, attemptOutcomes } from '../auth/messages/message.entities.js';
import { type MessageStatus, messageStatuses } from '../auth/messages/message-status.js';

export class StatsQueryDto {
  @InstantField('Accepted then or later. Without it: a day before `until`.')
  since?: Date;

  @InstantField('Accepted before. Without it: up to now.')
  until?: Date;
}

const instant = { type: String, format: 'date-time' } as const;
const count = { type: 'integer', minimum: 0 } as const;

export class StatusCount {
  @ApiProperty({ enum: messageStatuses }) status: MessageStatus;
  @ApiProperty(count) messages: number;
}

export class TypeCount {
  @ApiProperty({ enum: confirmationTypes }) type: ConfirmationType;
  @ApiProperty(count) messages: number;
}

export class HourCount {
  @ApiProperty({ ...instant, description: 'Its beginning, in UTC.' }) hour: Date;
  @ApiProperty({ enum: messageStatuses }) status: MessageStatus;
  @ApiProperty(count) messages: number;
}

export class ProviderCount {
  @ApiProperty({ type: String, nullable: true, description: 'Null: nobody knows which it was.' })
  provider: string | null;
  @ApiProperty({ enum: attemptOutcomes }) outcome: AttemptOutcome;
  @ApiProperty(count) attempts: number;
}

export class StatsResponse {
  @ApiProperty(instant) since: Date;
  @ApiProperty(instant) until: Date;
  @ApiProperty({ ...count, description: 'All that were accepted.' }) messages: number;
  @ApiProperty({ type: [StatusCount] }) by_status: StatusCount[];
  @ApiProperty({ type: [TypeCount] }) by_type: TypeCount[];
  @ApiProperty({ type: [HourCount], description: 'The earliest first.' }) by_hour: HourCount[];
  @ApiProperty({ type: [ProviderCount], description: 'Attempts that ended in this time, by their outcome.' })
  by_provider: ProviderCount[];
}

export const exampleStats = {
  since: '2026-01-31T11:30:00.000Z',
  until: '2026-01-31T12:30:00.000Z',
  messages: 3,
  by_status: [
    { status: 'failed', messages: 1 },
    { status: 'sent', messages: 2 },
  ],
  by_type: [
    { type: 'recovery', messages: 1 },
    { type: 'signup', messages: 2 },
  ],
  by_hour: [
    { hour: '2026-01-31T11:00:00.000Z', status: 'sent', messages: 1 },
    { hour: '2026-01-31T12:00:00.000Z', status: 'failed', messages: 1 },
    { hour: '2026-01-31T12:00:00.000Z', status: 'sent', messages: 1 },
  ],
  by_provider: [
    { provider: 'smtp', outcome: 'permanent', attempts: 1 },
    { provider: 'smtp', outcome: 'sent', attempts: 2 },
  ],
} as const;
