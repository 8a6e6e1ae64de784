import { randomBytes, randomUUID } from 'node:crypto';
import { ApiError } from '../../src/http/api-error.js';
import {
  type Claim,
  IdempotencyKeyEntity,
  IdempotencyKeys,
  type ScopedKey,
} from '../../src/auth/accept/idempotency/idempotency-keys.js';
import { Outbox } from '../../src/auth/outbox/outbox.js';
import type { MessageRequest } from '../../src/auth/requests/accept-context.js';
import type { Notifications } from '../../src/database/notifications.js';
import { KeyedHash } from '../../src/platform/keyed-hash.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';
import { TestClock } from '../support/test-clock.js';

const day = 24 * 60 * 60 * 1_000;
const takeOverAfterMs = 30_000;
const request: MessageRequest = {
  type: 'signup',
  channel: 'email',
  identifier: 'user@example.com',
  redirectTo: null,
  client: '192.0.2.1',
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
    clock = new TestClock();
    keys = new IdempotencyKeys(database.dataSource, hash, clock);
    const silent = { publish: () => undefined } as unknown as Notifications;
    outbox = new Outbox(database.dataSource, database.transaction, silent, hash, clock);
    mine = { route: 'resend', client: '192.0.2.1', key: randomUUID() };
  });

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
    clock.advance(takeOverAfterMs - 1);
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
    clock.advance(takeOverAfterMs);
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
    clock.advance(takeOverAfterMs);
    const retry = await claimed();
    expect(retry.messageId).toBe(dead.messageId);
    expect(await refusal()).toEqual(inFlight);
  });

  it('lets exactly one of twenty retries take over', async () => {
    await claimed();
    clock.advance(takeOverAfterMs);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => refusal()));
    expect(outcomes.filter((outcome) => 'messageId' in (outcome as object))).toHaveLength(1);
  });

  it('puts one message into the outbox when the request was not dead but slow', async () => {
    const slow = await claimed();
    clock.advance(takeOverAfterMs);
    const retry = await claimed();
    const answers = await Promise.all([accept(slow), accept(retry)]);
    expect(answers[0]).toEqual(answers[1]);
    expect(await messagesWith(slow.messageId)).toBe(1);
  });

  it('does not let a slow request give back what a retry has taken over', async () => {
    const slow = await claimed();
    clock.advance(takeOverAfterMs);
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

  it('forgets all keys after a change of the hashing key, however many keys are known', async () => {
    const [next, old] = [randomBytes(32), randomBytes(32)];
    keys = new IdempotencyKeys(database.dataSource, new KeyedHash(old), clock);
    await accept(await claimed());
    keys = new IdempotencyKeys(database.dataSource, new KeyedHash(next, old), clock);
    expect(await refusal()).toHaveProperty('messageId');
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
