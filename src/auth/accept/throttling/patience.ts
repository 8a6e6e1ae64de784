/** Share of a stretch of time from which on this process itself is too busy to read an answer, or to send the question. */
const busy = 0.5;
const stretches = 4;

interface Waiting {
  readonly since: number;
  readonly giveUp: (error: Error) => void;
}

/**
 * Waits for answers, but not for ever. Patience runs out only while this process had time to read: it is cut into
 * stretches, and those in which the process was busy do not count. One timer serves everybody who waits.
 */
export class Patience {
  /** In the order of their coming, which is that of their going. */
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
