/** Thrown to whoever adds an item while too many are waiting. */
export class GroupCommitOverflow extends Error {
  override readonly name = 'GroupCommitOverflow';
}

/** What a caller gets whose turn did not come in time, because earlier commits took so long. Nothing was written. */
export class GroupCommitTimeout extends Error {
  override readonly name = 'GroupCommitTimeout';
}

interface Waiting<T> {
  item: T;
  since: number;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

interface GroupCommitOptions {
  /** Commits under way at once; what arrives meanwhile waits and shares the next one. */
  maxInFlight?: number;
  /** What arrives while a commit is under way waits for its end, but not for longer than this, in milliseconds. */
  usualMs?: number;
  maxBatch?: number;
  maxWaiting?: number;
  /** Who has waited longer, in milliseconds, when its turn comes, is turned away. A commit under way is not cut short. */
  maxWaitMs?: number;
}

/**
 * Lets many callers share one commit: a disk takes as long to make one row durable as a hundred. Nothing waits on an
 * idle system; the batch grows by itself with the load, since it is whatever came while the last commit was under way.
 * Two commits at once would each be half as large and cost as much as a whole one, so the second is for when the first is
 * slow, or hangs.
 */
export class GroupCommit<T> {
  private readonly waiting: Waiting<T>[] = [];
  private inFlight = 0;
  /** Runs while the latest commit has begun a moment ago, and what arrives had better wait for its end. */
  private youth: NodeJS.Timeout | undefined;
  private scheduled = false;
  private readonly maxInFlight: number;
  private readonly usualMs: number;
  private readonly maxBatch: number;
  private readonly maxWaiting: number;
  private readonly maxWaitMs: number;

  /** @param commit makes all items durable, or none and rejects */
  constructor(
    private readonly commit: (items: T[]) => Promise<void>,
    {
      maxInFlight = 2,
      usualMs = 20,
      maxBatch = 500,
      maxWaiting = 20_000,
      maxWaitMs = 15_000,
    }: GroupCommitOptions = {},
  ) {
    this.maxInFlight = maxInFlight;
    this.usualMs = usualMs;
    this.maxBatch = maxBatch;
    this.maxWaiting = maxWaiting;
    this.maxWaitMs = maxWaitMs;
  }

  /** Whether somebody is waiting for a commit. */
  get isBusy(): boolean {
    return this.inFlight > 0 || this.waiting.length > 0;
  }

  /**
   * Resolves once the item is committed; rejects with the commit's error, with `GroupCommitOverflow` at once, or with
   * `GroupCommitTimeout`.
   */
  add(item: T): Promise<void> {
    if (this.waiting.length >= this.maxWaiting) return Promise.reject(new GroupCommitOverflow());
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, since: performance.now(), resolve, reject });
      if (!this.youth) this.schedule();
    });
  }

  /** On the next turn of the event loop, so that requests that were read in this one go together. */
  private schedule(): void {
    if (this.scheduled || this.inFlight >= this.maxInFlight) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (this.waiting.length > 0) void this.flush();
    });
  }

  private async flush(): Promise<void> {
    this.turnAwayTheLate();
    const batch = this.waiting.splice(0, this.maxBatch);
    if (batch.length === 0) return;
    this.inFlight++;
    this.beginYouth();
    if (this.waiting.length > 0) this.schedule();
    try {
      await this.commit(batch.map(({ item }) => item));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.inFlight--;
      this.endYouth();
      if (this.waiting.length > 0) this.schedule();
    }
  }

  private beginYouth(): void {
    this.endYouth();
    this.youth = setTimeout(() => {
      this.endYouth();
      if (this.waiting.length > 0) this.schedule();
    }, this.usualMs);
  }

  private endYouth(): void {
    clearTimeout(this.youth);
    this.youth = undefined;
  }

  private turnAwayTheLate(): void {
    const earliest = performance.now() - this.maxWaitMs;
    // They stand in the order in which they came.
    const inTime = this.waiting.findIndex(({ since }) => since >= earliest);
    const late = this.waiting.splice(0, inTime === -1 ? this.waiting.length : inTime);
    for (const { reject } of late) reject(new GroupCommitTimeout());
  }
}
