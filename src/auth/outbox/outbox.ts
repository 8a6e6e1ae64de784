import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../../platform/clock.js';
import { Notifications } from '../../database/notifications.js';
import { Transaction } from '../../database/transaction.js';
import { GroupCommit } from '../../platform/group-commit.js';
import { messageIdOf, uuidV7 } from '../../platform/ids.js';
import { KeyedHash } from '../../platform/keyed-hash.js';
import { askedBy } from '../messages/asked-by.js';
import { type Channel, type ConfirmationType, purposeOf } from '../messages/confirmation-type.js';
import type { MessageRequest } from '../requests/accept-context.js';
import { orUnavailable } from '../../http/api-error.js';

/** A row of `messages`, as its JSON. */
interface AcceptedMessage {
  readonly id: string;
  readonly type: ConfirmationType;
  readonly channel: Channel;
  readonly recipient: string;
  readonly redirect_to: string | null;
  /** In hexadecimal. */
  readonly asked_by: string;
  /** Milliseconds since the Unix epoch: a number costs a third of what a date costs as text. */
  readonly at: number;
}

/** The channel on which workers hear that there is something to do. */
export const messagesChannel = 'messages';

/** A promised id may be there already: then the message was accepted before, and once is enough. */
const insert = `
  INSERT INTO messages (id, type, channel, recipient, redirect_to, asked_by, due_at, accepted_at)
  SELECT id, type, channel, recipient, redirect_to, decode(asked_by, 'hex'), moment, moment
  FROM json_to_recordset($1)
    AS row (id uuid, type text, channel text, recipient text, redirect_to text, asked_by text, at double precision),
    to_timestamp(at / 1000) AS moment
  ON CONFLICT (id) DO NOTHING`;

/** Where accepted messages wait, durably. It knows no users: every identifier costs it the same. */
@Injectable()
export class Outbox {
  private readonly commits: GroupCommit<AcceptedMessage>;

  constructor(
    dataSource: DataSource,
    private readonly transaction: Transaction,
    private readonly notifications: Notifications,
    private readonly keyedHash: KeyedHash,
    private readonly clock: Clock,
  ) {
    this.commits = new GroupCommit(async (messages) => {
      await dataSource.query(insert, [JSON.stringify(messages)]);
    });
  }

  /** Whether clients are waiting for a commit in this process. */
  get isBusy(): boolean {
    return this.commits.isBusy;
  }

  /**
   * Resolves once the message is on disk.
   * @throws ApiError 503 `unavailable` when it could not be committed
   */
  async accept(request: MessageRequest): Promise<{ message_id: string }> {
    const message = this.received(request);
    await orUnavailable(() => this.commits.add(message));
    this.notifications.publish(messagesChannel);
    return { message_id: messageIdOf(message.id) };
  }

  /** Accepts the message as part of the transaction that is under way: it is there when the rest is, or not at all. */
  async acceptInTransaction(request: MessageRequest): Promise<{ message_id: string }> {
    const message = this.received(request);
    await this.transaction.manager.query(insert, [JSON.stringify([message])]);
    // Workers hear of it when the transaction commits.
    await this.transaction.manager.query('SELECT pg_notify($1, $2)', [messagesChannel, '']);
    return { message_id: messageIdOf(message.id) };
  }

  private received(request: MessageRequest): AcceptedMessage {
    const { messageUuid, type, channel, identifier, redirectTo, client } = request;
    const now = this.clock.now();
    const [asker] = askedBy(this.keyedHash, { identifier, purpose: purposeOf(type, channel), client });
    return {
      id: messageUuid ?? uuidV7(now),
      type,
      channel,
      recipient: identifier,
      redirect_to: redirectTo,
      asked_by: asker.toString('hex'),
      at: now,
    };
  }
}
