import { Logger } from '@nestjs/common';
import type { Clock } from '../platform/clock.js';
import { type SlidingLogRecord, SlidingLogStorage } from './sliding-log.storage.js';

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

/** The logs of one limit, in two generations: those with an admission since the last turn, and the others. */
interface Generations {
  current: Map<string, SlidingLog>;
  previous: Map<string, SlidingLog>;
  turnedAt: number;
  windowMs: number;
}

export interface Reservation {
  readonly record: SlidingLogRecord;
  /** Gives the slot back. Does nothing when none was granted. */
  withdraw(): void;
  /** Counts from now on, not from when it was reserved: the final decision came meanwhile. */
  postpone(): void;
}

/**
 * The sliding log of one process. Nothing is swept: once a window the older generation of logs is dropped as a
 * whole, since all that it holds has left the window by then. Memory is bounded by `maxKeys` per limit; beyond it
 * the keys that were admitted longest ago are forgotten before their time, and a warning says so.
 */
export class MemorySlidingLog extends SlidingLogStorage {
  private readonly logger = new Logger(MemorySlidingLog.name);
  private readonly limits = new Map<string, Generations>();

  constructor(
    private readonly clock: Pick<Clock, 'monotonic'>,
    private readonly maxKeys = 1_000_000,
  ) {
    super();
  }

  increment(
    key: string,
    ttl: number,
    limit: number,
    _blockDuration: number,
    throttlerName: string,
  ): Promise<SlidingLogRecord> {
    return Promise.resolve(this.reserve(key, ttl, limit, throttlerName).record);
  }

  /** `increment`, in a form that can be taken back. */
  reserve(key: string, ttl: number, limit: number, throttlerName: string): Reservation {
    const now = this.clock.monotonic();
    const generations = this.generationsOf(throttlerName, ttl, now);
    const log = generations.current.get(key) ?? generations.previous.get(key) ?? new SlidingLog();
    const record = log.admit(now, ttl, limit);
    if (record.isBlocked) return { record, withdraw: nothing, postpone: nothing };
    generations.current.set(key, log);
    return new GrantedSlot(record, key, log, log.newest(), generations, this.clock);
  }

  state(): 'memory' {
    return 'memory';
  }

  /** For measurements: how many keys are held. */
  get size(): number {
    let size = 0;
    for (const { current, previous } of this.limits.values()) size += current.size + previous.size;
    return size;
  }

  private generationsOf(throttlerName: string, ttl: number, now: number): Generations {
    let generations = this.limits.get(throttlerName);
    if (!generations) {
      generations = { current: new Map(), previous: new Map(), turnedAt: now, windowMs: ttl };
      this.limits.set(throttlerName, generations);
    }
    generations.windowMs = Math.max(generations.windowMs, ttl);
    if (now - generations.turnedAt >= generations.windowMs) {
      turn(generations, now);
    } else if (generations.current.size >= this.maxKeys / 2) {
      this.logger.warn(
        `More than ${this.maxKeys / 2} keys within one window of the limit "${throttlerName}": the oldest are forgotten early`,
      );
      turn(generations, now);
    }
    return generations;
  }
}

/** A class and not a bundle of closures, because one is made for every request. */
class GrantedSlot implements Reservation {
  constructor(
    readonly record: SlidingLogRecord,
    private readonly key: string,
    private readonly log: SlidingLog,
    private readonly time: number,
    private readonly generations: Generations,
    private readonly clock: Pick<Clock, 'monotonic'>,
  ) {}

  withdraw(): void {
    this.log.withdraw(this.time);
  }

  postpone(): void {
    this.log.postpone(this.time, this.clock.monotonic());
    // The generations may have turned since.
    this.generations.current.set(this.key, this.log);
  }
}

function nothing(): void {
  // There is no slot to give back or to move.
}

function turn(generations: Generations, now: number): void {
  generations.previous = generations.current;
  generations.current = new Map();
  generations.turnedAt = now;
}

/** @param waitMs until the oldest request leaves the window */
function admitted(totalHits: number, waitMs: number): SlidingLogRecord {
  return { totalHits, timeToExpire: Math.ceil(waitMs / 1000), isBlocked: false, timeToBlockExpire: 0 };
}

/** @param waitMs until the next request can be admitted */
function refused(limit: number, waitMs: number): SlidingLogRecord {
  const seconds = Math.ceil(waitMs / 1000);
  return { totalHits: limit + 1, timeToExpire: seconds, isBlocked: true, timeToBlockExpire: seconds };
}
