import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Channel, ConfirmationType } from '../auth/messages/confirmation-type.js';
import type { MessageStatus } from '../auth/messages/message-status.js';
import { conditionsOf, isIndexed } from './message-conditions.js';
import type { MessageFilters } from './messages.dto.js';

/** What operators see of a row of `messages`. */
export interface MessageSummary {
  /** UUID. */
  readonly id: string;
  readonly type: ConfirmationType;
  readonly channel: Channel;
  readonly recipient: string;
  readonly redirectTo: string | null;
  readonly status: MessageStatus;
  readonly reason: string | null;
  readonly attempts: number;
  readonly acceptedAt: Date;
  readonly requeuedAt: Date | null;
  readonly dueAt: Date;
  readonly endedAt: Date | null;
}

/** Of `messages`, as a `MessageSummary` names them. */
export const columns = `id, type, channel, recipient, redirect_to AS "redirectTo", status, reason, attempts,
  accepted_at AS "acceptedAt", requeued_at AS "requeuedAt", due_at AS "dueAt", ended_at AS "endedAt"`;

export interface MessagePage {
  readonly messages: MessageSummary[];
  /** The UUID after which the list goes on; null at its end. */
  readonly next: string | null;
}

/** How many messages one page looks at, at most, for the filters that no index serves. */
const usualReach = 20_000;

/**
 * Messages for operators, the newest first. UUIDv7 rise with time, so that the order is that of the primary key, and a
 * page begins after the last message of the page before: what is accepted meanwhile moves nothing.
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
