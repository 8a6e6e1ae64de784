import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../../clock.js';
import { GroupCommit } from '../../group-commit.js';
import type { ClaimedMessage, Outcome } from './delivery.js';
import { retryDelayMs } from './retry-policy.js';

/** How long a claim holds unless it is renewed, in milliseconds: so long does a message of a dead worker wait. */
export const leaseMs = 15_000;

interface Settlement {
  readonly message: ClaimedMessage;
  readonly outcome: Outcome;
}

/**
 * A claim moves `due_at` to the end of the lease: a message whose worker died is due again by itself, and needs
 * nobody to look for it.
 */
const claim = `
  WITH due AS MATERIALIZED (
    SELECT id FROM messages
    WHERE status IN ('accepted', 'sending') AND due_at <= $1
    ORDER BY due_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
  )
  UPDATE messages
  SET status = 'sending', claimed_by = $3, attempts = attempts + 1, due_at = $4
  FROM due
  WHERE messages.id = due.id
  RETURNING messages.id, type, channel, recipient, redirect_to AS "redirectTo", attempts,
    accepted_at AS "acceptedAt", claimed_by AS claim`;

const renew = `
  UPDATE messages SET due_at = $1
  FROM unnest($2::uuid[], $3::uuid[]) AS held (id, claim)
  WHERE messages.id = held.id AND messages.claimed_by = held.claim AND messages.status = 'sending'`;

const settle = `
  UPDATE messages
  SET status = settled.status, reason = settled.reason, due_at = settled.due_at, ended_at = settled.ended_at,
    attempts = attempts - settled.untried, claimed_by = NULL
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::int[])
    AS settled (id, claim, status, reason, due_at, ended_at, untried)
  WHERE messages.id = settled.id AND messages.claimed_by = settled.claim AND messages.status = 'sending'`;

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

  /** Takes up to `max` due messages, oldest first, each for one lease. */
  async claim(max: number): Promise<ClaimedMessage[]> {
    const now = this.clock.now();
    const parameters = [new Date(now), max, randomUUID(), new Date(now + leaseMs)];
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

  /** Writes down the outcome. Nothing happens when the lease has passed to somebody else meanwhile. */
  settle(message: ClaimedMessage, outcome: Outcome): Promise<void> {
    return this.settlements.add({ message, outcome });
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
        outcome.status === 'delayed' ? 1 : 0,
      ];
    });
    await this.dataSource.query(
      settle,
      [0, 1, 2, 3, 4, 5, 6].map((column) => rows.map((row) => row[column])),
    );
  }
}

/** When the message is due again; null when it has ended. */
function dueAgain({ attempts, acceptedAt }: ClaimedMessage, outcome: Outcome, now: number): Date | null {
  if (outcome.status === 'retry') return new Date(now + retryDelayMs(attempts, Math.random()));
  // It keeps its place before all that came later; the workers pause until there is room.
  return outcome.status === 'delayed' ? acceptedAt : null;
}
