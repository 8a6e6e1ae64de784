import type { ApiError } from '../../src/http/api-error.js';
import { ServiceKeys, wrongKeyLimit } from '../../src/admin/service-key.guard.js';
import { MemorySlidingLog } from '../../src/rate-limit/memory-sliding-log.storage.js';
import { readConfig } from '../../src/config/config.js';
import { testHash } from '../support/hash.js';
import { serviceKey } from '../support/operator.js';
import { TestClock } from '../support/test-clock.js';

const previous = 'p7Hn3xKq9Lw2Rz6Vt1Mb8Cj4Fs5Gd0Ye';
const wrong = 'w7Hn3xKq9Lw2Rz6Vt1Mb8Cj4Fs5Gd0Ye';
const config = readConfig({ SERVICE_KEY: `${serviceKey},${previous}` });

describe('service keys', () => {
  let clock: TestClock;
  let limits: MemorySlidingLog;
  let keys: ServiceKeys;

  beforeEach(() => {
    clock = new TestClock();
    limits = new MemorySlidingLog(clock);
    keys = new ServiceKeys(config, limits, testHash);
  });

  const guess = (by = 'client', at = keys) =>
    at.check(by, wrong).then(String, (error: unknown) => (error as ApiError).code);

  it('open as the current one and as the one before, as often as one likes', async () => {
    for (let i = 0; i < 5 * wrongKeyLimit.max; i += 1) {
      await keys.check('client', serviceKey);
      await keys.check('client', previous);
    }
  });

  it.each(['', serviceKey.slice(1), `${serviceKey}x`, serviceKey.toLowerCase(), wrong])(
    'do not open as anything else: "%s"',
    async (key) => {
      await expect(keys.check('client', key)).rejects.toMatchObject({ code: 'bad_service_key', status: 401 });
    },
  );

  it('do not open at all when none is set', async () => {
    const none = new ServiceKeys(readConfig({}), limits, testHash);
    for (const key of ['', 'undefined', serviceKey]) {
      await expect(none.check('client', key)).rejects.toMatchObject({ code: 'bad_service_key' });
    }
    expect([none.areWaived, keys.areWaived]).toEqual([true, false]);
  });

  it('let a client guess ten times, and then answer its wrong ones with 429 until the first is ten minutes old', async () => {
    for (let i = 0; i < wrongKeyLimit.max; i += 1) expect(await guess()).toBe('bad_service_key');
    expect(await guess()).toBe('over_request_rate_limit');
    expect(await guess('another')).toBe('bad_service_key');
    clock.advance(wrongKeyLimit.windowMs - 1);
    await expect(keys.check('client', wrong)).rejects.toMatchObject({ status: 429, retryAfter: 1 });
    clock.advance(1);
    expect(await guess()).toBe('bad_service_key');
  });

  it('open for who has the right one, however many wrong ones came from there', async () => {
    for (let i = 0; i < 3 * wrongKeyLimit.max; i += 1) {
      await guess();
      await keys.check('client', serviceKey);
      await keys.check('client', previous);
    }
    expect(await guess()).toBe('over_request_rate_limit');
  });

  it('let nobody guess more often by guessing all at once', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => guess()));
    expect(answers.filter((answer) => answer === 'bad_service_key')).toHaveLength(wrongKeyLimit.max);
    expect(answers.filter((answer) => answer === 'over_request_rate_limit')).toHaveLength(
      200 - wrongKeyLimit.max,
    );
  });

  it('count the guesses of all instances together', async () => {
    const elsewhere = new ServiceKeys(config, limits, testHash);
    for (let i = 0; i < wrongKeyLimit.max; i += 1) await guess();
    expect(await guess('client', elsewhere)).toBe('over_request_rate_limit');
    expect(await guess('another', elsewhere)).toBe('bad_service_key');
    await elsewhere.check('client', serviceKey);
  });
});
