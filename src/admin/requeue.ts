import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ApiError } from '../http/api-error.js';
import { messagesChannel } from '../auth/outbox/outbox.js';
import { Clock } from '../platform/clock.js';
import { Notifications } from '../database/notifications.js';
import { type Replay, type Replayed, requeuableStatuses } from './messages.dto.js';
import { conditionsOf } from './message-conditions.js';
import { columns, noSuchMessage } from './message-list.js';
import { messageResponse, type MessageResponse, type MessageSummary } from './message.response.js';

/** How many messages one statement of a replay moves. */
const batchSize = 500;

const again = `status = 'accepted', reason = NULL, due_at = $1, requeued_at = $1, ended_at = NULL, claimed_by = NULL`;

/**
 * Retry, cancel and replay by operators. Each is one conditional UPDATE under the row's lock (compare and set): of an
 * operator and a worker, or of two operators, exactly one wins.
 */
@Injectable()
export class Requeue {
  constructor(
    private readonly dataSource: DataSource,
    private readonly notifications: Notifications,
    private readonly clock: Clock,
  ) {}

  /**
   * Lets a message that was dropped, failed or bounced be sent again, with its age counted anew and a fresh secret. The
   * attempts so far stay.
   * @throws ApiError 404, 409
   */
  async retry(uuid: string): Promise<MessageResponse> {
    const message = await this.change(
      uuid,
      `SET ${again} WHERE id = $2 AND status <> 'sending' AND message_may_become(status, 'accepted')`,
      `Only a message that is ${requeuableStatuses.join(', ')} can be sent again`,
    );
    this.notifications.publish(messagesChannel);
    return message;
  }

  /**
   * Cancels a message that no worker has claimed.
   * @throws ApiError 404, 409
   */
  cancel(uuid: string): Promise<MessageResponse> {
    return this.change(
      uuid,
      `SET status = 'dropped', reason = 'cancelled', ended_at = $1 WHERE id = $2 AND status = 'accepted'`,
      'Only a message that is accepted can be cancelled',
    );
  }

  /** Retries all that match, the oldest first, at most `limit`; committed batch by batch. */
  async replay(replay: Replay, limit: number, after?: string): Promise<Replayed> {
    let replayed = 0;
    let last = after;
    while (replayed < limit) {
      const size = Math.min(batchSize, limit - replayed);
      const moved = await this.replayBatch(replay, size, last);
      replayed += moved.length;
      last = moved.reduce<string | undefined>((a, b) => (a === undefined || b > a ? b : a), last);
      if (moved.length > 0) this.notifications.publish(messagesChannel);
      if (moved.length < size) return { replayed, next: null };
    }
    return { replayed, next: last ?? null };
  }

  private async replayBatch(replay: Replay, size: number, after: string | undefined): Promise<string[]> {
    const { parameters, arms } = conditionsOf(replay, { after: undefined, end: null });
    const add = (value: unknown) => `$${parameters.push(value)}`;
    const conditions = [...arms, ...(after === undefined ? [] : [`id > ${add(after)}::uuid`])].join(' AND ');
    const now = add(new Date(this.clock.now()));
    const [moved] = await this.dataSource.query<[{ id: string }[], number]>(
      `WITH chosen AS MATERIALIZED (
         SELECT id FROM messages WHERE ${conditions} ORDER BY id LIMIT ${size} FOR UPDATE SKIP LOCKED
       )
       UPDATE messages SET ${again.replaceAll('$1', now)}
       FROM chosen WHERE messages.id = chosen.id RETURNING messages.id`,
      parameters,
    );
    return moved.map(({ id }) => id);
  }

  /** @param what with $1 for now and $2 for the id */
  private async change(uuid: string, what: string, rule: string): Promise<MessageResponse> {
    const [[message]] = await this.dataSource.query<[MessageSummary[], number]>(
      `UPDATE messages ${what} RETURNING ${columns}`,
      [new Date(this.clock.now()), uuid],
    );
    if (message) return messageResponse(message);
    const known = await this.dataSource.query<unknown[]>(`SELECT 1 FROM messages WHERE id = $1`, [uuid]);
    throw known.length > 0 ? new ApiError('message_status_conflict', rule) : noSuchMessage();
  }
}
