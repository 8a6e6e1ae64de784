import { setTimeout } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import pg from 'pg';
import { DataSource } from 'typeorm';

export type Unsubscribe = () => Promise<void>;

/**
 * Publish and subscribe across all instances, as a wake-up signal: at most once, without payload, and coalesced. A
 * subscriber reads the tables, and polls them once in a while because a signal may be lost.
 */
export abstract class Notifications {
  /** Returns at once and never throws. Calls in quick succession are coalesced into one or two notifications. */
  abstract publish(channel: string): void;

  /**
   * Calls `onNotification` after each publication, and once after every reconnection, since something may have been
   * missed meanwhile. Resolves when it listens.
   *
   * @param channel lower-case letters, digits and underscores
   */
  abstract subscribe(channel: string, onNotification: () => void): Promise<Unsubscribe>;
}

/**
 * Throttles the notifications of one channel, in milliseconds. Each is a commit of its own, which under load would double
 * the commits of the publishers.
 */
const publishIntervalMs = 20;
const firstRetryMs = 100;
const longestRetryMs = 5_000;

/** LISTEN and NOTIFY of PostgreSQL, on a dedicated connection that reconnects with exponential backoff. */
@Injectable()
export class PgNotifications extends Notifications implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Notifications');
  private readonly handlers = new Map<string, Set<() => void>>();
  private readonly publishing = new Map<string, 'in flight' | 'once more'>();
  private client: Promise<pg.Client> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private failures = 0;
  private closed = false;

  constructor(private readonly dataSource: DataSource) {
    super();
  }

  publish(channel: string): void {
    if (this.publishing.has(channel)) {
      this.publishing.set(channel, 'once more');
      return;
    }
    void this.publishCoalesced(channel);
  }

  private async publishCoalesced(channel: string): Promise<void> {
    do {
      this.publishing.set(channel, 'in flight');
      try {
        await this.dataSource.query(`SELECT pg_notify($1, '')`, [channel]);
      } catch (error) {
        this.logger.debug(`A notification was lost: ${String(error)}`);
      }
      await setTimeout(publishIntervalMs, undefined, { ref: false });
    } while (this.publishing.get(channel) === 'once more');
    this.publishing.delete(channel);
  }

  async subscribe(channel: string, onNotification: () => void): Promise<Unsubscribe> {
    const handlers = this.handlers.get(channel) ?? new Set();
    this.handlers.set(channel, handlers.add(onNotification));
    try {
      const client = await this.connected();
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      handlers.delete(onNotification);
      throw error;
    }
    return async () => {
      handlers.delete(onNotification);
    };
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    const client = await this.client?.catch(() => undefined);
    await client?.end();
  }

  private connected(): Promise<pg.Client> {
    this.client ??= this.connect();
    return this.client;
  }

  private async connect(): Promise<pg.Client> {
    // With the options of the pool's connections, so it reaches the same database, embedded or not.
    const { options } = (this.dataSource.driver as unknown as { master: pg.Pool }).master;
    const client = new pg.Client(options);
    client.on('notification', ({ channel }) => this.handlers.get(channel)?.forEach((handle) => handle()));
    let reason = 'the connection ended';
    client.on('error', (error) => (reason = error.message));
    client.once('end', () => this.reconnectLater(reason));
    await client.connect();
    for (const channel of this.handlers.keys()) await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    this.failures = 0;
    return client;
  }

  private reconnectLater(reason: string): void {
    this.client = undefined;
    if (this.closed) return;
    if (this.failures === 0) this.logger.warn(`Not listening for notifications: ${reason}`);
    const delay = Math.min(longestRetryMs, firstRetryMs * 2 ** this.failures++);
    clearTimeout(this.retry);
    this.retry = globalThis.setTimeout(() => void this.reconnect(), delay).unref();
  }

  private async reconnect(): Promise<void> {
    try {
      await this.connected();
      this.logger.log('Listening for notifications again');
      for (const handlers of this.handlers.values()) handlers.forEach((handle) => handle());
    } catch {
      // A failed connection emits `end` as well, which has scheduled the next attempt.
    }
  }
}
