import { Logger } from '@nestjs/common';
import { MemorySlidingLog, SlidingLog } from '../../src/rate-limit/memory-sliding-log.storage.js';
import { TestClock } from '../support/test-clock.js';

const window = 60_000;

describe('MemorySlidingLog', () => {
  it('holds no more keys than were admitted in two windows, however many come', () => {
    const clock = new TestClock();
    const storage = new MemorySlidingLog(clock);
    const perWindow = 1_000;
    let most = 0;
    for (let i = 0; i < 100 * perWindow; i++) {
      storage.reserve(`key ${i}`, window, 3, 'email');
      clock.advance(window / perWindow);
      most = Math.max(most, storage.size);
    }
    expect(most).toBeLessThanOrEqual(2 * perWindow);
    expect(most).toBeGreaterThanOrEqual(perWindow);
  });

  it('forgets everything that was idle for two windows', () => {
    const clock = new TestClock();
    const storage = new MemorySlidingLog(clock);
    for (let i = 0; i < 100; i++) storage.reserve(`key ${i}`, window, 3, 'email');
    for (let i = 0; i < 2; i++) {
      clock.advance(window);
      storage.reserve('somebody', window, 3, 'email');
    }
    expect(storage.size).toBeLessThanOrEqual(2);
  });

  it('goes on counting a key that is older than the last turn of the generations', () => {
    const clock = new TestClock();
    const storage = new MemorySlidingLog(clock);
    storage.reserve('early', window, 3, 'email');
    clock.advance(window - 1);
    expect(storage.reserve('late', window, 1, 'email').record.isBlocked).toBe(false);
    clock.advance(1);
    storage.reserve('turns the generations', window, 1, 'email');
    clock.advance(window - 2);
    expect(storage.reserve('late', window, 1, 'email').record.isBlocked).toBe(true);
    clock.advance(1);
    expect(storage.reserve('late', window, 1, 'email').record.isBlocked).toBe(false);
  });

  it('stays below its bound in a flood, says so, and forgets those first who were admitted longest ago', () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const storage = new MemorySlidingLog(new TestClock(), 1_000);
    let most = 0;
    for (let i = 0; i < 10_000; i++) {
      storage.reserve(`key ${i}`, window, 1, 'email');
      most = Math.max(most, storage.size);
    }
    expect(most).toBeLessThanOrEqual(1_000);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('limit "email"'));
    expect(storage.reserve('key 9999', window, 1, 'email').record.isBlocked).toBe(true);
    expect(storage.reserve('key 0', window, 1, 'email').record.isBlocked).toBe(false);
    warn.mockRestore();
  });

  it('does not mind what becomes of the time of day', async () => {
    let elapsed = 0;
    const storage = new MemorySlidingLog({ monotonic: () => elapsed });
    await storage.increment('a', 60_000, 1, 0, 'email');
    elapsed += 59_999;
    expect((await storage.increment('a', 60_000, 1, 0, 'email')).isBlocked).toBe(true);
    elapsed += 1;
    expect((await storage.increment('a', 60_000, 1, 0, 'email')).isBlocked).toBe(false);
  });

  it('counts a slot that was postponed from then on', () => {
    const clock = new TestClock();
    const storage = new MemorySlidingLog(clock);
    const slot = storage.reserve('a', 60_000, 1, 'email');
    clock.advance(100);
    slot.postpone();
    clock.advance(59_999);
    expect(storage.reserve('a', 60_000, 1, 'email').record).toMatchObject({
      isBlocked: true,
      timeToBlockExpire: 1,
    });
    clock.advance(1);
    expect(storage.reserve('a', 60_000, 1, 'email').record.isBlocked).toBe(false);
  });

  it('gives a slot back that was withdrawn', () => {
    const storage = new MemorySlidingLog(new TestClock());
    const first = storage.reserve('a', window, 1, 'email');
    expect(storage.reserve('a', window, 1, 'email').record.isBlocked).toBe(true);
    first.withdraw();
    expect(storage.reserve('a', window, 1, 'email').record.isBlocked).toBe(false);
  });
});

describe('SlidingLog', () => {
  it('holds as many times as count, however long it is used', () => {
    const log = new SlidingLog();
    for (let now = 0; now < 100_000; now++) log.admit(now, 500, 200);
    // Half of what is held may have left already; it is not worth moving the rest for less.
    expect(JSON.stringify(log).length).toBeLessThan(2 * 200 * '99999,'.length + 50);
  });

  it('withdraws the request that was meant and no other', () => {
    const log = new SlidingLog();
    for (const now of [0, 10, 20]) log.admit(now, 100, 3);
    log.withdraw(10);
    expect(log.admit(30, 100, 3)).toMatchObject({ isBlocked: false, totalHits: 3 });
    expect(log.admit(99, 100, 3).isBlocked).toBe(true);
    expect(log.admit(100, 100, 3).isBlocked).toBe(false);
    expect(log.admit(119, 100, 3).isBlocked).toBe(true);
    expect(log.admit(120, 100, 3).isBlocked).toBe(false);
  });

  it('does not mind that a withdrawn request has left the window already', () => {
    const log = new SlidingLog();
    for (const now of [0, 10]) log.admit(now, 100, 2);
    log.admit(105, 100, 2);
    log.withdraw(0);
    expect(log.admit(106, 100, 2).isBlocked).toBe(true);
    expect(log.admit(110, 100, 2).isBlocked).toBe(false);
  });
});
