import { randomUUID } from 'node:crypto';
import { MessageEntity } from '../../src/auth/outbox/message.entity.js';
import { leaseMs, MessageQueue } from '../../src/auth/outbox/message-queue.js';
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
  });

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
});
