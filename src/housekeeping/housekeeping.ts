import { setTimeout } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Log } from '../platform/log.js';

/** Takes away what nobody needs any more, of one kind. */
export abstract class Sweeper {
  /** What it takes away, in the plural; for the log. */
  abstract readonly what: string;

  /**
   * Deletes what is overdue now, in statements so small that nobody notices, and yields after each of them how many rows
   * went. It waits for nobody: what is locked stays until the next time.
   */
  abstract sweep(): AsyncIterable<number>;
}

const firstSweepMs = 60_000;
const sweepEveryMs = 10 * 60_000;
/** Between two statements of a sweep, for everybody else. */
const pauseMs = 100;

/**
 * Lets every sweeper sweep, once in ten minutes. Several instances that do it at once are in nobody's way: each passes
 * over the rows that another holds.
 */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<unknown> = Promise.resolve();
  private readonly stopping = new AbortController();

  constructor(
    @Inject(Sweeper) private readonly sweepers: readonly Sweeper[],
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

  /** How many rows each sweeper has taken away. */
  async sweep(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const sweeper of this.sweepers) {
      counts[sweeper.what] = 0;
      try {
        for await (const deleted of sweeper.sweep()) {
          counts[sweeper.what] = (counts[sweeper.what] ?? 0) + deleted;
          if (this.stopping.signal.aborted) return counts;
          await this.pause();
        }
      } catch (err) {
        this.log.warn({ err }, `Overdue ${sweeper.what} were not deleted; the next sweep takes them`);
      }
    }
    return counts;
  }

  private sweepLater(ms: number): void {
    // Instances that started together need not sweep together.
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
