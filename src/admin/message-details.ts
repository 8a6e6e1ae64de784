import { Injectable, type PipeTransform } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ApiError } from '../http/api-error.js';
import { DeliveryAttemptEntity, DeliveryEventEntity } from '../auth/messages/message.entities.js';
import { uuidOf } from './cursors.js';
import { type MessageDetailsResponse, messageResponse } from './message.response.js';
import { columns, type MessageSummary } from './message-list.js';

/** All that is known of one message. */
@Injectable()
export class MessageDetails {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws ApiError 404 */
  async of(uuid: string): Promise<MessageDetailsResponse> {
    const [message] = await this.dataSource.query<MessageSummary[]>(
      `SELECT ${columns} FROM messages WHERE id = $1`,
      [uuid],
    );
    if (!message) throw noSuchMessage();
    const { manager } = this.dataSource;
    const attempts = await manager.find(DeliveryAttemptEntity, {
      where: { messageId: uuid },
      order: { endedAt: 'ASC', id: 'ASC' },
    });
    const events = await manager.find(DeliveryEventEntity, {
      where: { messageId: uuid },
      order: { receivedAt: 'ASC', occurredAt: 'ASC', eventId: 'ASC' },
    });
    return {
      ...messageResponse(message),
      recipient: message.recipient,
      redirect_to: message.redirectTo,
      delivery_attempts: attempts.map((attempt) => ({
        attempt: attempt.attempt,
        provider: attempt.provider,
        receipt_id: attempt.receiptId,
        outcome: attempt.outcome,
        error: attempt.error,
        started_at: attempt.startedAt,
        ended_at: attempt.endedAt,
      })),
      delivery_events: events.map((event) => ({
        provider: event.provider,
        event_id: event.eventId,
        kind: event.kind,
        detail: event.detail,
        occurred_at: event.occurredAt,
        received_at: event.receivedAt,
      })),
    };
  }
}

/** It was never accepted, or its time is over. */
export function noSuchMessage(): ApiError {
  return new ApiError('not_found', 'There is no such message, or no longer');
}

/** `msg_…`, or the UUID itself as logs of the database show it; 404 when it can be neither. */
@Injectable()
export class MessageIdPipe implements PipeTransform<string, string> {
  transform(id: string): string {
    const [, hex] = /^(?:msg_)?([0-9a-f]{32})$/i.exec(id.replaceAll('-', '')) ?? [];
    if (hex === undefined) throw noSuchMessage();
    return uuidOf(hex);
  }
}
