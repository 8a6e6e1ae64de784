import { Injectable, type PipeTransform } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ApiError } from '../http/api-error.js';
import { DeliveryAttemptEntity, DeliveryEventEntity } from '../auth/messages/message.entities.js';
import { conditionsOf, isIndexed } from './message-conditions.js';
import type { MessageFilters } from './messages.dto.js';
import { uuidOf } from '../platform/ids.js';
import {
  type MessageDetailsResponse,
  type MessagePage,
  messageResponse,
  type MessageSummary,
} from './message.response.js';

/** Of `messages`, as a `MessageSummary` names them. */
export const columns = `id, type, channel, recipient, redirect_to AS "redirectTo", status, reason, attempts,
  accepted_at AS "acceptedAt", requeued_at AS "requeuedAt", due_at AS "dueAt", ended_at AS "endedAt"`;

/** How many messages one page scans, at most, for the filters that no index serves. */
const usualReach = 20_000;

/**
 * Messages for operators, the newest first, by keyset pagination: UUIDv7 rise with time, so that the order is that of the
 * primary key, and a page begins after the last message of the page before, whatever is accepted meanwhile.
 *
 * No filter makes a page slow. What a recipient got, and what went wrong, has an index; any other filter is applied to
 * the next `reach` messages, and a page that comes to their end says where the next one goes on, though it may be empty.
 */
@Injectable()
export class MessageList {
  constructor(
    private readonly dataSource: DataSource,
    private readonly reach: number = usualReach,
  ) {}

  async page(filters: MessageFilters, limit: number, after?: string): Promise<MessagePage> {
    const end = isIndexed(filters) ? null : await this.endOfReach(filters, after);
    const { parameters, arms } = conditionsOf(filters, { after, end });
    const inOrder = `ORDER BY id DESC LIMIT ${limit + 1}`;
    // Each arm is read in the order of an index, no further than needed.
    const rows = arms.map((conditions) => `(SELECT ${columns} FROM messages WHERE ${conditions} ${inOrder})`);
    const found = await this.dataSource.query<MessageSummary[]>(
      `SELECT * FROM (${rows.join(' UNION ALL ')}) AS arms ${inOrder}`,
      parameters,
    );
    const messages = found.slice(0, limit);
    return { messages, next: found.length > limit ? (messages.at(-1)?.id ?? null) : end };
  }

  /** The last message that this page may look at; null when it may look at all that are left. */
  private async endOfReach(filters: MessageFilters, after: string | undefined): Promise<string | null> {
    const { status, since, until } = filters;
    const { parameters, arms } = conditionsOf(
      { ...(status && { status }), ...(since && { since }), ...(until && { until }) },
      { after, end: null, indexedOnly: true },
    );
    const [last] = await this.dataSource.query<{ id: string }[]>(
      `SELECT id FROM messages WHERE ${arms[0] ?? 'true'} ORDER BY id DESC OFFSET ${this.reach - 1} LIMIT 1`,
      parameters,
    );
    return last?.id ?? null;
  }
}

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

/** It was never accepted, or its retention has ended. */
export function noSuchMessage(): ApiError {
  return new ApiError('not_found', 'There is no such message, or no longer');
}

/** `msg_…`, or the UUID itself as logs of the database show it; 404 when it can be neither. */
@Injectable()
export class MessageIdPipe implements PipeTransform<string, string> {
  transform(id: string): string {
    const digits = id.toLowerCase().replaceAll('-', '').replace(/^msg_/, '');
    const uuid = uuidOf(`msg_${digits}`);
    if (uuid === null) throw noSuchMessage();
    return uuid;
  }
}
