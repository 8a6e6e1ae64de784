import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { Log, maskIdentifier } from '../../platform/log.js';
import { messageIdOf } from '../../platform/ids.js';
import { Metrics } from '../../platform/metrics.js';
import type { ClaimedMessage, Delivery } from '../messages/delivery.js';
import { ResendService } from '../send/resend.service.js';
import { leaseMs, MessageQueue } from './message-queue.js';

const settleRetryMs = 500;
/** How often one outcome is refused before it is given up: others of the same commit may have been to blame. */
const mostRefusals = leaseMs / settleRetryMs;

/** What a worker does with a message that it has claimed: one attempt, and its outcome written down. */
@Injectable()
export class MessageProcessor {
  private stopped = false;

  constructor(
    private readonly queue: MessageQueue,
    private readonly service: ResendService,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /** One attempt, logged and counted. Never rejects. */
  async attempt(message: ClaimedMessage): Promise<Delivery> {
    if (message.takenOver) this.metrics.attempts.inc({ provider: 'unknown', outcome: 'unknown' });
    const delivery = await this.deliver(message);
    const { outcome, tries } = delivery;
    const { type, channel } = message;
    // While providers are away messages come by again and again: that would be many lines about one thing.
    this.log[outcome.status === 'waiting' ? 'debug' : 'info'](
      {
        event: 'delivery',
        messageId: messageIdOf(message.id),
        type,
        to: maskIdentifier(message.recipient),
        attempt: message.attempts,
        provider: tries.at(-1)?.provider,
        ...outcome,
      },
      'delivery',
    );
    this.metrics.deliveries.inc({ type, channel, outcome: outcome.status });
    return delivery;
  }

  /**
   * An outcome that is not written down means that the message is sent twice, so it is kept until it is, however long the
   * database is away. Meanwhile the message counts as in hand: its lease is renewed, and it is not claimed again here.
   * What the database itself refuses to store it will refuse later too, and would be in the way of all others.
   */
  async settle(message: ClaimedMessage, { outcome, tries }: Delivery): Promise<void> {
    const messageId = messageIdOf(message.id);
    for (let attempt = 1; !this.stopped; attempt++) {
      try {
        await this.queue.settle(message, outcome, tries);
        return;
      } catch (err) {
        if (attempt === 1) this.log.warn({ err, messageId }, 'An outcome could not be stored yet');
        if (attempt >= mostRefusals && isRefusal(err)) {
          this.log.error({ err, messageId }, 'An outcome cannot be stored');
          return;
        }
        await setTimeout(settleRetryMs);
      }
    }
  }

  /** Gives up the outcomes that could not be stored so far: their leases run out. */
  stop(): void {
    this.stopped = true;
  }

  private async deliver(message: ClaimedMessage): Promise<Delivery> {
    try {
      return await this.service.deliver(message);
    } catch (err) {
      // The database away, most likely, before anything was handed over.
      this.log.error({ err, messageId: messageIdOf(message.id) }, 'An attempt broke off');
      return { outcome: { status: 'retry', reason: 'internal_error' }, tries: [] };
    }
  }
}

/** Whether the database has looked at the values and does not take them: classes 22 and 23 of SQLSTATE. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof QueryFailedError ? (error.driverError as { code?: unknown }).code : undefined;
  return typeof code === 'string' && /^2[23]/.test(code);
}
