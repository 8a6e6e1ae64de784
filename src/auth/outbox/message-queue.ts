import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../../platform/clock.js';
import { GroupCommit } from '../../platform/group-commit.js';
import type { ClaimedMessage, Outcome, ProviderAttempt } from '../messages/delivery.js';

/** How long a claim holds unless it is renewed, in milliseconds: so long does a message of a dead worker wait. */
export const leaseMs = 15_000;

interface Settlement {
  readonly message: ClaimedMessage;
  readonly outcome: Outcome;
  readonly tries: readonly ProviderAttempt[];
}

/** A UUIDv7 of a moment: its milliseconds in 12 digits, the version, and what is random in a UUIDv4. */
const uuidV7Sql = (moment: string) => `(
  lpad(to_hex((extract(epoch FROM ${moment}) * 1000)::bigint), 12, '0') || '7' ||
  substr(translate(gen_random_uuid()::text, '-', ''), 14))::uuid`;

/**
 * A stale claim needs no reaper: it moves `due_at` to the end of the lease, so a message whose worker died is due again by
 * itself. The outcome of that worker's attempt is unknown, and the claim that takes the message over writes that down.
 */
const claim = `
  WITH due AS MATERIALIZED (
    SELECT id, status, attempts FROM messages
    WHERE status IN ('accepted', 'sending') AND due_at <= $1 AND id <> ALL ($5::uuid[])
    ORDER BY due_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
  ), taken_over AS (
    INSERT INTO delivery_attempts (id, message_id, attempt, outcome, error, ended_at)
    SELECT ${uuidV7Sql('$1::timestamptz')}, id, attempts, 'unknown', 'lease_expired', $1
    FROM due
    WHERE status = 'sending'
  )
  UPDATE messages
  SET status = 'sending', claimed_by = $3, attempts = messages.attempts + 1, due_at = $4
  FROM due
  WHERE messages.id = due.id
  RETURNING messages.id, type, channel, recipient, redirect_to AS "redirectTo", messages.attempts,
    accepted_at AS "acceptedAt", requeued_at AS "requeuedAt", claimed_by AS claim,
    due.status = 'sending' AS "takenOver",
    due.status = 'sending' OR messages.attempts > 1 AND EXISTS (
      SELECT FROM delivery_attempts
      WHERE message_id = messages.id AND (requeued_at IS NULL OR ended_at > requeued_at)
    ) AS tried,
    CASE WHEN messages.attempts = 1 THEN '{}' ELSE ARRAY(
      SELECT provider FROM delivery_attempts
      WHERE message_id = messages.id AND outcome = 'unknown' AND provider IS NOT NULL
        AND ended_at >= COALESCE(requeued_at, accepted_at)
      ORDER BY id
    ) END AS uncertain`;

const renew = `
  UPDATE messages SET due_at = $1
  FROM unnest($2::uuid[], $3::uuid[]) AS held (id, claim)
  WHERE messages.id = held.id AND messages.claimed_by = held.claim AND messages.status = 'sending'`;

/**
 * A late worker says what was tried, too: a provider's event may have overtaken it, or another worker have taken the
 * message over. Written twice, because a commit's answer got lost, a try is still one row.
 */
const settle = `
  WITH moved AS (
    UPDATE messages
    SET status = settled.status, reason = settled.reason, due_at = settled.due_at, ended_at = settled.ended_at,
      attempts = attempts - settled.untried, claimed_by = NULL
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::int[])
      AS settled (id, claim, status, reason, due_at, ended_at, untried)
    WHERE messages.id = settled.id AND messages.claimed_by = settled.claim AND messages.status = 'sending'
  )
  INSERT INTO delivery_attempts
    (id, message_id, attempt, provider, receipt_id, outcome, error, started_at, ended_at)
  SELECT id, "messageId", attempt, provider, "receiptId", outcome, error, "startedAt", "endedAt"
  FROM json_to_recordset($8) AS tried (id uuid, "messageId" uuid, attempt int, provider text, "receiptId" text,
    outcome text, error text, "startedAt" timestamptz, "endedAt" timestamptz)
  ON CONFLICT (id) DO NOTHING`;

/** The worker's side of the outbox: claim, renew, settle. */
@Injectable()
export class MessageQueue {
  private readonly settlements: GroupCommit<Settlement>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {
    this.settlements = new GroupCommit((batch) => this.settleAll(batch));
  }

  /**
   * Takes up to `max` due messages, oldest first, each for one lease.
   * @param inHand what the worker still holds: its lease may have run out, but this worker knows what became of it
   */
  async claim(max: number, inHand: readonly ClaimedMessage[] = []): Promise<ClaimedMessage[]> {
    const now = this.clock.now();
    const held = inHand.map(({ id }) => id);
    const parameters = [new Date(now), max, randomUUID(), new Date(now + leaseMs), held];
    const [rows] = await this.dataSource.query<[ClaimedMessage[], number]>(claim, parameters);
    return rows;
  }

  /** Begins the leases of these messages anew. */
  async renew(messages: readonly ClaimedMessage[]): Promise<void> {
    await this.dataSource.query(renew, [
      new Date(this.clock.now() + leaseMs),
      messages.map(({ id }) => id),
      messages.map((message) => message.claim),
    ]);
  }

  /**
   * Writes down the outcome, and each provider that was tried. The message itself stays as it is when the lease has passed
   * to another worker meanwhile, or a provider has told what became of it.
   */
  settle(message: ClaimedMessage, outcome: Outcome, tries: readonly ProviderAttempt[] = []): Promise<void> {
    return this.settlements.add({ message, outcome, tries });
  }

  private async settleAll(batch: readonly Settlement[]): Promise<void> {
    const now = this.clock.now();
    const rows = batch.map(({ message, outcome }) => {
      const again = dueAgain(message, outcome, now);
      return [
        message.id,
        message.claim,
        again === null ? outcome.status : 'accepted',
        'reason' in outcome ? outcome.reason : null,
        again ?? new Date(now),
        again === null ? new Date(now) : null,
        outcome.status === 'delayed' || outcome.status === 'waiting' ? 1 : 0,
      ];
    });
    const columns = [0, 1, 2, 3, 4, 5, 6].map((column) => rows.map((row) => row[column]));
    const tried = batch.flatMap(({ message, tries }) =>
      tries.map((attempt) => ({ ...attempt, messageId: message.id, attempt: message.attempts })),
    );
    await this.dataSource.query(settle, [...columns, JSON.stringify(tried)]);
  }
}

/** When the message is due again; null when it has ended. */
function dueAgain({ attempts, acceptedAt }: ClaimedMessage, outcome: Outcome, now: number): Date | null {
  if (outcome.status === 'retry') return new Date(now + retryDelayMs(attempts, Math.random()));
  if (outcome.status === 'waiting') return new Date(now + outcome.waitMs);
  // It keeps its place before all that came later; the workers pause until there is room.
  return outcome.status === 'delayed' ? acceptedAt : null;
}

const firstStepMs = 500;
const longestStepMs = 60_000;

/**
 * Milliseconds until the next attempt: exponential backoff with full jitter, so that messages that failed together do
 * not come back together. The step doubles from half a second up to a minute.
 *
 * @param attempt how many attempts there have been, at least 1
 * @param random a number in [0, 1)
 */
export function retryDelayMs(attempt: number, random: number): number {
  const step = Math.min(longestStepMs, firstStepMs * 2 ** (attempt - 1));
  return Math.ceil(random * step);
}
