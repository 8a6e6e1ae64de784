import { setTimeout } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../../platform/clock.js';
import { Notifications } from '../../database/notifications.js';
import { Log } from '../../platform/log.js';
import type { ClaimedMessage } from '../messages/delivery.js';
import { MessageProcessor } from './message-processor.js';
import { leaseMs, MessageQueue } from './message-queue.js';
import { messagesChannel, Outbox } from './outbox.js';

/** How many messages one worker has in its hands at once. */
const maxInHand = 50;
const pollMs = 1_000;
/**
 * Jitter against a timing side channel: work begins at a moment drawn at random from so many milliseconds after it is heard
 * of. Begun at once, all work for a known user would fall on the request right behind, whose answer would tell of it.
 */
const jitterMs = 120;
/** How long a stopping worker waits for what it has in hand, in milliseconds. */
const drainMs = 10_000;

/**
 * Claims due messages from the outbox and has each processed. It wakes soon after something is accepted, and every second
 * in any case: for retries, for leases that ran out, and for notifications that got lost.
 */
@Injectable()
export class OutboxWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly inHand = new Map<ClaimedMessage, Promise<void>>();
  private readonly eventLoop = new EventLoopLoad();
  private timers: NodeJS.Timeout[] = [];
  private waking: NodeJS.Timeout | undefined;
  private unsubscribe: (() => Promise<void>) | undefined;
  private stopping = false;
  /** Until then nothing is claimed: what is claimed now would only be put back. */
  private pausedUntil = 0;
  private claiming: Promise<void> | undefined;
  private wokenMeanwhile = false;

  constructor(
    private readonly queue: MessageQueue,
    private readonly outbox: Outbox,
    private readonly processor: MessageProcessor,
    private readonly notifications: Notifications,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.unsubscribe = await this.notifications.subscribe(messagesChannel, () => this.wakeSoon());
    this.timers = [
      setInterval(() => this.wake(), pollMs),
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
    this.processor.stop();
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

  /** Debounced: of many notifications within the jitter the first one counts. */
  private wakeSoon(): void {
    this.waking ??= globalThis.setTimeout(() => {
      this.waking = undefined;
      this.wake();
    }, Math.random() * jitterMs);
  }

  private async claimWhileThereIsWork(): Promise<void> {
    try {
      while (this.wokenMeanwhile && !this.isPaused() && this.inHand.size < maxInHand) {
        this.wokenMeanwhile = false;
        const free = maxInHand - this.inHand.size;
        const messages = await this.queue.claim(free, [...this.inHand.keys()]);
        for (const message of messages) this.take(message);
        if (messages.length === free) this.wokenMeanwhile = true;
        // Load shedding: clients who wait for an answer go first. A message may be late, its 200 may not.
        if (this.eventLoop.isFull() && this.outbox.isBusy) await setTimeout(loadWindowMs);
      }
    } catch (err) {
      this.log.warn({ err }, 'The outbox could not be read; the next poll tries again');
    }
  }

  private isPaused(): boolean {
    return this.stopping || this.clock.now() < this.pausedUntil;
  }

  private take(message: ClaimedMessage): void {
    const work = this.process(message).finally(() => {
      this.inHand.delete(message);
      // With all hands full there may be more that is due, and no notification will come for it.
      if (this.inHand.size === maxInHand - 1) this.wake();
    });
    this.inHand.set(message, work);
  }

  private async process(message: ClaimedMessage): Promise<void> {
    const delivery = await this.processor.attempt(message);
    const { outcome } = delivery;
    if (outcome.status === 'delayed') this.pausedUntil = this.clock.now() + outcome.waitMs;
    await this.processor.settle(message, delivery);
  }

  private async renewLeases(): Promise<void> {
    if (this.inHand.size === 0) return;
    try {
      await this.queue.renew([...this.inHand.keys()]);
    } catch (err) {
      this.log.warn({ err }, 'Leases could not be renewed; another worker may take the messages');
    }
  }
}

/** Over a few milliseconds even an idle machine is fully busy: the load is judged over windows of so many. */
const loadWindowMs = 100;
/** Share of a window in which the event loop was busy from which on there is none to spare. */
const fullLoad = 0.9;

class EventLoopLoad {
  private last = performance.eventLoopUtilization();
  private wasFull = false;

  /** Whether it was in the last window. */
  isFull(): boolean {
    const since = performance.eventLoopUtilization(this.last);
    if (since.active + since.idle >= loadWindowMs) {
      this.last = performance.eventLoopUtilization();
      this.wasFull = since.utilization > fullLoad;
    }
    return this.wasFull;
  }
}
