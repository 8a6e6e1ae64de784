import { randomBytes, randomUUID } from 'node:crypto';
import { FinishedMessages } from '../../src/auth/messages/finished-messages.js';
import {
  DeliveryAttemptEntity,
  DeliveryEventEntity,
  MessageEntity,
} from '../../src/auth/messages/message.entities.js';
import { MessageQueue } from '../../src/auth/outbox/message-queue.js';
import { messageStatuses } from '../../src/auth/messages/message-status.js';
import { ExpiredTokens } from '../../src/auth/tokens/expired-tokens.js';
import { TokenEntity } from '../../src/auth/tokens/token.statements.js';
import { retentionJobs, retentions } from '../../src/auth/retention-jobs.js';
import { ExpiredRows } from '../../src/housekeeping/expired-rows.js';
import { Housekeeping, type RetentionJob } from '../../src/housekeeping/housekeeping.js';
import { readConfig } from '../../src/config/config.js';
import { createLog } from '../../src/platform/log.js';
import { uuidV7 } from '../../src/platform/ids.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { messageAt } from '../support/operator.js';
import { databaseKinds } from '../support/services.js';
import { TestClock } from '../support/test-clock.js';

const hour = 3_600_000;
const retention = 30 * 24 * hour;
const silent = createLog(readConfig({ LOG_LEVEL: 'silent' }));

describe.each(databaseKinds)('housekeeping on %s', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;
  let housekeeping: Housekeeping;
  const messages = () => database.dataSource.getRepository(MessageEntity);
  const attempts = () => database.dataSource.getRepository(DeliveryAttemptEntity);
  const events = () => database.dataSource.getRepository(DeliveryEventEntity);
  const tokens = () => database.dataSource.getRepository(TokenEntity);

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    clock = new TestClock();
    const { dataSource, config } = database;
    housekeeping = new Housekeeping(
      [new FinishedMessages(dataSource, clock, config), new ExpiredTokens(dataSource, clock, config)],
      silent,
    );
    for (const repository of [messages(), attempts(), events(), tokens()]) await repository.clear();
  });

  /** A message that ended `age` ago, after two hours of trying, with an attempt and an event. */
  async function insertAll(rows: readonly MessageEntity[]): Promise<void> {
    for (let from = 0; from < rows.length; from += 1_000) {
      await messages().insert(rows.slice(from, from + 1_000));
    }
    const attemptsOf = rows.map(({ id, dueAt }) => ({
      id: uuidV7(dueAt.getTime()),
      messageId: id,
      attempt: 1,
      provider: 'smtp',
      receiptId: null,
      outcome: 'sent' as const,
      error: null,
      startedAt: dueAt,
      endedAt: dueAt,
    }));
    const eventsOf = rows.map(({ id, dueAt }) => ({
      provider: 'smtp',
      eventId: randomUUID(),
      messageId: id,
      kind: 'delivered' as const,
      detail: null,
      occurredAt: dueAt,
      receivedAt: dueAt,
    }));
    for (let from = 0; from < rows.length; from += 1_000) {
      await attempts().insert(attemptsOf.slice(from, from + 1_000));
      await events().insert(eventsOf.slice(from, from + 1_000));
    }
  }

  const endedAgo = (age: number, fields: Partial<MessageEntity> = {}) =>
    messageAt(clock.now() - age - 2 * hour, { endedAt: new Date(clock.now() - age), ...fields });
  const left = async () => ({
    messages: (await messages().find()).map(({ id }) => id).sort(),
    attempts: (await attempts().find()).map(({ messageId }) => messageId).sort(),
    events: (await events().find()).map(({ messageId }) => messageId).sort(),
  });
  const onlyOf = (rows: readonly MessageEntity[]) => {
    const ids = rows.map(({ id }) => id).sort();
    return { messages: ids, attempts: ids, events: ids };
  };

  it('takes a message away that ended a retention ago, with all that belongs to it, and none a millisecond younger', async () => {
    const [due, young] = [endedAgo(retention), endedAgo(retention - 1)];
    await insertAll([due, young]);
    expect(await housekeeping.sweep()).toEqual({ messages: 1, tokens: 0 });
    expect(await left()).toEqual(onlyOf([young]));
    clock.advance(1);
    expect(await housekeeping.sweep()).toEqual({ messages: 1, tokens: 0 });
    expect(await left()).toEqual(onlyOf([]));
  });

  it('looks at the end of a message that ended in the millisecond in which it was accepted', async () => {
    const message = messageAt(clock.now() - retention);
    await insertAll([message]);
    expect(await housekeeping.sweep()).toMatchObject({ messages: 1 });
  });

  it('never takes what has not ended, however old it is', async () => {
    const rows = messageStatuses.map((status) =>
      endedAgo(3 * retention, {
        status,
        endedAt: status === 'accepted' || status === 'sending' ? null : new Date(clock.now() - 3 * retention),
      }),
    );
    await insertAll(rows);
    expect(await housekeeping.sweep()).toMatchObject({ messages: messageStatuses.length - 2 });
    const stay = rows.filter(({ status }) => status === 'accepted' || status === 'sending');
    expect(await left()).toEqual(onlyOf(stay));
  });

  it('counts from the last end of a message that was sent once more', async () => {
    const requeued = endedAgo(retention - hour, {
      id: uuidV7(clock.now() - 2 * retention),
      acceptedAt: new Date(clock.now() - 2 * retention),
      requeuedAt: new Date(clock.now() - retention),
    });
    const overdue = endedAgo(retention);
    await insertAll([requeued, overdue]);
    expect(await housekeeping.sweep()).toMatchObject({ messages: 1 });
    expect(await left()).toEqual(onlyOf([requeued]));
  });

  it('takes 5,000 away in small steps, also those behind many that stay', async () => {
    const stay = Array.from({ length: 600 }, (_, i) =>
      endedAgo(retention - hour, { id: uuidV7(clock.now() - 2 * retention + i) }),
    );
    const overdue = Array.from({ length: 5_000 }, (_, i) => endedAgo(retention + i));
    await insertAll([...stay, ...overdue]);
    const sizes: number[] = [];
    for await (const size of new FinishedMessages(database.dataSource, clock, database.config).sweep()) {
      sizes.push(size);
    }
    expect(sizes).toEqual([...Array<number>(50).fill(100), 0]);
    expect(await left()).toEqual(onlyOf(stay));
  });

  it('does it all in one sweep, and two instances at once do it together', async () => {
    await insertAll(Array.from({ length: 2_000 }, (_, i) => endedAgo(retention + i)));
    const { dataSource, config } = database;
    const another = new Housekeeping([new FinishedMessages(dataSource, clock, config)], silent);
    const counts = await Promise.all([housekeeping.sweep(), another.sweep()]);
    expect(counts[0]['messages']! + counts[1]['messages']!).toBe(2_000);
    expect(await left()).toEqual(onlyOf([]));
  });

  it('takes links and codes away when they expire, and none a millisecond before', async () => {
    const token = (expiresAt: number, madeAt: number) => ({
      id: uuidV7(madeAt),
      userId: randomUUID(),
      purpose: 'signup' as const,
      recipient: 'user@example.com',
      linkHash: randomBytes(32),
      codeHash: randomBytes(32),
      codeSeed: randomUUID(),
      expiresAt: new Date(expiresAt),
    });
    const day = database.config.tokenLifetimeMs.signup;
    const now = clock.now();
    const living = token(now + 1, now - day + 1);
    const outlived = token(now + hour, now - 3 * day);
    const expired = Array.from({ length: 1_100 }, (_, i) => token(now - i, now - day - i));
    await tokens().insert([living, outlived, ...expired]);
    expect(await housekeeping.sweep()).toEqual({ messages: 0, tokens: 1_100 });
    expect((await tokens().find()).map(({ id }) => id).sort()).toEqual([outlived.id, living.id].sort());
    clock.advance(1);
    expect(await housekeeping.sweep()).toMatchObject({ tokens: 1 });
  });

  it('goes on with the others when one job fails', async () => {
    const failing = {
      what: 'ruins',
      sweep: () => ({
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('The database is away')) }),
      }),
    } satisfies RetentionJob;
    await insertAll([endedAgo(retention)]);
    const { dataSource, config } = database;
    const both = new Housekeeping([failing, new FinishedMessages(dataSource, clock, config)], silent);
    expect(await both.sweep()).toEqual({ ruins: 0, messages: 1 });
  });

  it('stops between two statements when the process does', async () => {
    await insertAll(Array.from({ length: 1_500 }, (_, i) => endedAgo(retention + i)));
    const sweeping = housekeeping.sweep();
    await housekeeping.onModuleDestroy();
    const { messages: taken = 0 } = await sweeping;
    expect(taken).toBeLessThan(1_500);
    expect((await left()).messages).toHaveLength(1_500 - taken);
  });

  it('leaves the queue as it is: what is due is claimed and settled while it sweeps', async () => {
    await insertAll(Array.from({ length: 1_000 }, (_, i) => endedAgo(retention + i)));
    await insertAll(
      Array.from({ length: 50 }, (_, i) => messageAt(clock.now() - i, { status: 'accepted', attempts: 0 })),
    );
    const queue = new MessageQueue(database.dataSource, clock);
    const [counts, claimed] = await Promise.all([
      housekeeping.sweep(),
      queue.claim(50).then(async (held) => {
        await Promise.all(held.map((message) => queue.settle(message, { status: 'sent' })));
        return held;
      }),
    ]);
    expect(counts).toMatchObject({ messages: 1_000 });
    expect(claimed).toHaveLength(50);
    expect((await left()).messages).toHaveLength(50);
  });

  describe('of rows that end by their age alone', () => {
    const at = (ms: number) => new Date(ms).toISOString();
    const bytes = () => `\\x${randomBytes(32).toString('hex')}`;
    /** A row of each table, whose retention began at that moment. */
    const rowsFrom: Record<string, (ms: number) => [columns: string, values: unknown[]]> = {
      used_links: (ms) => ['link_hash, purpose, expires_at', [bytes(), 'signup', at(ms)]],
      idempotency_keys: (ms) => [
        'key, fingerprint, message_id, expires_at',
        [bytes(), bytes(), randomUUID(), at(ms)],
      ],
      sliding_logs: (ms) => ['key, times, expires_at', [bytes(), [at(ms - hour)], at(ms)]],
      sms_keywords: (ms) => [
        'provider, event_id, keyword, received_at',
        ['twilio', randomUUID(), 'stop', at(ms)],
      ],
      sms_prefixes: (ms) => ['prefix, debt_ms, at', [randomUUID(), 1, at(ms)]],
      sms_spending: (ms) => ['day, scope, micros', [at(ms).slice(0, 10), randomUUID(), 1]],
    };
    const insertFrom = (table: string, ms: number) => {
      const [columns, values] = rowsFrom[table]!(ms);
      const places = values.map((_, i) => `$${i + 1}`).join(', ');
      return database.dataSource.query(`INSERT INTO ${table} (${columns}) VALUES (${places})`, values);
    };
    const count = async (table: string) =>
      (await database.dataSource.query<{ n: number }[]>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n;

    it('is about every table but those of people and of what is asked of us for good', async () => {
      const { dataSource, config } = database;
      const swept = retentionJobs(dataSource, clock, config).map(({ what }) => what);
      const kept = ['users', 'suppressions'];
      const goWithTheirMessage = ['delivery_attempts', 'delivery_events'];
      const tables = dataSource.entityMetadatas.map(({ tableName }) => tableName);
      expect([...swept, ...kept, ...goWithTheirMessage].sort()).toEqual(tables.sort());
    });

    it.each(Object.keys(rowsFrom))('ends those of %s on time, and none before', async (table) => {
      const { dataSource } = database;
      const retention = retentions.find((it) => it.table === table)!;
      // Books are kept by the day.
      const unit = table === 'sms_spending' ? 24 * hour : 1;
      const job = new Housekeeping([new ExpiredRows(retention, dataSource, clock)], silent);
      await dataSource.query(`DELETE FROM ${table}`);
      const over = clock.now() - retention.keptMs - (table === 'sms_spending' ? unit : 0);
      await insertFrom(table, over);
      await insertFrom(table, over + unit);
      expect(await job.sweep()).toEqual({ [table]: 1 });
      expect(await count(table)).toBe(1);
      clock.advance(unit);
      expect(await job.sweep()).toEqual({ [table]: 1 });
    });

    it('takes any number away, 500 rows at a time, by an index', async () => {
      const { dataSource } = database;
      const retention = retentions.find(({ table }) => table === 'sliding_logs')!;
      await dataSource.query(
        `INSERT INTO sliding_logs (key, times, expires_at)
         SELECT uuid_send(gen_random_uuid()), '{}', $1 FROM generate_series(1, 1200)`,
        [at(clock.now())],
      );
      const sizes: number[] = [];
      for await (const size of new ExpiredRows(retention, dataSource, clock).sweep()) sizes.push(size);
      expect(sizes).toEqual([500, 500, 200]);
      for (const { table, from } of retentions) {
        const indexes = await dataSource.query<{ definition: string }[]>(
          `SELECT indexdef AS definition FROM pg_indexes WHERE tablename = $1`,
          [table],
        );
        expect(indexes.map(({ definition }) => definition).join('\n')).toMatch(new RegExp(`\\(${from}[,)]`));
      }
    });
  });

  // The embedded database has one session: there a transaction that is open lets nobody else in.
  if (kind === 'embedded') return;

  it('waits for nobody: rows that a transaction holds stay until the next time', async () => {
    const rows = Array.from({ length: 20 }, (_, i) => endedAgo(retention + i));
    await insertAll(rows);
    const held = rows[7]!;
    const holder = database.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query(`SELECT 1 FROM messages WHERE id = $1 FOR UPDATE`, [held.id]);
    try {
      expect(await housekeeping.sweep()).toMatchObject({ messages: 19 });
      expect(await left()).toEqual(onlyOf([held]));
    } finally {
      await holder.rollbackTransaction();
      await holder.release();
    }
    expect(await housekeeping.sweep()).toMatchObject({ messages: 1 });
  });
});
