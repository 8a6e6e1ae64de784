import type { Clock } from '../platform/clock.js';

const windowMs = 60_000;
/** How many refusals of a minute each get a line. */
const whole = 60;
/** Of those beyond, one in this many. */
const sampledOf = 100;

/**
 * Log sampling: whoever is refused can ask for as many lines as they like, 300 bytes each. The first of a minute are logged
 * as they are, of the others one in a hundred, which says so. The metrics count them all.
 */
export class LogSampler {
  private windowBegan = -Infinity;
  private count = 0;

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  /** How many refusals the line for this one stands for; 0 when it gets none. */
  weigh(): number {
    const now = this.clock.monotonic();
    if (now - this.windowBegan >= windowMs) {
      this.windowBegan = now;
      this.count = 0;
    }
    this.count += 1;
    if (this.count <= whole) return 1;
    return (this.count - whole) % sampledOf === 0 ? sampledOf : 0;
  }
}
