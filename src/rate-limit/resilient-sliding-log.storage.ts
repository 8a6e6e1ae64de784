import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { MemorySlidingLog } from './memory-sliding-log.storage.js';
import { type SlidingLogRecord, SlidingLogStorage } from './sliding-log.storage.js';

/** Share of a stretch of time from which on this process itself is too busy to read an answer, or to send the question. */
const busy = 0.5;
const stretches = 4;

interface Waiting {
  readonly since: number;
  readonly giveUp: (error: Error) => void;
}

/**
 * A reply timeout that does not count event-loop lag: it is cut into stretches, and those in which this process was too busy
 * to read an answer do not count. One timer serves all that wait. ioredis's `commandTimeout` gives answers up that have
 * arrived already (bench/README.md), and each of them would make this process count alone.
 */
export class ReplyTimeout {
  /** Oldest first. */
  private readonly waiting = new Set<Waiting>();
  private ticking: NodeJS.Timeout | undefined;
  private elapsed = 0;
  private utilization = performance.eventLoopUtilization();

  /** @param ms the longest wait in milliseconds; a quarter less for who comes at the end of a stretch */
  constructor(private readonly ms: number) {}

  /** The answer, or its error, or an error of ours when it does not come in time. */
  waitFor<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { since: this.elapsed, giveUp: reject };
      this.waiting.add(waiting);
      this.tick();
      answer.then(
        (value) => {
          this.waiting.delete(waiting);
          resolve(value);
        },
        (error: unknown) => {
          this.waiting.delete(waiting);
          waiting.giveUp(error as Error);
        },
      );
    });
  }

  private tick(): void {
    if (this.ticking) return;
    this.utilization = performance.eventLoopUtilization();
    this.ticking = setInterval(() => this.count(), this.ms / stretches);
  }

  private count(): void {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.utilization);
    this.utilization = now;
    if (utilization <= busy) this.elapsed += 1;
    for (const waiting of this.waiting) {
      if (this.elapsed - waiting.since < stretches) break;
      this.waiting.delete(waiting);
      waiting.giveUp(new Error(`no answer within ${this.ms} ms`));
    }
    if (this.waiting.size > 0) return;
    clearInterval(this.ticking);
    this.ticking = undefined;
  }
}

/** How long one check waits for Redis, in milliseconds. A request makes two, and may lose 250. */
const usualTimeoutMs = 110;
/** How often a Redis that is away is looked for, in milliseconds. */
const probeInterval = 250;

/** What of a client is needed here; a server on its own and a cluster are the same. */
interface Connection {
  connect(): Promise<void>;
  disconnect(): void;
  on(event: 'error' | 'ready', listener: (error: Error) => void): unknown;
}

/**
 * Counts in Redis, and in this process while Redis is away.
 *
 * Every request takes a slot in this process first, and gives it back when Redis refuses. So this process alone
 * never admits more than the limit, not even across the moment in which Redis goes or comes back empty; and who has
 * used up a limit here is refused without asking. While Redis is away each instance grants the whole limit.
 */
export class ResilientSlidingLog extends SlidingLogStorage implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(ResilientSlidingLog.name);
  private away = false;
  private stopped = false;
  private lastConnectionError: Error | undefined;
  private readonly timeout: ReplyTimeout;

  constructor(
    private readonly connection: Connection,
    private readonly shared: SlidingLogStorage,
    private readonly local: MemorySlidingLog,
    timeoutMs = usualTimeoutMs,
  ) {
    super();
    this.timeout = new ReplyTimeout(timeoutMs);
    // Without a listener the client prints every failed attempt to connect.
    connection.on('error', (error: Error) => {
      this.lastConnectionError = error;
    });
    connection.on('ready', () => {
      this.lastConnectionError = undefined;
    });
  }

  async onModuleInit(): Promise<void> {
    await this.connection.connect().catch((error: unknown) => this.fallBack(error as Error));
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    this.connection.disconnect();
  }

  async increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<SlidingLogRecord> {
    const reservation = this.local.reserve(key, ttl, limit, throttlerName);
    if (reservation.record.isBlocked || this.away) return reservation.record;
    try {
      const record = await this.timeout.waitFor(
        this.shared.increment(key, ttl, limit, blockDuration, throttlerName),
      );
      if (record.isBlocked) reservation.withdraw();
      // Redis has dated it later than we: a client that is refused here must not be told a moment that is too early there.
      else reservation.postpone();
      return record;
    } catch (error) {
      this.fallBack(error as Error);
      return reservation.record;
    }
  }

  state(): 'redis' | 'memory-fallback' {
    return this.away ? 'memory-fallback' : 'redis';
  }

  private fallBack(error: Error): void {
    if (this.away || this.stopped) return;
    this.away = true;
    const reason = (this.lastConnectionError ?? error).message || error.name;
    this.logger.warn(`Redis is away (${reason}): limits are counted in this process until it is back`);
    this.probeLater();
  }

  private probeLater(): void {
    setTimeout(() => void this.probe(), probeInterval).unref();
  }

  /** Asks for a decision, since a replica or a full server answers PING but cannot count. */
  private async probe(): Promise<void> {
    if (this.stopped) return;
    try {
      await this.timeout.waitFor(this.shared.increment('probe', 1, 1, 0, 'probe'));
    } catch {
      this.probeLater();
      return;
    }
    this.away = false;
    this.logger.log('Redis is back: limits are shared by all instances again');
  }
}
