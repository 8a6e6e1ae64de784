import { Clock } from '../../src/platform/clock.js';

/** A clock that stands still until the test moves it. It begins at the real time, as certificates and files expect. */
export class TestClock extends Clock {
  private time = Date.now();

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  advance(ms: number): void {
    this.time += ms;
  }

  /** Moves to the real time, for what is signed with that; stays where it is when it is ahead. */
  catchUp(): void {
    this.time = Math.max(this.time, Date.now());
  }
}
