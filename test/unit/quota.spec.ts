import { MemorySlidingLog } from '../../src/rate-limit/memory-sliding-log.storage.js';
import { Quota, type Slot } from '../../src/rate-limit/quota.js';
import { TestClock } from '../support/test-clock.js';

const windowMs = 300_000;

function quotaOf(max: number): { quota: Quota; clock: TestClock } {
  const clock = new TestClock();
  return { clock, quota: new Quota(new MemorySlidingLog(clock), 'email', { max, windowMs }, 'a') };
}

/** How many slots are granted one after another. */
async function granted(take: () => Promise<Slot>): Promise<number> {
  for (let count = 0; ; count++) if (!(await take()).isGranted) return count;
}

describe('a quota', () => {
  it.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [9, 8],
    [10, 8],
    [100, 80],
  ])('of %i is scarce after %i', async (max, free) => {
    const { quota } = quotaOf(max);
    expect(await granted(() => quota.takeUnlessScarce())).toBe(free);
    expect(await granted(() => quota.take())).toBe(max - free);
    expect(await granted(() => quota.takeUnlessScarce())).toBe(0);
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [10, 3],
  ])('of %i has %i for strict days, which count against the rest', async (max, strict) => {
    const { quota } = quotaOf(max);
    expect(await granted(() => quota.takeStrictly())).toBe(strict);
    expect(await granted(() => quota.take())).toBe(max - strict);
  });

  it('tells what is left of the whole of it, however it is taken', async () => {
    const { quota } = quotaOf(3);
    const limit = { max: 3, windowMs };
    expect(await quota.takeUnlessScarce()).toEqual({
      name: 'email',
      limit,
      remaining: 2,
      reset: 300,
      isGranted: true,
    });
    expect(await quota.takeUnlessScarce()).toMatchObject({ remaining: 1 });
    expect(await quota.take()).toEqual({ name: 'email', limit, remaining: 0, reset: 300, isGranted: true });
  });

  it('has a second one behind the captcha that leaves the first alone', async () => {
    const { quota } = quotaOf(3);
    await granted(() => quota.take());
    const refused = await quota.take();
    expect(refused.isGranted).toBe(false);
    expect(await quota.takeBehindCaptcha(refused)).toMatchObject({ name: 'email-captcha', remaining: 2 });
    expect(await granted(() => quota.takeBehindCaptcha(refused))).toBe(2);
  });

  it('tells somebody who has spent both when the next slot of either is free', async () => {
    const { quota, clock } = quotaOf(1);
    await quota.take();
    clock.advance(100_000);
    await quota.takeBehindCaptcha(await quota.take());
    expect(await quota.takeBehindCaptcha(await quota.take())).toMatchObject({ isGranted: false, reset: 200 });
  });
});
