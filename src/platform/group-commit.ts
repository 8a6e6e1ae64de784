/** Backpressure: rejects an item at once while too many are waiting. */
export class GroupCommitOverflow extends Error {
  override readonly name = 'GroupCommitOverflow';
}

/** Rejects an item that waited too long for its batch, because earlier commits were slow. Nothing was written. */
export class GroupCommitTimeout extends Error {
  override readonly name = 'GroupCommitTimeout';
}

interface Waiting<T> {
  item: T;
  since: number;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/** Commits under way at once; what arrives meanwhile waits and shares the next one. */
const maxInFlight = 2;
/** Minimum interval between the starts of two commits, unless the first has ended. */
const minIntervalMs = 20;
const maxBatch = 500;
const maxWaiting = 20_000;
/** Items that have waited longer are rejected when their turn comes. A commit under way is not cut short. */
const maxWaitMs = 15_000;

/**
 * Group commit: callers share one commit, because a disk takes as long to make one row durable as a hundred. An idle
 * system commits at once; the batch grows with the load, since it is what arrived while the last commit was under way.
 * Two commits at once would each be half as large and cost as much as a whole one, so the second is for when the first is
 * slow, or hangs.
 */
export class GroupCommit<T> {
  private readonly waiting: Waiting<T>[] = [];
  private inFlight = 0;
  /** Runs for the minimum interval after a commit has begun: what arrives had better wait for its end. */
  private interval: NodeJS.Timeout | undefined;
  private scheduled = false;

  /** @param commit makes all items durable, or none and rejects */
  constructor(private readonly commit: (items: T[]) => Promise<void>) {}

  /** Whether an item waits for a commit or for the end of one. */
  get isBusy(): boolean {
    return this.inFlight > 0 || this.waiting.length > 0;
  }

  /**
   * Resolves once the item is committed; rejects with the commit's error, with `GroupCommitOverflow` at once, or with
   * `GroupCommitTimeout`.
   */
  add(item: T): Promise<void> {
    if (this.waiting.length >= maxWaiting) return Promise.reject(new GroupCommitOverflow());
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, since: performance.now(), resolve, reject });
      if (!this.interval) this.schedule();
    });
  }

  /** On the next turn of the event loop, so that requests that were read in this one go together. */
  private schedule(): void {
    if (this.waiting.length === 0 || this.scheduled || this.inFlight >= maxInFlight) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (this.waiting.length > 0) void this.flush();
    });
  }

  private async flush(): Promise<void> {
    this.rejectLate();
    const batch = this.waiting.splice(0, maxBatch);
    if (batch.length === 0) return;
    this.inFlight++;
    this.startInterval();
    this.schedule();
    try {
      await this.commit(batch.map(({ item }) => item));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.inFlight--;
      this.endInterval();
    }
  }

  private startInterval(): void {
    clearTimeout(this.interval);
    this.interval = setTimeout(() => this.endInterval(), minIntervalMs);
  }

  private endInterval(): void {
    clearTimeout(this.interval);
    this.interval = undefined;
    this.schedule();
  }

  private rejectLate(): void {
    const earliest = performance.now() - maxWaitMs;
    // The queue is in order of arrival.
    const inTime = this.waiting.findIndex(({ since }) => since >= earliest);
    const late = this.waiting.splice(0, inTime === -1 ? this.waiting.length : inTime);
    for (const { reject } of late) reject(new GroupCommitTimeout());
  }
}
