import { RecipientLimit } from '../../src/auth/send/recipient-limit.js';
import type { ConfirmationType } from '../../src/auth/messages/confirmation-type.js';
import { readConfig } from '../../src/config/config.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { createLog } from '../../src/platform/log.js';
import { SlidingLogEntity, SqlSlidingLog } from '../../src/rate-limit/sql-sliding-log.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';
import { TestClock } from '../support/test-clock.js';

const minute = 60_000;
const hour = 60 * minute;
const ann = 'ann@example.com';

describe.each(databaseKinds)('RecipientLimit on %s', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;
  let sent: SqlSlidingLog;

  beforeAll(async () => {
    database = await openDatabase(kind);
    sent = new SqlSlidingLog(database.transaction);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    clock = new TestClock();
    await database.dataSource.getRepository(SlidingLogEntity).clear();
  });

  const withLimit = (LIMIT_RECIPIENT: string) => {
    const config = readConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent', LIMIT_RECIPIENT });
    return new RecipientLimit(sent, new KeyedHash(Buffer.alloc(32, 7)), config, clock, createLog(config));
  };

  /** How many of so many of one type leave, one after the other. */
  async function leaving(limit: RecipientLimit, type: ConfirmationType, of: number, to = ann) {
    let count = 0;
    for (let i = 0; i < of; i += 1) if (await limit.take(type, 'email', to)) count += 1;
    return count;
  }

  it('lets ten of one type leave in six hours, and then one in an hour', async () => {
    const limit = withLimit('30/24h');
    expect(await leaving(limit, 'recovery', 12)).toBe(10);
    expect(await leaving(limit, 'magiclink', 12)).toBe(10);
    clock.advance(hour - 1);
    expect(await leaving(limit, 'recovery', 2)).toBe(0);
    clock.advance(1);
    expect(await leaving(limit, 'recovery', 2)).toBe(1);
    clock.advance(5 * hour);
    expect(await leaving(limit, 'recovery', 12)).toBe(9);
  });

  it('lets thirty of all types leave in a day, six in five minutes, but for the first of a type in an hour', async () => {
    const limit = withLimit('6/5m,30/24h');
    expect(await leaving(limit, 'recovery', 12)).toBe(6);
    expect(await leaving(limit, 'magiclink', 3)).toBe(1);
    clock.advance(5 * minute);
    expect(await leaving(limit, 'magiclink', 12)).toBe(6);
    clock.advance(5 * minute);
    expect(await leaving(limit, 'signup', 12)).toBe(6);
    clock.advance(5 * minute);
    expect(await leaving(limit, 'email_change', 12)).toBe(6);
    clock.advance(5 * minute);
    // 25 have left, and of each type one within the hour.
    expect((await leaving(limit, 'recovery', 12)) + (await leaving(limit, 'signup', 12))).toBe(5);
    clock.advance(hour);
    expect(await leaving(limit, 'recovery', 3)).toBe(1);
    expect(await leaving(limit, 'email_change', 3)).toBe(1);
    clock.advance(24 * hour);
    expect(await leaving(limit, 'recovery', 12)).toBe(6);
  });

  it('counts all spellings of a mailbox and of a telephone together, and nobody else', async () => {
    const limit = withLimit('2/5m,30/24h');
    for (const to of ['a.nn@gmail.com', 'ann+1@googlemail.com'])
      expect(await limit.take('recovery', 'email', to)).not.toBeNull();
    expect(await limit.take('recovery', 'email', 'ann@gmail.com')).toBeNull();
    for (const to of ['+5215512345678', '+525512345678'])
      expect(await limit.take('sms', 'sms', to)).not.toBeNull();
    expect(await limit.take('sms', 'sms', '+5215512345678')).toBeNull();
    expect(await limit.take('recovery', 'email', 'a.nn@example.com')).not.toBeNull();
  });

  it('gives back what did not leave, for the type and for all of them', async () => {
    const limit = withLimit('1/5m');
    const slot = await limit.take('recovery', 'email', ann);
    expect(await limit.take('recovery', 'email', ann)).toBeNull();
    await limit.giveBack(slot!);
    expect(await limit.take('recovery', 'email', ann)).not.toBeNull();
    expect(await leaving(limit, 'recovery', 1)).toBe(0);
  });

  it('takes nothing of a type for what the limit over all refuses', async () => {
    const limit = withLimit('1/5m,30/24h');
    await limit.take('recovery', 'email', ann);
    expect(await leaving(limit, 'recovery', 20)).toBe(0);
    expect(await leaving(withLimit('1000/5m,30/24h'), 'recovery', 20)).toBe(9);
  });

  it('lets exactly so many of a hundred that are asked for at once leave', async () => {
    const limit = withLimit('6/5m,30/24h');
    await limit.take('recovery', 'email', ann);
    const slots = await Promise.all(Array.from({ length: 100 }, () => limit.take('recovery', 'email', ann)));
    expect(slots.filter((slot) => slot !== null)).toHaveLength(5);
  });

  it('keeps keyed hashes, never an address', async () => {
    await withLimit('6/5m').take('recovery', 'email', ann);
    const rows = await database.dataSource.query<{ text: string }[]>(
      'SELECT log::text AS text FROM sliding_logs log',
    );
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toContain('ann');
  });
});
