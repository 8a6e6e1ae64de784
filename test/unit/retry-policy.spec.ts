import fc from 'fast-check';
import { retryDelayMs } from '../../src/auth/outbox/message-queue.js';

describe('the retry policy', () => {
  it('doubles its longest wait from half a second up to a minute', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 9, 50].map((attempt) => retryDelayMs(attempt, 0.999_999_9));
    expect(longest).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('spreads the waits over the whole step', () => {
    expect(retryDelayMs(4, 0)).toBe(0);
    expect(retryDelayMs(4, 0.5)).toBe(2_000);
  });

  it('never waits longer than a minute, whatever the attempt', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const delay = retryDelayMs(attempt, random);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(60_000);
        },
      ),
    );
  });
});
