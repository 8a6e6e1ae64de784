import {
  type DeliveryCopy,
  isAboutLastCopy,
  belongsToAnotherProvider,
} from '../../src/auth/reports/reported-event.js';

const start = Date.UTC(2026, 0, 31, 12);
const at = (seconds: number) => new Date(start + seconds * 1_000);

/** A try that began then and took a second. */
function copy(seconds: number, fields: Partial<DeliveryCopy> = {}): DeliveryCopy {
  const times = { startedAt: at(seconds), endedAt: at(seconds + 1) };
  return { provider: 'twilio', receiptId: null, outcome: 'sent', ...times, ...fields };
}
const unknown = (seconds: number, fields: Partial<DeliveryCopy> = {}) =>
  copy(seconds, { outcome: 'unknown', ...fields });

const silent = { carrier: 'twilio', receiptId: null, occurredAt: null };
const byMail = { ...silent, carrier: null };

describe('a negative event', () => {
  it.each<[string, Parameters<typeof isAboutLastCopy>[0], DeliveryCopy[], Date | null, boolean]>([
    ['before the worker has written anything down', silent, [], null, true],
    ['of the only copy', silent, [copy(0)], null, true],
    ['of the only copy, whose answer got lost', silent, [unknown(0)], null, true],
    [
      'that names the last copy',
      { ...silent, receiptId: 'b' },
      [unknown(0), copy(9, { receiptId: 'b' })],
      null,
      true,
    ],
    ['that names another copy', { ...silent, receiptId: 'a' }, [copy(9, { receiptId: 'b' })], null, false],
    ['without name and time, of one of two', silent, [unknown(0), copy(9)], null, false],
    ['without name and time, of two that are both uncertain', silent, [unknown(0), unknown(9)], null, true],
    ['from before the last copy', { ...byMail, occurredAt: at(5) }, [unknown(0), copy(9)], null, false],
    ['from after the last copy', { ...byMail, occurredAt: at(20) }, [unknown(0), copy(9)], null, true],
    ['timed in whole seconds', { ...byMail, occurredAt: at(9) }, [unknown(0), copy(9.6)], null, true],
    [
      'of a mail, by a name that only some servers give',
      { ...byMail, receiptId: 'a' },
      [copy(0, { receiptId: 'b' })],
      null,
      true,
    ],
    [
      'of a carrier that another followed',
      silent,
      [unknown(0), copy(9, { provider: 'vonage' })],
      null,
      false,
    ],
    [
      'of a carrier that followed another',
      silent,
      [copy(0, { provider: 'vonage' }), unknown(9)],
      null,
      false,
    ],
    ['of a stranger', { ...silent, carrier: 'webhook' }, [copy(0)], null, false],
    ['without a time, since an operator asked once more', silent, [copy(0)], at(60), false],
    [
      'without a time, after it was sent once more',
      { ...silent, receiptId: 'b' },
      [copy(0, { receiptId: 'a' }), copy(90, { receiptId: 'b' })],
      at(60),
      true,
    ],
  ])('%s', (_what, news, copies, requeuedAt, expected) => {
    expect(isAboutLastCopy(news, copies, requeuedAt)).toBe(expected);
  });

  it('is of another carrier when only others can have the message', () => {
    expect(belongsToAnotherProvider('webhook', [copy(0), copy(1)])).toBe(true);
    expect(belongsToAnotherProvider('webhook', [copy(0), unknown(1, { provider: null })])).toBe(false);
    expect(belongsToAnotherProvider('webhook', [])).toBe(false);
    expect(belongsToAnotherProvider(null, [copy(0)])).toBe(false);
  });
});
