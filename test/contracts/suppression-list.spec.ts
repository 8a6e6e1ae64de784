import { randomBytes } from 'node:crypto';
import { SuppressionEntity, SuppressionList } from '../../src/auth/messages/suppression-list.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { uuidV7 } from '../../src/platform/ids.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';
import { TestClock } from '../support/test-clock.js';

const email = 'user@example.com';
const [oldest, old, current] = [randomBytes(32), randomBytes(32), randomBytes(32)];

describe.each(databaseKinds)('SuppressionList on %s, while hashing keys are changed,', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    clock = new TestClock();
    await repository().clear();
  });
  afterEach(() => jest.restoreAllMocks());

  const repository = () => database.dataSource.getRepository(SuppressionEntity);
  const under = (...[key, ...others]: [Buffer, ...Buffer[]]) =>
    new SuppressionList(database.transaction, new KeyedHash(key, ...others), clock);
  const isOn = (list: SuppressionList) => list.contains('email', email);

  /** Put there by a delivery report, then the clock goes on. */
  async function bounced(list: SuppressionList): Promise<void> {
    await list.add('email', email, 'hard_bounce', uuidV7(clock.now()));
    clock.advance(1_000);
  }

  it('copies an entry to the current key, as it is, when it is met', async () => {
    await bounced(under(old));
    const before = await under(old).find('email', email);
    expect(await isOn(under(current))).toBe(false);
    expect(await isOn(under(current, old))).toBe(true);
    const after = await under(current).find('email', email);
    expect(after?.key).not.toEqual(before?.key);
    expect(Object.assign(after ?? {}, { key: before?.key })).toEqual(before);
    expect([await isOn(under(current)), await isOn(under(old))]).toEqual([true, true]);
  });

  it('copies the oldest of several entries', async () => {
    await bounced(under(oldest));
    await under(old).add('email', email, 'complaint');
    expect(await isOn(under(current, old, oldest))).toBe(true);
    expect(await under(current).find('email', email)).toMatchObject({ reason: 'hard_bounce' });
  });

  it('keeps reason and time of an entry under an earlier key when the address is added again', async () => {
    await bounced(under(old));
    const before = await under(old).find('email', email);
    await under(current, old).add('email', email, 'complaint');
    const { reason, createdAt } = (await under(current).find('email', email)) ?? {};
    expect([reason, createdAt]).toEqual(['hard_bounce', before?.createdAt]);
  });

  it('asks the database once, for an address that is not on it and for one that stands under the current key', async () => {
    await bounced(under(old));
    const list = under(current, old);
    const query = jest.spyOn(database.dataSource.manager, 'query');
    expect(await list.contains('email', 'other@example.com')).toBe(false);
    expect(query).toHaveBeenCalledTimes(1);
    expect(await isOn(list)).toBe(true);
    expect(query).toHaveBeenCalledTimes(3);
    expect(await isOn(list)).toBe(true);
    expect(query).toHaveBeenCalledTimes(4);
  });

  it('lets an address go under all keys', async () => {
    await bounced(under(old));
    const list = under(current, old);
    expect(await isOn(list)).toBe(true);
    expect(await list.lift('email', email, 'complaint')).toBe(false);
    expect(await list.lift('email', email, 'hard_bounce')).toBe(true);
    expect(await repository().count()).toBe(0);
    expect(await list.lift('email', email)).toBe(false);
  });

  it('brings nothing back that is let go while deliveries meet it', async () => {
    const list = under(current, old, oldest);
    for (let round = 0; round < 30; round += 1) {
      await bounced(under(round % 2 ? old : oldest));
      const deliveries = Array.from({ length: 4 }, () => isOn(list));
      const lifted = list.lift('email', email);
      await Promise.all([...deliveries, ...Array.from({ length: 4 }, () => isOn(list))]);
      expect(await lifted).toBe(true);
      expect(await repository().count()).toBe(0);
    }
  });
});

describe.each(databaseKinds)('SuppressionList on %s', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;
  let list: SuppressionList;

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    clock = new TestClock();
    list = new SuppressionList(database.transaction, new KeyedHash(current, old), clock);
    await database.dataSource.getRepository(SuppressionEntity).clear();
  });

  const phone = '+4915112345678';
  const reasons = async () => (await list.entries(10)).map(({ reason }) => reason).toSorted();
  const isOn = (number = phone) => list.contains('sms', number);

  it.each(['hard_bounce', 'complaint', 'operator'] as const)(
    'keeps a STOP when the %s beside it is lifted, whichever came first, and the other way round',
    async (reason) => {
      for (const order of [[reason, 'opt_out'] as const, ['opt_out', reason] as const]) {
        for (const each of order) await list.add('sms', phone, each);
        expect(await reasons()).toEqual([reason, 'opt_out'].toSorted());
        expect(await list.lift('sms', phone, reason)).toBe(true);
        expect(await isOn()).toBe(true);
        await list.add('sms', phone, reason);
        expect(await list.lift('sms', phone, 'opt_out')).toBe(true);
        expect(await reasons()).toEqual([reason]);
        expect(await list.lift('sms', phone)).toBe(true);
        expect(await isOn()).toBe(false);
      }
    },
  );

  it('lifts a STOP that nobody named only when there is nothing else to lift', async () => {
    await list.add('sms', phone, 'hard_bounce');
    await list.add('sms', phone, 'opt_out');
    expect(await list.lift('sms', phone)).toBe(true);
    expect(await reasons()).toEqual(['opt_out']);
    expect(await list.lift('sms', phone)).toBe(true);
    expect(await list.lift('sms', phone)).toBe(false);
  });

  it('holds a STOP for the telephone, and anything else for the number as it was written to', async () => {
    const atHome = '+49015112345678';
    await list.add('sms', phone, 'opt_out');
    expect(await isOn(atHome)).toBe(true);
    expect(await list.lift('sms', atHome, 'opt_out')).toBe(true);
    expect(await isOn()).toBe(false);
    for (const reason of ['hard_bounce', 'complaint', 'operator'] as const) {
      await list.add('sms', atHome, reason);
      expect([await isOn(), await isOn(atHome)]).toEqual([false, true]);
      expect(await list.lift('sms', phone)).toBe(false);
      expect(await list.lift('sms', atHome)).toBe(true);
    }
  });

  const isOnByMail = async (...emails: string[]) => {
    const on = [];
    for (const email of emails) if (await list.contains('email', email)) on.push(email);
    return on;
  };

  it.each(['complaint', 'opt_out'] as const)(
    'holds a %s for the mailbox at Gmail, and elsewhere for the address alone',
    async (reason) => {
      const spellings = ['ann.lee@gmail.com', 'annlee@gmail.com', 'a.nnlee+news@googlemail.com'];
      await list.add('email', 'a.nn.lee+x@gmail.com', reason);
      expect(await isOnByMail(...spellings, 'anna.lee@gmail.com')).toEqual(spellings);
      expect(await list.lift('email', 'annlee@gmail.com')).toBe(true);
      expect(await isOnByMail(...spellings)).toEqual([]);
      await list.add('email', 'ann.lee@example.com', reason);
      expect(await isOnByMail('ann.lee@example.com', 'annlee@example.com', 'ann.lee+x@example.com')).toEqual([
        'ann.lee@example.com',
      ]);
    },
  );

  it.each(['hard_bounce', 'operator'] as const)(
    'holds a %s for the very address: nobody is shut out by another spelling',
    async (reason) => {
      await list.add('email', 'ann+typo@gmail.com', reason);
      await list.add('email', 'ann+typo@example.com', reason);
      const listed = ['ann+typo@gmail.com', 'ann+typo@example.com'];
      expect(await isOnByMail(...listed, 'ann@gmail.com', 'a.nn+typo@gmail.com', 'ann@example.com')).toEqual(
        listed,
      );
    },
  );

  it('notes a complaint at Gmail beside a bounce, and lets both go when an operator lifts the address', async () => {
    await list.add('email', 'a.nn@gmail.com', 'hard_bounce');
    await list.add('email', 'a.nn@gmail.com', 'complaint');
    expect(await reasons()).toEqual(['complaint', 'hard_bounce']);
    expect(await list.lift('email', 'a.nn@gmail.com', 'hard_bounce')).toBe(true);
    expect(await isOnByMail('ann@gmail.com')).toEqual(['ann@gmail.com']);
    await list.add('email', 'a.nn@gmail.com', 'hard_bounce');
    expect(await list.lift('email', 'a.nn@gmail.com')).toBe(true);
    expect(await reasons()).toEqual([]);
  });
});
