import { setTimeout } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { Clock } from '../../platform/clock.js';
import { Notifications } from '../../database/notifications.js';
import { Log, maskIdentifier } from '../../platform/log.js';
import { messageIdOf } from '../../platform/ids.js';
import { Metrics } from '../../platform/metrics.js';
import { ResendService } from '../send/resend.service.js';
import type { ClaimedMessage, Delivery } from '../messages/delivery.js';
import { leaseMs, MessageQueue } from './message-queue.js';
import { messagesChannel, Outbox } from './outbox.js';

/** How many messages one worker has in its hands at once. */
const maxInHand = 50;
const pollMs = 1_000;
/**
 * Work begins at a moment chosen at random out of so many milliseconds after it is heard of. Begun at once, all work for a
 * known user would fall on whoever asks right behind, and their answer would tell of it.
 */
const spreadMs = 75;
const settleRetryMs = 500;
/** How often one outcome is refused before it is given up: others of the same commit may have been to blame. */
const mostRefusals = leaseMs / settleRetryMs;
/** Share of the time in which the event loop was busy from which on there is none to spare. */
const fullLoad = 0.9;
const makeWayMs = 100;
/** How long a stopping worker waits for what it has in hand, in milliseconds. */
const drainMs = 10_000;

/**
 * Takes due messages from the outbox and sees each to an outcome. It wakes soon after something is accepted, and
 * every second in any case: for retries, for leases that ran out, and for notifications that got lost.
 */
@Injectable()
export class OutboxWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly inHand = new Map<ClaimedMessage, Promise<void>>();
  private timers: NodeJS.Timeout[] = [];
  private waking: NodeJS.Timeout | undefined;
  private unsubscribe: (() => Promise<void>) | undefined;
  private stopping = false;
  private stopped = false;
  /** Until then nothing is claimed: what is claimed now would only be put back. */
  private pausedUntil = 0;
  private claiming: Promise<void> | undefined;
  private wokenMeanwhile = false;
  private isFullyLoaded = false;
  private lastUtilization = performance.eventLoopUtilization();

  constructor(
    private readonly queue: MessageQueue,
    private readonly outbox: Outbox,
    private readonly service: ResendService,
    private readonly notifications: Notifications,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.unsubscribe = await this.notifications.subscribe(messagesChannel, () => {
      this.wakeSoon();
    });
    this.timers = [
      setInterval(() => {
        this.wake();
      }, pollMs),
      setInterval(() => void this.renewLeases(), leaseMs / 3),
    ];
    this.wake();
  }

  /** Stops taking messages and finishes those in hand; what does not finish in time is left to its lease. */
  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    await this.unsubscribe?.();
    await this.claiming;
    await Promise.race([Promise.all(this.inHand.values()), setTimeout(drainMs, undefined, { ref: false })]);
    this.stopped = true;
    for (const timer of this.timers) clearInterval(timer);
    clearTimeout(this.waking);
  }

  /** Looks for due messages now. */
  wake(): void {
    this.wokenMeanwhile = true;
    this.claiming ??= this.claimWhileThereIsWork().finally(() => {
      this.claiming = undefined;
    });
  }

  private wakeSoon(): void {
    this.waking ??= globalThis.setTimeout(() => {
      this.waking = undefined;
      this.wake();
    }, Math.random() * spreadMs);
  }

  private async claimWhileThereIsWork(): Promise<void> {
    try {
      while (this.wokenMeanwhile && !this.isPaused() && this.inHand.size < maxInHand) {
        this.wokenMeanwhile = false;
        const free = maxInHand - this.inHand.size;
        const messages = await this.queue.claim(free, [...this.inHand.keys()]);
        for (const message of messages) this.take(message);
        if (messages.length === free) this.wokenMeanwhile = true;
        if (this.isInTheWay()) await setTimeout(makeWayMs);
      }
    } catch (err) {
      this.log.warn({ err }, 'The outbox could not be read; the next poll tries again');
    }
  }

  /** Under full load the clients who wait for an answer go first: a message may be late, its 200 may not. */
  private isInTheWay(): boolean {
    const since = performance.eventLoopUtilization(this.lastUtilization);
    // Over a few milliseconds even an idle machine is fully busy.
    if (since.active + since.idle >= makeWayMs) {
      this.lastUtilization = performance.eventLoopUtilization();
      this.isFullyLoaded = since.utilization > fullLoad;
    }
    return this.isFullyLoaded && this.outbox.isBusy;
  }

  private isPaused(): boolean {
    return this.stopping || this.clock.now() < this.pausedUntil;
  }

  private take(message: ClaimedMessage): void {
    if (message.takenOver) this.metrics.attempts.inc({ provider: 'unknown', outcome: 'unknown' });
    const work = this.process(message).finally(() => {
      this.inHand.delete(message);
      // With all hands full there may be more that is due; nobody else would say so.
      if (this.inHand.size === maxInHand - 1) this.wake();
    });
    this.inHand.set(message, work);
  }

  private async renewLeases(): Promise<void> {
    if (this.inHand.size === 0) return;
    try {
      await this.queue.renew([...this.inHand.keys()]);
    } catch (err) {
      this.log.warn({ err }, 'Leases could not be renewed; another worker may take the messages');
    }
  }

  private async process(message: ClaimedMessage): Promise<void> {
    const delivery = await this.attempt(message);
    const { outcome, tries } = delivery;
    if (outcome.status === 'delayed') this.pausedUntil = this.clock.now() + outcome.waitMs;
    // While providers are away messages come by again and again: that would be many lines about one thing.
    this.log[outcome.status === 'waiting' ? 'debug' : 'info'](
      {
        event: 'delivery',
        messageId: messageIdOf(message.id),
        type: message.type,
        to: maskIdentifier(message.recipient),
        attempt: message.attempts,
        provider: tries.at(-1)?.provider,
        ...outcome,
      },
      'delivery',
    );
    this.metrics.deliveries.inc({ type: message.type, channel: message.channel, outcome: outcome.status });
    await this.settle(message, delivery);
  }

  private async attempt(message: ClaimedMessage): Promise<Delivery> {
    try {
      return await this.service.deliver(message);
    } catch (err) {
      // The database away, most likely, before anything was handed over.
      this.log.error({ err, messageId: messageIdOf(message.id) }, 'An attempt broke off');
      return { outcome: { status: 'retry', reason: 'internal_error' }, tries: [] };
    }
  }

  /**
   * An outcome that is not written down means that the message is sent twice, so it is kept until it is, however long the
   * database is away. Meanwhile the message counts as in hand: its lease is renewed, and it is not claimed again here.
   * What the database itself refuses to store it will refuse later too, and would be in the way of all others.
   */
  private async settle(message: ClaimedMessage, { outcome, tries }: Delivery): Promise<void> {
    for (let attempt = 1; !this.stopped; attempt++) {
      try {
        await this.queue.settle(message, outcome, tries);
        return;
      } catch (err) {
        if (attempt === 1)
          this.log.warn({ err, messageId: messageIdOf(message.id) }, 'An outcome could not be stored yet');
        if (attempt >= mostRefusals && isRefusal(err)) {
          this.log.error({ err, messageId: messageIdOf(message.id) }, 'An outcome cannot be stored');
          return;
        }
        await setTimeout(settleRetryMs);
      }
    }
  }
}

/** Whether the database has looked at the values and does not take them: classes 22 and 23 of SQLSTATE. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof QueryFailedError ? (error.driverError as { code?: unknown }).code : undefined;
  return typeof code === 'string' && /^2[23]/.test(code);
}
