import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { MemorySlidingLog } from './memory-sliding-log.storage.js';
import { Patience } from './redis-sliding-log.storage.js';
import { type SlidingLogRecord, SlidingLogStorage } from './sliding-log.storage.js';

/** How long one check waits for Redis, in milliseconds. A request makes two, and may lose 250. */
const usualPatienceMs = 110;
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
  private readonly patience: Patience;

  constructor(
    private readonly connection: Connection,
    private readonly shared: SlidingLogStorage,
    private readonly local: MemorySlidingLog,
    patienceMs = usualPatienceMs,
  ) {
    super();
    this.patience = new Patience(patienceMs);
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
      const record = await this.patience.waitFor(
        this.shared.increment(key, ttl, limit, blockDuration, throttlerName),
      );
      if (record.isBlocked) reservation.withdraw();
      // Redis has dated it later than we: whoever is refused here must not be told a moment that is too early there.
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
      await this.patience.waitFor(this.shared.increment('probe', 1, 1, 0, 'probe'));
    } catch {
      this.probeLater();
      return;
    }
    this.away = false;
    this.logger.log('Redis is back: limits are shared by all instances again');
  }
}
