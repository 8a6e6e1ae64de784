import { randomUUID } from 'node:crypto';
import type { Outcome, ProviderAttempt } from '../../src/auth/messages/delivery.js';
import { DeliveryAttemptEntity, MessageEntity } from '../../src/auth/messages/message.entities.js';
import { leaseMs, MessageQueue } from '../../src/auth/outbox/message-queue.js';
import { uuidV7 } from '../../src/platform/ids.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';
import { TestClock } from '../support/test-clock.js';

describe.each(databaseKinds)('the queue of messages on %s', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;
  let queue: MessageQueue;

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    clock = new TestClock();
    queue = new MessageQueue(database.dataSource, clock);
    await messages().clear();
    await tries().clear();
  });

  const tries = () => database.dataSource.getRepository(DeliveryAttemptEntity);
  const messages = () => database.dataSource.getRepository(MessageEntity);

  async function accept(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const at = new Date(clock.now() - count + i);
      const recipient = `user${i}@example.com`;
      const row = {
        id: randomUUID(),
        type: 'signup',
        channel: 'email',
        recipient,
        dueAt: at,
        acceptedAt: at,
      } as const;
      await messages().insert(row);
    }
  }

  /** Claims the one message that is due. */
  async function claimOne() {
    const [message, ...others] = await queue.claim(10);
    if (!message || others.length > 0) throw new Error('Expected exactly one message');
    return message;
  }

  it('hands each message to one of several workers, oldest first', async () => {
    await accept(100);
    const [first] = await queue.claim(1);
    expect(first?.recipient).toBe('user0@example.com');
    const batches = await Promise.all(Array.from({ length: 12 }, () => queue.claim(10)));
    const ids = [first, ...batches.flat()].map((message) => message?.id);
    expect(ids.length).toBeLessThanOrEqual(100);
    expect(new Set(ids).size).toBe(ids.length);
    const rest = await queue.claim(100);
    expect(ids.length + rest.length).toBe(100);
  });

  it('gives the message of a dead worker to another when the lease has run out, and not before', async () => {
    await accept(1);
    const dead = await claimOne();
    clock.advance(leaseMs - 1);
    expect(await queue.claim(10)).toEqual([]);
    clock.advance(1);
    const again = await claimOne();
    expect(again).toMatchObject({ id: dead.id, attempts: 2 });
    expect(again.claim).not.toBe(dead.claim);
  });

  it('keeps a message whose lease is renewed', async () => {
    await accept(1);
    const message = await claimOne();
    clock.advance(leaseMs - 1);
    await queue.renew([message]);
    clock.advance(leaseMs - 1);
    expect(await queue.claim(10)).toEqual([]);
  });

  it('does not give a worker what it has in hand, even after its lease, and gives it to another', async () => {
    await accept(2);
    const held = await queue.claim(1);
    clock.advance(leaseMs);
    const next = await queue.claim(10, held);
    expect(next).toMatchObject([{ recipient: 'user1@example.com', takenOver: false }]);
    expect(await queue.claim(10, next)).toMatchObject([{ id: held[0]?.id, takenOver: true }]);
  });

  it('leaves a message whose lease ran out to the worker that still holds it, who may settle it', async () => {
    await accept(2);
    const [held] = await queue.claim(1);
    if (!held) throw new Error('Nothing was due');
    clock.advance(leaseMs);
    expect((await queue.claim(10, [held])).map(({ recipient }) => recipient)).toEqual(['user1@example.com']);
    await queue.settle(held, { status: 'sent' }, [attemptAt('smtp', { outcome: 'sent', error: null })]);
    expect(await messages().findOneBy({ id: held.id })).toMatchObject({ status: 'sent', attempts: 1 });
    expect(await tries().find()).toMatchObject([{ provider: 'smtp', outcome: 'sent' }]);
  });

  it('lets nobody settle or renew what has passed to another', async () => {
    await accept(1);
    const late = await claimOne();
    clock.advance(leaseMs);
    const owner = await claimOne();
    await queue.settle(late, { status: 'failed', reason: 'late' });
    await queue.renew([late]);
    expect(await messages().findOneBy({ id: owner.id })).toMatchObject({ status: 'sending', reason: null });
    await queue.settle(owner, { status: 'sent' });
    expect(await messages().findOneBy({ id: owner.id })).toMatchObject({ status: 'sent', claimedBy: null });
    clock.advance(2 * leaseMs);
    expect(await queue.claim(10)).toEqual([]);
  });

  it('makes a failed attempt due again within its backoff, and remembers why', async () => {
    await accept(1);
    await queue.settle(await claimOne(), { status: 'retry', reason: 'connection_failed' });
    const [row] = await messages().find();
    expect(row).toMatchObject({
      status: 'accepted',
      reason: 'connection_failed',
      attempts: 1,
      endedAt: null,
    });
    expect(row?.dueAt.getTime()).toBeLessThanOrEqual(clock.now() + 500);
    clock.advance(500);
    expect((await claimOne()).attempts).toBe(2);
  });

  it('keeps the place and the count of a message that was put off untried', async () => {
    await accept(2);
    const [oldest] = await queue.claim(1);
    if (!oldest) throw new Error('Nothing was due');
    await queue.settle(oldest, { status: 'delayed', waitMs: 60_000 });
    const [next] = await queue.claim(1);
    expect(next).toMatchObject({ id: oldest.id, attempts: 1 });
  });

  it('records when and why a message ended', async () => {
    await accept(1);
    const message = await claimOne();
    await queue.settle(message, { status: 'dropped', reason: 'unknown_user' });
    const row = await messages().findOneBy({ id: message.id });
    expect(row).toMatchObject({ status: 'dropped', reason: 'unknown_user', endedAt: new Date(clock.now()) });
  });

  function attemptAt(provider: string, fields: Partial<ProviderAttempt> = {}): ProviderAttempt {
    const at = new Date(clock.now());
    const times = { startedAt: at, endedAt: at };
    return {
      id: uuidV7(clock.now()),
      provider,
      receiptId: null,
      outcome: 'transient',
      error: 'deferred',
      ...times,
      ...fields,
    };
  }

  it('keeps a row of each provider that was tried, together with the outcome', async () => {
    await accept(1);
    const message = await claimOne();
    const first = attemptAt('smtp:a:25');
    clock.advance(1);
    const second = attemptAt('smtp:b:25', { outcome: 'sent', error: null, receiptId: '4WxYz12345' });
    await queue.settle(message, { status: 'sent' }, [first, second]);
    const rows = await tries().find({ order: { id: 'ASC' } });
    expect(rows).toEqual([
      { ...first, messageId: message.id, attempt: 1 },
      { ...second, messageId: message.id, attempt: 1 },
    ]);
    expect(await messages().findOneBy({ id: message.id })).toMatchObject({ status: 'sent' });
  });

  it('keeps the rows of many messages that are settled at once apart', async () => {
    await accept(50);
    const claimed = await queue.claim(50);
    await Promise.all(
      claimed.map((message, n) =>
        queue.settle(message, n % 2 ? { status: 'sent' } : { status: 'dropped', reason: 'banned' }, [
          ...(n % 2 ? [attemptAt(`smtp:${n}`, { outcome: 'sent', error: null })] : []),
        ]),
      ),
    );
    const expected = claimed.flatMap(({ id }, n) => (n % 2 ? [[id, `smtp:${n}`]] : []));
    const rows = (await tries().find()).map(({ messageId, provider }) => [messageId, provider]);
    expect(rows.toSorted()).toEqual(expected.toSorted());
  });

  it('writes a try once, however often it is told', async () => {
    await accept(1);
    const message = await claimOne();
    const attempt = attemptAt('smtp');
    await queue.settle(message, { status: 'retry', reason: 'deferred' }, [attempt]);
    await queue.settle(message, { status: 'retry', reason: 'deferred' }, [attempt]);
    expect(await tries().count()).toBe(1);
  });

  it('writes down that nobody knows what a dead worker did, and tells who takes over', async () => {
    await accept(1);
    const dead = await claimOne();
    expect(dead).toMatchObject({ takenOver: false, uncertain: [] });
    clock.advance(leaseMs);
    const owner = await claimOne();
    expect(owner).toMatchObject({ takenOver: true, uncertain: [] });
    expect(await tries().find()).toEqual([
      {
        id: expect.any(String),
        messageId: dead.id,
        attempt: 1,
        provider: null,
        receiptId: null,
        outcome: 'unknown',
        error: 'lease_expired',
        startedAt: null,
        endedAt: new Date(clock.now()),
      },
    ]);
    await queue.settle(owner, { status: 'sent' });
    expect(await queue.claim(10)).toEqual([]);
    expect(await tries().count()).toBe(1);
  });

  it('lets a worker that comes late say what it did, and changes nothing else', async () => {
    await accept(1);
    const late = await claimOne();
    clock.advance(leaseMs);
    await claimOne();
    await queue.settle(late, { status: 'sent' }, [attemptAt('smtp', { outcome: 'sent', error: null })]);
    expect(await messages().findOneBy({ id: late.id })).toMatchObject({ status: 'sending', attempts: 2 });
    const rows = await tries().find({ order: { outcome: 'ASC' } });
    expect(rows.map(({ attempt, provider, outcome }) => [attempt, provider, outcome])).toEqual([
      [1, 'smtp', 'sent'],
      [1, null, 'unknown'],
    ]);
  });

  it('lets an event that overtook the worker stand, and keeps the row', async () => {
    await accept(1);
    const message = await claimOne();
    const endedAt = new Date(clock.now());
    await messages().update({ id: message.id }, { status: 'delivered', claimedBy: null, endedAt });
    clock.advance(10);
    await queue.settle(message, { status: 'sent' }, [attemptAt('smtp', { outcome: 'sent', error: null })]);
    expect(await messages().findOneBy({ id: message.id })).toMatchObject({ status: 'delivered', endedAt });
    expect(await tries().find()).toMatchObject([{ provider: 'smtp', outcome: 'sent', attempt: 1 }]);
  });

  it('remembers for the next attempt who lost an answer, until an operator asks anew', async () => {
    await accept(1);
    const lost = { outcome: 'unknown', error: 'timed_out' } as const;
    for (const expected of [[], ['smtp:a'], ['smtp:a', 'smtp:a']]) {
      const message = await claimOne();
      expect(message.uncertain).toEqual(expected);
      const others = [attemptAt('smtp:b')];
      await queue.settle(message, { status: 'retry', reason: 'timed_out' }, [
        attemptAt('smtp:a', lost),
        ...others,
      ]);
      clock.advance(60_000);
    }
    await messages().update({ status: 'accepted' }, { requeuedAt: new Date(clock.now()) });
    const anew = await claimOne();
    expect(anew).toMatchObject({ uncertain: [], requeuedAt: new Date(clock.now()), attempts: 4 });
  });

  it('tells whether a message was tried, since an operator asked for it once more if one did', async () => {
    await accept(1);
    const waiting = { status: 'waiting', reason: 'providers_away', waitMs: 0 } as const;
    const retry = { status: 'retry', reason: 'deferred' } as const;
    const next = async (outcome: Outcome, tried: ProviderAttempt[] = []) => {
      const message = await claimOne();
      clock.advance(1);
      await queue.settle(message, outcome, tried);
      clock.advance(60_000);
      return message.tried;
    };
    expect(await next(waiting)).toBe(false);
    // An attempt that broke off before anybody was asked.
    expect(await next({ status: 'retry', reason: 'internal_error' })).toBe(false);
    expect(await next(retry, [attemptAt('smtp')])).toBe(false);
    expect(await next({ status: 'failed', reason: 'expired' })).toBe(true);
    const requeuedAt = new Date(clock.now());
    await messages().update(
      { status: 'failed' },
      { status: 'accepted', requeuedAt, dueAt: requeuedAt, endedAt: null },
    );
    expect(await next(waiting)).toBe(false);
    expect(await next(retry, [attemptAt('smtp')])).toBe(false);
    expect(await next(retry)).toBe(true);
  });

  it('takes what a dead worker held for tried', async () => {
    await accept(1);
    await claimOne();
    clock.advance(leaseMs);
    expect(await claimOne()).toMatchObject({ takenOver: true, tried: true });
  });

  it('puts off a message that no provider can take, which is no attempt', async () => {
    await accept(1);
    await queue.settle(await claimOne(), { status: 'waiting', reason: 'providers_away', waitMs: 7_000 });
    const [row] = await messages().find();
    expect(row).toMatchObject({ status: 'accepted', reason: 'providers_away', attempts: 0, endedAt: null });
    clock.advance(6_999);
    expect(await queue.claim(10)).toEqual([]);
    clock.advance(1);
    expect(await claimOne()).toMatchObject({ attempts: 1 });
    expect(await tries().count()).toBe(0);
  });
});
