import { readConfig } from '../../src/config/config.js';
import { Housekeeping } from '../../src/housekeeping/housekeeping.js';
import { createLog } from '../../src/platform/log.js';

const minute = 60_000;

describe('housekeeping', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('begins a minute after the start and comes back every ten, until the process stops', async () => {
    let sweeps = 0;
    const sweeper = {
      what: 'rows',
      sweep: () => ({
        [Symbol.asyncIterator]: () => {
          sweeps += 1;
          return { next: () => Promise.resolve({ done: true as const, value: undefined }) };
        },
      }),
    };
    const housekeeping = new Housekeeping([sweeper], createLog(readConfig({ LOG_LEVEL: 'silent' })));
    housekeeping.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(0.9 * minute - 1);
    expect(sweeps).toBe(0);
    await jest.advanceTimersByTimeAsync(0.2 * minute + 1);
    expect(sweeps).toBe(1);
    await jest.advanceTimersByTimeAsync(11 * minute);
    expect(sweeps).toBe(2);
    await housekeeping.onModuleDestroy();
    await jest.advanceTimersByTimeAsync(60 * minute);
    expect(sweeps).toBe(2);
  });
});
