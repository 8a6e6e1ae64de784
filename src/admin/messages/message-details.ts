import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ApiError } from '../../api-error.js';
import { DeliveryAttemptEntity } from '../../auth/status/delivery-attempt.entity.js';
import { DeliveryEventEntity } from '../../auth/status/delivery-event.entity.js';
import type { MessageDetailsResponse } from './message-details.response.js';
import { messageResponse } from './message.response.js';
import { columns, type MessageSummary } from './message-summary.js';

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
