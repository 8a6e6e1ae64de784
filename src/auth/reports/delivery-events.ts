import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Transaction } from '../../database/transaction.js';
import { Log } from '../../platform/log.js';
import { messageIdOf } from '../../platform/ids.js';
import type { Channel, ConfirmationType } from '../messages/confirmation-type.js';
import { orUnavailable } from '../../http/api-error.js';
import { SuppressionList } from '../messages/suppression-list.js';
import type { DeliveryEventKind } from '../messages/message.entities.js';
import type { ReportResponse } from './report.openapi.js';
import {
  belongsToAnotherProvider,
  type DeliveryCopy,
  type EventResult,
  isAboutLastCopy,
  type ReportedEvent,
} from './reported-event.js';

interface KnownMessage {
  readonly id: string;
  readonly type: ConfirmationType;
  readonly channel: Channel;
  readonly recipient: string;
}

const byId = `
  SELECT id, type, channel, recipient FROM messages WHERE id = $1::uuid AND ($2::text IS NULL OR channel = $2)`;

const byReceipt = `
  SELECT messages.id, type, channel, recipient FROM messages
  JOIN delivery_attempts ON delivery_attempts.message_id = messages.id
  WHERE delivery_attempts.receipt_id = $1 AND delivery_attempts.provider = ANY ($2::text[])
    AND ($3::text IS NULL OR channel = $3)
  LIMIT 1`;

const record = `
  INSERT INTO delivery_events (provider, event_id, message_id, kind, detail, occurred_at, received_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (provider, event_id) DO NOTHING
  RETURNING event_id`;

/** Never backwards, which the table of transitions says; and not for what happened before an operator asked once more. */
const move = `
  UPDATE messages
  SET status = $2::text, reason = CASE WHEN $2::text = 'delivered' THEN NULL ELSE coalesce($3, 'reported') END,
    ended_at = coalesce(ended_at, $4)
  WHERE id = $1 AND message_may_become(status, $2::text) AND (requeued_at IS NULL OR requeued_at <= $5)`;

/** Locked, so that no worker writes down another copy before it is decided which one is meant. */
const lock = `SELECT requeued_at AS "requeuedAt" FROM messages WHERE id = $1 FOR UPDATE`;

const copiesOf = `
  SELECT provider, receipt_id AS "receiptId", outcome, started_at AS "startedAt", ended_at AS "endedAt"
  FROM delivery_attempts WHERE message_id = $1 AND outcome IN ('sent', 'unknown') ORDER BY ended_at, id`;

const negative: ReadonlySet<DeliveryEventKind> = new Set(['failed', 'bounced', 'delayed']);

const dayMs = 86_400_000;

/** Writes down what providers report, once each, and lets it have its effect. */
@Injectable()
export class DeliveryEvents {
  constructor(
    private readonly transaction: Transaction,
    private readonly suppressions: SuppressionList,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Applies the events of a report, one after the other. Null stands for what tells nothing new. */
  async takeAll(report: readonly (ReportedEvent | null)[]): Promise<ReportResponse> {
    const events = report.filter((event) => event !== null);
    for (const event of events) await this.apply(event);
    return { received: events.length, reply: null };
  }

  /**
   * Record, status and suppression are one transaction. What comes again has no effect.
   * @throws ApiError 503 `unavailable` when it could not be written down; then the provider must tell it again
   */
  async apply(event: ReportedEvent): Promise<EventResult> {
    const { provider, kind, detail } = event;
    const [result, message] = await orUnavailable(() => this.transaction.run(() => this.write(event)));
    const messageId = message && messageIdOf(message.id);
    this.log.info({ event: 'delivery_event', provider, kind, detail, messageId, result }, 'delivery event');
    return result;
  }

  private async write(event: ReportedEvent): Promise<[EventResult, KnownMessage | null]> {
    const message = await this.find(event);
    if (!message) return ['unknown', null];
    const { manager } = this.transaction;
    const { provider, eventId, kind, detail } = event;
    const now = new Date(this.clock.now());
    const occurredAt = this.plausible(event.occurredAt) ?? now;
    const row = [provider, eventId, message.id, kind, detail, occurredAt, now];
    const recorded = await manager.query<unknown[]>(record, row);
    if (recorded.length === 0) return ['repeated', message];
    const verdict = negative.has(kind) ? await this.judge(event, message) : 'meant';
    if (verdict === 'foreign') return ['recorded', message];
    await this.suppress(event, message);
    if (verdict === 'outdated') return ['recorded', message];
    const change = [message.id, kind, detail, now, occurredAt];
    const [, moved] = await manager.query<[unknown[], number]>(move, change);
    return [moved > 0 ? 'applied' : 'recorded', message];
  }

  /** `foreign`: another carrier had the message. `outdated`: it is about an earlier copy than the one that counts. */
  private async judge(
    { provider, receipt, occurredAt }: ReportedEvent,
    { id, channel }: KnownMessage,
  ): Promise<'meant' | 'outdated' | 'foreign'> {
    const { manager } = this.transaction;
    const [row] = await manager.query<{ requeuedAt: Date | null }[]>(lock, [id]);
    const copies = await manager.query<DeliveryCopy[]>(copiesOf, [id]);
    const carrier = channel === 'sms' ? provider : null;
    if (belongsToAnotherProvider(carrier, copies)) return 'foreign';
    const event = { carrier, receiptId: receipt?.id ?? null, occurredAt: this.plausible(occurredAt) };
    return isAboutLastCopy(event, copies, row?.requeuedAt ?? null) ? 'meant' : 'outdated';
  }

  private async find({ messageUuid, receipt, channel }: ReportedEvent): Promise<KnownMessage | null> {
    const { manager } = this.transaction;
    if (messageUuid !== null) {
      const [message] = await manager.query<KnownMessage[]>(byId, [messageUuid, channel]);
      if (message) return message;
    }
    if (receipt === null) return null;
    const parameters = [receipt.id, receipt.providers, channel];
    const [message] = await manager.query<KnownMessage[]>(byReceipt, parameters);
    return message ?? null;
  }

  /**
   * Whom the message was sent to, and nobody else: a mailbox that forwards is reported under the address behind it. The
   * request for a change of address may have named the old one or the new one, so there the report must say which.
   */
  private async suppress({ suppression, recipient }: ReportedEvent, message: KnownMessage): Promise<void> {
    if (suppression === null) return;
    const sentTo = message.type === 'email_change' ? recipient : message.recipient;
    if (sentTo !== null) await this.suppressions.add(message.channel, sentTo, suppression, message.id);
  }

  /** A date far from now is a mistake, and none that the database must be able to hold. */
  private plausible(date: Date | null): Date | null {
    if (date === null) return null;
    const age = this.clock.now() - date.getTime();
    return age > -dayMs && age < 60 * dayMs ? date : null;
  }
}
