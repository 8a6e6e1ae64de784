import { Logger } from '@nestjs/common';
import type { Clock } from '../platform/clock.js';
import { SlidingLog } from './sliding-log.js';
import { type SlidingLogRecord, SlidingLogStorage } from './sliding-log.storage.js';

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
  /** Counts from now on, and not from when it was made: whoever decided in the end did so meanwhile. */
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
