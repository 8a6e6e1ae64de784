import { setTimeout } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Log } from '../platform/log.js';

/** Deletes the rows of one kind whose retention is over. */
export abstract class RetentionJob {
  /** The table; for the log. */
  abstract readonly what: string;

  /**
   * Deletes what is over now, in small batches, and yields after each how many rows went. Locked rows are skipped until the
   * next time.
   */
  abstract sweep(): AsyncIterable<number>;
}

const firstSweepMs = 60_000;
const sweepEveryMs = 10 * 60_000;
/** Between two batches, so that a sweep takes no more than a fraction of the database. */
const pauseMs = 100;

/**
 * Runs every retention job once in ten minutes, and nothing else deletes such rows: no request does. Several instances may
 * do it at once: each skips the rows that another has locked.
 */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<unknown> = Promise.resolve();
  private readonly stopping = new AbortController();

  constructor(
    @Inject(RetentionJob) private readonly jobs: readonly RetentionJob[],
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.sweepLater(firstSweepMs);
  }

  /** Waits for the statement that is under way, and for no more. */
  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.sweeping;
  }

  /** How many rows each job has deleted. */
  async sweep(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const job of this.jobs) {
      counts[job.what] = 0;
      try {
        for await (const deleted of job.sweep()) {
          counts[job.what] = (counts[job.what] ?? 0) + deleted;
          if (this.stopping.signal.aborted) return counts;
          await this.pause();
        }
      } catch (err) {
        this.log.warn({ err }, `Overdue rows of ${job.what} were not deleted; the next sweep takes them`);
      }
    }
    return counts;
  }

  private sweepLater(ms: number): void {
    // Jitter, so that instances that started together do not sweep together.
    const delayMs = ms * (0.9 + 0.2 * Math.random());
    this.timer = globalThis.setTimeout(() => {
      this.sweeping = this.sweep().then((counts) => {
        if (Object.values(counts).some((count) => count > 0)) {
          this.log.info({ event: 'housekeeping', deleted: counts }, 'housekeeping');
        }
        if (!this.stopping.signal.aborted) this.sweepLater(sweepEveryMs);
      });
    }, delayMs);
    this.timer.unref();
  }

  private async pause(): Promise<void> {
    // Cut short when the process stops.
    await setTimeout(pauseMs, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
  }
}
