import { randomBytes, randomUUID } from 'node:crypto';
import { ApiError } from '../../src/http/api-error.js';
import {
  type Claim,
  IdempotencyKeyEntity,
  IdempotencyKeys,
  type ScopedKey,
} from '../../src/auth/accept/idempotency/idempotency-keys.js';
import { type MessageRequest, Outbox } from '../../src/auth/outbox/outbox.js';
import type { Notifications } from '../../src/database/notifications.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';
import { TestClock } from '../support/test-clock.js';

const day = 24 * 60 * 60 * 1_000;
const patience = 30_000;
const request: MessageRequest = {
  type: 'signup',
  channel: 'email',
  identifier: 'user@example.com',
  redirectTo: null,
};

describe.each(databaseKinds)('IdempotencyKeys on %s', (kind) => {
  let database: OpenDatabase;
  let clock: TestClock;
  let keys: IdempotencyKeys;
  let outbox: Outbox;
  let mine: ScopedKey;
  const hash = new KeyedHash(randomBytes(32));

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());
  beforeEach(() => {
    jest.spyOn(Math, 'random').mockReturnValue(0.99);
    clock = new TestClock();
    keys = new IdempotencyKeys(database.dataSource, hash, clock);
    const silent = { publish: () => undefined } as unknown as Notifications;
    outbox = new Outbox(database.dataSource, database.transaction, silent, clock);
    mine = { route: 'resend', client: '192.0.2.1', key: randomUUID() };
  });
  afterEach(() => jest.restoreAllMocks());

  async function claimed(asked: MessageRequest = request, key = mine): Promise<Claim> {
    const reserved = await keys.reserve(key, asked);
    if ('replayOf' in reserved) throw new Error('It was a replay');
    return reserved;
  }

  const accept = ({ messageId }: Claim, asked: MessageRequest = request) =>
    outbox.accept({ ...asked, messageUuid: messageId });

  /** The code of the refusal, or what was reserved. */
  async function refusal(asked: MessageRequest = request, key = mine): Promise<unknown> {
    try {
      return await keys.reserve(key, asked);
    } catch (error) {
      expect(error).toBeInstanceOf(ApiError);
      const { code, status, retryAfter } = error as ApiError;
      return { code, status, retryAfter };
    }
  }

  async function messagesWith(id: string): Promise<number> {
    const rows = await database.dataSource.query<unknown[]>('SELECT FROM messages WHERE id = $1', [id]);
    return rows.length;
  }

  const inFlight = { code: 'idempotency_key_in_flight', status: 409, retryAfter: 1 };
  const reused = { code: 'idempotency_key_reuse', status: 422, retryAfter: undefined };

  it('lets the first request through, and tells the next ones which message it has become', async () => {
    const claim = await claimed();
    await accept(claim);
    expect(await keys.reserve(mine, request)).toEqual({ replayOf: claim.messageId });
    expect(await keys.reserve(mine, { ...request })).toEqual({ replayOf: claim.messageId });
  });

  it('refuses the same request while the first is under way', async () => {
    await claimed();
    expect(await refusal()).toEqual(inFlight);
    clock.advance(patience - 1);
    expect(await refusal()).toEqual(inFlight);
  });

  it('lets exactly one of twenty simultaneous requests through', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => refusal()));
    const through = outcomes.filter((outcome) => 'messageId' in (outcome as object));
    expect(through).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome !== through[0])).toEqual(Array(19).fill(inFlight));
  });

  it.each<[string, Partial<MessageRequest>]>([
    ['type', { type: 'recovery' }],
    ['address', { identifier: 'other@example.com' }],
    ['channel', { channel: 'sms' }],
    ['redirect', { redirectTo: 'https://yourapp.com/verified' }],
  ])('refuses another %s under the same key, accepted or still under way', async (_what, change) => {
    const claim = await claimed();
    expect(await refusal({ ...request, ...change })).toEqual(reused);
    await accept(claim);
    expect(await refusal({ ...request, ...change })).toEqual(reused);
    clock.advance(patience);
    expect(await refusal({ ...request, ...change })).toEqual(reused);
  });

  it.each<[string, Partial<ScopedKey>]>([
    ['client', { client: '192.0.2.2' }],
    ['route', { route: 'signup' }],
    ['key', { key: 'another' }],
  ])('knows nothing of it for another %s', async (_what, change) => {
    const claim = await claimed();
    await accept(claim);
    const others = await claimed(request, { ...mine, ...change, key: change.key ?? mine.key });
    expect(others.messageId).not.toBe(claim.messageId);
  });

  it('forgets a key after 24 hours, and not a millisecond before', async () => {
    const claim = await claimed();
    await accept(claim);
    clock.advance(day - 1);
    expect(await keys.reserve(mine, request)).toEqual({ replayOf: claim.messageId });
    expect(await refusal({ ...request, type: 'recovery' })).toEqual(reused);
    clock.advance(1);
    const next = await claimed({ ...request, type: 'recovery' });
    expect(next.messageId).not.toBe(claim.messageId);
  });

  it('makes a new message when the same request comes with a forgotten key', async () => {
    const claim = await claimed();
    await accept(claim);
    clock.advance(day);
    const next = await claimed();
    expect(next.messageId).not.toBe(claim.messageId);
    await accept(next);
    expect(await keys.reserve(mine, request)).toEqual({ replayOf: next.messageId });
  });

  it('lets a retry take over from a request that died, with the same message', async () => {
    const dead = await claimed();
    clock.advance(patience);
    const retry = await claimed();
    expect(retry.messageId).toBe(dead.messageId);
    expect(await refusal()).toEqual(inFlight);
  });

  it('lets exactly one of twenty retries take over', async () => {
    await claimed();
    clock.advance(patience);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => refusal()));
    expect(outcomes.filter((outcome) => 'messageId' in (outcome as object))).toHaveLength(1);
  });

  it('puts one message into the outbox when the request was not dead but slow', async () => {
    const slow = await claimed();
    clock.advance(patience);
    const retry = await claimed();
    const answers = await Promise.all([accept(slow), accept(retry)]);
    expect(answers[0]).toEqual(answers[1]);
    expect(await messagesWith(slow.messageId)).toBe(1);
  });

  it('does not let a slow request give back what a retry has taken over', async () => {
    const slow = await claimed();
    clock.advance(patience);
    await claimed();
    await keys.giveBack(slow);
    expect(await refusal()).toEqual(inFlight);
  });

  it('takes a key that was given back at once, for the same request under the same id', async () => {
    const failed = await claimed();
    await keys.giveBack(failed);
    const retry = await claimed();
    expect(retry.messageId).toBe(failed.messageId);
    expect(await refusal()).toEqual(inFlight);
  });

  it('takes a key that was given back for another request, under another id', async () => {
    const failed = await claimed();
    await keys.giveBack(failed);
    const other = await claimed({ ...request, type: 'recovery' });
    expect(other.messageId).not.toBe(failed.messageId);
    expect(await refusal()).toEqual(reused);
  });

  it('replays a message that was committed although its request was told that it was not', async () => {
    const claim = await claimed();
    await accept(claim);
    await keys.giveBack(claim);
    expect(await keys.reserve(mine, request)).toEqual({ replayOf: claim.messageId });
    expect(await refusal({ ...request, type: 'recovery' })).toEqual(reused);
  });

  it('keeps hashes only', async () => {
    await claimed();
    const rows = await database.dataSource.getRepository(IdempotencyKeyEntity).find();
    const stored = rows.map((row) => Object.values(row).map(String).join(' ')).join(' ');
    for (const secret of [mine.key, mine.client, request.identifier]) expect(stored).not.toContain(secret);
    expect(rows.every(({ key, fingerprint }) => key.length === 32 && fingerprint.length === 32)).toBe(true);
  });

  it('sweeps overdue keys away, at most 64 at once, and nothing else', async () => {
    const repository = database.dataSource.getRepository(IdempotencyKeyEntity);
    await repository.clear();
    const row = (expiresAt: Date) => ({
      key: randomBytes(32),
      fingerprint: randomBytes(32),
      messageId: randomUUID(),
      claimedAt: new Date(clock.now() - day),
      expiresAt,
    });
    await repository.insert(Array.from({ length: 100 }, () => row(new Date(clock.now()))));
    await repository.insert(Array.from({ length: 10 }, () => row(new Date(clock.now() + 1))));
    jest.spyOn(Math, 'random').mockReturnValue(0);
    await claimed();
    expect(await repository.count()).toBe(100 - 64 + 10 + 1);
    await claimed(request, { ...mine, key: 'another' });
    expect(await repository.count()).toBe(10 + 2);
  });

  describe('while the hashing key is changed', () => {
    const [old, next] = [randomBytes(32), randomBytes(32)];
    const keptBy = (...known: [Buffer, ...Buffer[]]) =>
      new IdempotencyKeys(database.dataSource, new KeyedHash(...known), clock);
    const before = () => keptBy(old);
    const announcing = () => keptBy(old, next);
    const rotated = () => keptBy(next, old);
    const after = () => keptBy(next);

    /** What such an instance makes of the request: a claim, a replay, or the code of its refusal. */
    async function outcomeOf(instance: IdempotencyKeys, asked: MessageRequest = request) {
      keys = instance;
      return refusal(asked);
    }

    it('replays what was accepted under the previous key, and notices another request under it', async () => {
      keys = before();
      const claim = await claimed();
      await accept(claim);
      expect(await outcomeOf(rotated())).toEqual({ replayOf: claim.messageId });
      expect(await outcomeOf(rotated(), { ...request, type: 'recovery' })).toEqual(reused);
    });

    it.each([
      ['the old key only', before, rotated],
      ['both, the old one current', announcing, rotated],
      ['both, the new one current', rotated, announcing],
      ['both, beside one that knows the new key only', rotated, after],
      ['the new key only, beside one that knows both', after, rotated],
      ['both, beside one that knows the old key only', rotated, before],
    ])(
      'refuses and then replays what is claimed by an instance that knows %s',
      async (_who, first, other) => {
        keys = first();
        const claim = await claimed();
        expect(await outcomeOf(other())).toEqual(inFlight);
        await accept(claim);
        expect(await outcomeOf(other())).toEqual({ replayOf: claim.messageId });
      },
    );

    it('lets exactly one of forty simultaneous requests through, spread over both kinds of instances', async () => {
      const instances = [announcing(), rotated()];
      const outcomes = await Promise.allSettled(
        Array.from({ length: 40 }, (_, i) => instances[i % 2]!.reserve(mine, request)),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: inFlight.code });
      }
    });

    it('takes over from a request that died under the previous key, with the same message', async () => {
      keys = before();
      const dead = await claimed();
      clock.advance(patience);
      keys = rotated();
      const retry = await claimed();
      expect(retry.messageId).toBe(dead.messageId);
      await accept(retry);
      for (const instance of [before(), after()]) {
        expect(await outcomeOf(instance)).toEqual({ replayOf: dead.messageId });
      }
    });

    it('gives a key back under both hashing keys', async () => {
      keys = rotated();
      const failed = await claimed();
      await keys.giveBack(failed);
      keys = before();
      expect((await claimed()).messageId).toBe(failed.messageId);
      keys = after();
      expect((await claimed()).messageId).toBe(failed.messageId);
    });

    it('gives a key that was given back under the previous one to another request, under another id', async () => {
      keys = before();
      const failed = await claimed();
      await keys.giveBack(failed);
      keys = rotated();
      const other = await claimed({ ...request, type: 'recovery' });
      expect(other.messageId).not.toBe(failed.messageId);
      expect(await outcomeOf(before())).toEqual(reused);
    });

    it('replays no message of a key that is overdue, when it has been used anew', async () => {
      keys = before();
      await accept(await claimed());
      clock.advance(day);
      keys = after();
      const claim = await claimed();
      expect(await outcomeOf(rotated())).toEqual(inFlight);
      await accept(claim);
      expect(await outcomeOf(rotated())).toEqual({ replayOf: claim.messageId });
    });

    it('forgets what was accepted under a key that was dropped', async () => {
      keys = before();
      await accept(await claimed());
      expect(await outcomeOf(after())).toHaveProperty('messageId');
    });
  });
});

describe('IdempotencyKeys without a database', () => {
  it('says that the service is unavailable', async () => {
    const { dataSource, close } = await openDatabase('embedded');
    const keys = new IdempotencyKeys(dataSource, new KeyedHash(randomBytes(32)), new TestClock());
    await close();
    await expect(keys.reserve({ route: 'r', client: 'c', key: 'k' }, request)).rejects.toMatchObject({
      code: 'unavailable',
      status: 503,
      retryAfter: 5,
    });
  });
});
