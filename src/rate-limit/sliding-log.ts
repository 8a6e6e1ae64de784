import { admitted, refused, type SlidingLogRecord } from './sliding-log.storage.js';

/** Below this length it costs more to move the live times to the front than to keep the dead ones before them. */
const worthCompacting = 64;

/** When the requests of one key were admitted, oldest first; never more live times than the limit. */
export class SlidingLog {
  private times: number[] = [];
  /** Index of the oldest time that still counts. */
  private head = 0;

  /** Records the request if there is room. `now` and `windowMs` are milliseconds. */
  admit(now: number, windowMs: number, limit: number): SlidingLogRecord {
    // A clock that was set back must not break the order; until it catches up, time stands still.
    const time = Math.max(now, this.times.at(-1) ?? now);
    this.forgetUntil(time - windowMs);
    const count = this.times.length - this.head;
    if (count >= limit) {
      // The request that must leave first is not the oldest one when the limit has been lowered.
      return refused(limit, this.timeAt(this.head + count - limit) + windowMs - time);
    }
    // Most keys are seen once; the first `push` into an empty array would reserve room for seventeen.
    if (count === 0) this.times = [time];
    else this.times.push(time);
    return admitted(count + 1, this.timeAt(this.head) + windowMs - time);
  }

  newest(): number {
    return this.timeAt(this.times.length - 1);
  }

  /** Takes a request back that was admitted at `time`. */
  withdraw(time: number): void {
    const index = this.indexOf(time);
    if (index !== -1) this.times.splice(index, 1);
  }

  /** Lets a request that was admitted at `time` count from `now` on. */
  postpone(time: number, now: number): void {
    const newest = Math.max(now, this.newest());
    const index = this.indexOf(time);
    if (index === -1 || newest === time) return;
    const last = this.times.length - 1;
    for (let i = index; i < last; i++) this.times[i] = this.timeAt(i + 1);
    this.times[last] = newest;
  }

  /** Among those that count; -1 when it has left. From the end, where it was a moment ago. */
  private indexOf(time: number): number {
    let index = this.times.length - 1;
    while (index >= this.head && this.timeAt(index) > time) index -= 1;
    return index >= this.head && this.timeAt(index) === time ? index : -1;
  }

  private timeAt(index: number): number {
    return this.times[index] ?? 0;
  }

  /** A request that was admitted exactly one window ago is out. Amortised over the admissions: constant time. */
  private forgetUntil(end: number): void {
    while (this.head < this.times.length && this.timeAt(this.head) <= end) this.head += 1;
    if (this.head === this.times.length) {
      this.times = [];
      this.head = 0;
    } else if (this.head >= worthCompacting && this.head * 2 >= this.times.length) {
      this.times.splice(0, this.head);
      this.head = 0;
    }
  }
}
