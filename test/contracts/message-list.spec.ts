import fc from 'fast-check';
import { MessageList } from '../../src/admin/message-list.js';
import type { MessageFilters } from '../../src/admin/messages.dto.js';
import { confirmationTypes } from '../../src/auth/messages/confirmation-type.js';
import { DeliveryAttemptEntity, MessageEntity } from '../../src/auth/messages/message.entities.js';
import { messageStatuses } from '../../src/auth/messages/message-status.js';
import { uuidV7 } from '../../src/platform/ids.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { messageAt } from '../support/operator.js';
import { databaseKinds } from '../support/services.js';

const start = Date.parse('2026-01-31T12:00:00Z');
const hour = 3_600_000;
const recipients = ['a@example.com', 'b@example.com', '+1234567890'];
const providers = ['smtp', 'reserve', 'twilio'];

const of = <T>(values: readonly T[], i: number): T => values[i % values.length]!;

/** In every combination, some of them within one millisecond, one with an id that was promised a day before. */
const messages: MessageEntity[] = Array.from({ length: 180 }, (_, i) => {
  const at = start + Math.floor(i / 3) * (hour / 10);
  return messageAt(at, {
    status: of(messageStatuses, i * 7 + Math.floor(i / 5)),
    type: of(confirmationTypes, Math.floor(i / 2)),
    channel: i % 4 === 0 ? 'sms' : 'email',
    recipient: of(recipients, i * 5 + Math.floor(i / 7)),
    ...(i === 90 ? { id: uuidV7(at - 23 * hour) } : {}),
  });
});
/** Which providers have tried a message. */
const triedBy = new Map(
  messages.map(({ id }, i) => [id, i % 3 === 0 ? [] : [of(providers, i), ...(i % 5 === 0 ? ['smtp'] : [])]]),
);

const filters: fc.Arbitrary<MessageFilters> = fc.record(
  {
    status: fc.constantFrom(...messageStatuses),
    type: fc.constantFrom(...confirmationTypes),
    channel: fc.constantFrom('email', 'sms'),
    provider: fc.constantFrom(...providers, 'nobody'),
    recipient: fc.constantFrom(...recipients, 'nobody@example.com'),
    since: fc.integer({ min: -1, max: 66 }).map((tenths) => new Date(start + (tenths * hour) / 10)),
    until: fc.integer({ min: -1, max: 66 }).map((tenths) => new Date(start + (tenths * hour) / 10)),
  },
  { requiredKeys: [] },
);

/** The same by reading all of them. */
function meant({ provider, since, until, ...equal }: MessageFilters): string[] {
  return messages
    .filter((message) => Object.entries(equal).every(([name, value]) => message[name as 'status'] === value))
    .filter(({ acceptedAt }) => since === undefined || acceptedAt >= since)
    .filter(({ acceptedAt }) => until === undefined || acceptedAt < until)
    .filter(({ id }) => provider === undefined || triedBy.get(id)?.includes(provider))
    .map(({ id }) => id)
    .sort()
    .reverse();
}

describe.each(databaseKinds)('the list of messages on %s', (kind) => {
  let database: OpenDatabase;
  const repository = () => database.dataSource.getRepository(MessageEntity);

  beforeAll(async () => {
    database = await openDatabase(kind);
    await repository().insert(messages);
    const attempts = messages.flatMap(({ id, acceptedAt }) =>
      (triedBy.get(id) ?? []).map((provider) => ({
        id: uuidV7(acceptedAt.getTime()),
        messageId: id,
        attempt: 1,
        provider,
        receiptId: null,
        outcome: 'sent' as const,
        error: null,
        startedAt: acceptedAt,
        endedAt: acceptedAt,
      })),
    );
    await database.dataSource.getRepository(DeliveryAttemptEntity).insert(attempts);
  });
  afterAll(() => database.close());

  /** All pages, one after the other; `meanwhile` happens between them. */
  async function read(
    list: MessageList,
    chosen: MessageFilters,
    limit: number,
    meanwhile: () => Promise<unknown> = async () => undefined,
  ): Promise<string[]> {
    const ids: string[] = [];
    let after: string | undefined;
    for (let pages = 0; pages < 2 * messages.length; pages += 1) {
      const page = await list.page(chosen, limit, after);
      expect(page.messages.length).toBeLessThanOrEqual(limit);
      ids.push(...page.messages.map(({ id }) => id));
      if (page.next === null) return ids;
      after = page.next;
      await meanwhile();
    }
    throw new Error('The list has no end');
  }

  it('is the same in pages of any size and with any reach, whatever the filters', async () => {
    const sizes = fc.integer({ min: 1, max: 200 });
    const reaches = fc.constantFrom(1, 2, 7, 50, 20_000);
    await fc.assert(
      fc.asyncProperty(filters, sizes, reaches, async (chosen, limit, reach) => {
        expect(await read(new MessageList(database.dataSource, reach), chosen, limit)).toEqual(meant(chosen));
      }),
      { numRuns: 120 },
    );
  });

  it('moves nothing while messages are accepted, and shows none of them on later pages', async () => {
    const list = new MessageList(database.dataSource, 50);
    const added: string[] = [];
    const accept = async () => {
      const message = messageAt(start + 100 * hour + added.length, {
        status: of(messageStatuses, added.length),
      });
      added.push(message.id);
      await repository().insert(message);
    };
    await fc.assert(
      fc.asyncProperty(filters, fc.integer({ min: 1, max: 60 }), async (chosen, limit) => {
        const before = await read(list, chosen, 200);
        expect(await read(list, chosen, limit, accept)).toEqual(before);
        if (added.length > 0) await repository().delete(added.splice(0));
      }),
      { numRuns: 25 },
    );
  });

  it('skips nothing when messages before the next page go away', async () => {
    const list = new MessageList(database.dataSource, 10);
    const extra = Array.from({ length: 40 }, (_, i) => messageAt(start + 200 * hour + i, { type: 'sms' }));
    await repository().insert(extra);
    const going = extra.map(({ id }) => id).reverse();
    const ids = await read(list, { type: 'signup' }, 5, async () => {
      const gone = going.splice(0, 15);
      if (gone.length > 0) await repository().delete(gone);
    });
    await repository().delete(extra.map(({ id }) => id));
    expect(ids).toEqual(meant({ type: 'signup' }));
  });

  it('ends a page where its reach does, so that a filter that nothing passes costs no more', async () => {
    const list = new MessageList(database.dataSource, 100);
    const first = await list.page({ provider: 'nobody' }, 10);
    expect(first).toEqual({ messages: [], next: meant({})[99] });
    expect(await list.page({ provider: 'nobody' }, 10, first.next ?? '')).toEqual({
      messages: [],
      next: null,
    });
  });
});
