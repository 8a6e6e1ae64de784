import { parseDuration } from '../../src/config/readers.js';

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['30d', 2_592_000_000],
    [' 5m ', 300_000],
    ['3650d', 315_360_000_000],
  ])('of %s is so many milliseconds', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '5', 'm', '5 m', '5M', '-5m', '1.5h', '5m30s', '0s', '0x5m', 'five m', '5m\n5m', '٥m'])(
    'is not %j',
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );

  it.each(['3651d', '999999999d', '999999999h'])('of %s is more than anybody means', (text) => {
    expect(parseDuration(text)).toBeNull();
  });

  it('of the greatest length still leads to an instant that can be named', () => {
    const longest = parseDuration('3650d') ?? NaN;
    expect(new Date(Date.now() + longest).getTime()).not.toBeNaN();
  });
});
