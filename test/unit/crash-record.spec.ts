import { brokenPromises, type CrashRecord, figuresOf } from '../support/crash/crash-record.js';
import { seededRandom } from '../support/crash/random.js';

const person = 'person1@example.com';
const sent = (id: string) => ({ id, recipient: person, status: 'sent' });
const arrived = (messageId: string, sender = 'all-0.1') => ({ messageId, sender });

/** A run in which all went well: one message was in flight when the process was killed, and arrived once more. */
const good: CrashRecord = {
  accepted: ['msg_1', 'msg_2', 'msg_3'],
  unexpectedAnswers: [],
  kills: [{ process: 'all-0.1', inFlight: new Set(['msg_2']) }],
  arrivals: [arrived('msg_1'), arrived('msg_2'), arrived('msg_2', 'all-0.2'), arrived('msg_4', 'all-0.2')],
  rows: [
    sent('msg_1'),
    sent('msg_2'),
    { id: 'msg_3', recipient: 'nobody1@example.com', status: 'dropped' },
    sent('msg_4'), // its answer was lost
  ],
  isKnown: (recipient) => recipient === person,
};

const rowsWith = (id: string, change: object) =>
  good.rows.map((row) => (row.id === id ? { ...row, ...change } : row));

describe('the record of a crash run', () => {
  it('has nothing to say when every promise was kept', () => {
    expect(brokenPromises(good)).toEqual([]);
    expect(figuresOf(good)).toMatchObject({
      accepted: 3,
      'answer lost': 1,
      doubled: 1,
      'promises broken': 0,
    });
  });

  it.each<[string, Partial<CrashRecord>, RegExp]>([
    [
      'an accepted message without a row',
      { rows: good.rows.filter(({ id }) => id !== 'msg_3') },
      /msg_3 was accepted and is gone/,
    ],
    [
      'a mail without a row',
      { rows: good.rows.filter(({ id }) => id !== 'msg_4') },
      /msg_4 arrived and is gone/,
    ],
    [
      'a message that has not ended',
      { rows: rowsWith('msg_1', { status: 'accepted' }) },
      /msg_1 has not ended/,
    ],
    [
      'a message that is still called in flight',
      { rows: rowsWith('msg_1', { status: 'sending' }) },
      /msg_1 has not ended/,
    ],
    ['a message that was given up', { rows: rowsWith('msg_1', { status: 'failed' }) }, /msg_1 was failed/],
    [
      'a sent message that did not arrive',
      { arrivals: good.arrivals.slice(1) },
      /msg_1 is called sent and has not arrived/,
    ],
    ['a mail to nobody', { arrivals: [...good.arrivals, arrived('msg_3')] }, /msg_3 is for nobody/],
    [
      'a mail twice that was not in flight',
      { arrivals: [...good.arrivals, arrived('msg_1', 'all-0.2')] },
      /msg_1 arrived 2 times/,
    ],
    [
      'a mail twice from one process',
      { arrivals: [...good.arrivals, arrived('msg_4', 'all-0.2')] },
      /msg_4 arrived 2 times/,
    ],
    [
      'a mail three times after one kill',
      { arrivals: [...good.arrivals, arrived('msg_2', 'all-0.3')] },
      /msg_2 arrived 3 times/,
    ],
    [
      'a mail twice of which the killed process sent the later',
      { arrivals: good.arrivals.toReversed() },
      /msg_2 arrived 2 times/,
    ],
    ['an answer that is neither 200 nor 503', { unexpectedAnswers: [500] }, /a request was answered 500/],
  ])('tells of %s', (_what, change, words) => {
    const broken = brokenPromises({ ...good, ...change });
    expect(broken).toEqual([expect.stringMatching(words)]);
  });
});

it('a seed makes the same numbers again, spread over the whole range', () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 1_000 }, random);
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  const tenths = new Set(draw(7).map((number) => Math.floor(number * 10)));
  expect([...tenths].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
