import { randomBytes, randomUUID } from 'node:crypto';
import type { Config } from '../../src/config/config.js';
import type { Asker } from '../../src/auth/messages/asked-by.js';
import { FinishedMessages } from '../../src/auth/messages/finished-messages.js';
import { GuessTotals } from '../../src/auth/tokens/guess-totals.js';
import { MessageGuesses } from '../../src/auth/tokens/message-guesses.js';
import { Outbox } from '../../src/auth/outbox/outbox.js';
import type { Notifications } from '../../src/database/notifications.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { uuidOf } from '../../src/platform/ids.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';
import { TestClock } from '../support/test-clock.js';

const day = 86_400_000;
const unbound = 30;

describe.each(databaseKinds)('Guesses on %s', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;
  let asker: Asker;
  const key = randomBytes(32);
  const hash = new KeyedHash(key);

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(() => {
    clock = new TestClock();
    asker = { identifier: `${randomUUID()}@example.com`, purpose: 'recovery', client: '192.0.2.1' };
  });

  describe('that belong to a message', () => {
    const guesses = (under = hash) => new MessageGuesses(database.transaction, under, clock, database.config);

    /** Asks for a code, and returns the UUID of its message. */
    async function asked({ identifier, client }: Asker = asker): Promise<string> {
      const silent = { publish: () => undefined } as unknown as Notifications;
      const outbox = new Outbox(database.dataSource, database.transaction, silent, hash, clock);
      const request = { type: 'recovery', channel: 'email', identifier, client, redirectTo: null } as const;
      return uuidOf((await outbox.accept(request)).message_id) ?? '';
    }

    const named = (uuid: string, times: number, who = asker) =>
      Promise.all(Array.from({ length: times }, () => guesses().countNamed(uuid, who)));
    const ofAsker = async (times: number, who = asker) =>
      (await Promise.all(Array.from({ length: times }, () => guesses().countOfAsker(who)))).filter(Boolean)
        .length;

    it('are five for each that is named, counted down, and not one more at once', async () => {
      const [first, second] = [await asked(), await asked()];
      const left = await named(first, 20);
      expect(left.sort()).toEqual([...Array.from({ length: 15 }, () => -1), 0, 1, 2, 3, 4].sort());
      expect(await named(second, 1)).toEqual([4]);
    });

    it.each<[string, Partial<Asker>]>([
      ['another address', { identifier: 'somebody-else@example.com' }],
      ['another type', { purpose: 'magiclink' }],
    ])('are none when it was answered for %s', async (_what, other) => {
      const uuid = await asked();
      expect(await named(uuid, 1, { ...asker, ...other })).toEqual([null]);
      expect(await named(randomUUID(), 1)).toEqual([null]);
      expect(await ofAsker(1, { ...asker, ...other })).toBe(0);
    });

    it('are named from any client, and of the asker from the one that asked', async () => {
      const uuid = await asked();
      const elsewhere = { ...asker, client: '198.51.100.7' };
      expect(await named(uuid, 1, elsewhere)).toEqual([4]);
      expect(await ofAsker(1, elsewhere)).toBe(0);
    });

    it('are five more of the client that asked, for each that it asked for, apart from those that name it', async () => {
      const uuid = await asked();
      expect(await ofAsker(5)).toBe(5);
      expect(await ofAsker(1)).toBe(0);
      expect(await named(uuid, 1)).toEqual([4]);
      await asked();
      expect(await ofAsker(4)).toBe(4);
    });

    it('are those of a message for as long as its code can live, by the time in its id', async () => {
      const uuid = await asked();
      const lifetimeMs = database.config.tokenLifetimeMs.recovery;
      clock.advance(lifetimeMs);
      expect(await named(uuid, 1)).toEqual([4]);
      expect(await ofAsker(1)).toBe(1);
      clock.advance(1);
      expect(await named(uuid, 1)).toEqual([null]);
      expect(await ofAsker(1)).toBe(0);
    });

    it('find the client also under the key of the time when it asked', async () => {
      await asked();
      expect(await guesses(new KeyedHash(randomBytes(32), key)).countOfAsker(asker)).toBe(true);
      expect(await guesses(new KeyedHash(randomBytes(32))).countOfAsker(asker)).toBe(false);
    });

    it('keep the row of a message that has ended for as long, whatever it ended as', async () => {
      const lifetimes = { ...database.config.tokenLifetimeMs, recovery: 3 * day };
      const config = Object.create(database.config, {
        retentionMs: { value: day },
        tokenLifetimeMs: { value: lifetimes },
      }) as Config;
      const uuid = await asked();
      await database.dataSource.query(
        `UPDATE messages SET status = 'dropped', reason = 'unknown_user', ended_at = accepted_at WHERE id = $1`,
        [uuid],
      );
      clock.advance(2 * day);
      const sweep = new FinishedMessages(database.dataSource, clock, config).sweep();
      expect((await sweep.next()).value).toBe(0);
      const later = new MessageGuesses(database.transaction, hash, clock, config);
      expect(await later.countNamed(uuid, asker)).toBe(4);
    });

    it('leave in the outbox no client, but a keyed hash', async () => {
      const uuid = await asked();
      const [row] = await database.dataSource.query<{ asked_by: Buffer }[]>(
        'SELECT asked_by FROM messages WHERE id = $1',
        [uuid],
      );
      expect(row?.asked_by).toHaveLength(16);
    });
  });

  describe('in all', () => {
    const totals = () => new GuessTotals(database.transaction, hash, clock);
    const count = async (times: number, kind: 'bound' | 'unbound' = 'unbound') => {
      const all = [];
      for (let i = 0; i < times; i += 1) all.push(await totals().count(asker.identifier, 'recovery', kind));
      return all.filter(Boolean).length;
    };
    const areTooMany = () => totals().areTooMany(asker.identifier, 'recovery');

    it('are thirty that belong to no message, whatever time passes, and any number that do', async () => {
      expect(await count(35)).toBe(unbound);
      clock.advance(29 * day);
      expect(await count(3)).toBe(0);
      expect(await count(50, 'bound')).toBe(50);
      expect(await count(1)).toBe(0);
    });

    it('are exact for a hundred at once', async () => {
      const all = await Promise.all(
        Array.from({ length: 100 }, () => totals().count(asker.identifier, 'recovery', 'unbound')),
      );
      expect(all.filter(Boolean)).toHaveLength(unbound);
    });

    it('are too many for a code of six digits from the hundredth on, counting the compared ones alone', async () => {
      await count(60);
      await count(69, 'bound');
      expect(await areTooMany()).toBe(false);
      await count(1, 'bound');
      expect(await areTooMany()).toBe(true);
      expect(await totals().areTooMany(asker.identifier, 'magiclink')).toBe(false);
    });

    it('begin anew after a success, and when nobody has guessed for thirty days', async () => {
      await count(100, 'bound');
      await totals().forget(asker.identifier, 'recovery');
      expect(await areTooMany()).toBe(false);
      expect(await count(35)).toBe(unbound);
      clock.advance(30 * day);
      expect(await count(35)).toBe(unbound);
    });

    it('write once whether there are too many or not, by one statement', async () => {
      const query = jest.spyOn(database.transaction.manager, 'query');
      await count(40);
      expect(new Set(query.mock.calls.map(([statement]) => statement)).size).toBe(1);
      expect(query).toHaveBeenCalledTimes(40);
      query.mockRestore();
    });
  });
});
