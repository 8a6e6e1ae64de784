import { randomUUID } from 'node:crypto';
import { messageStatuses, messageTransitions } from '../../src/auth/messages/message-status.js';
import { MessageEntity } from '../../src/auth/messages/message.entities.js';
import { type OpenDatabase, openDatabase } from '../support/open-database.js';
import { databaseKinds } from '../support/services.js';

const pairs = messageStatuses.flatMap((before) => messageStatuses.map((after) => [before, after] as const));

describe.each(databaseKinds)('the statuses of a message on %s', (kind) => {
  let database: OpenDatabase;

  beforeAll(async () => {
    database = await openDatabase(kind);
  });
  afterAll(() => database.close());

  it.each(pairs)('may follow each other as the table says: %s, %s', async (before, after) => {
    const messages = database.dataSource.getRepository(MessageEntity);
    const id = randomUUID();
    const at = new Date();
    await messages.insert({
      id,
      type: 'signup',
      channel: 'email',
      recipient: 'user@example.com',
      status: before,
      dueAt: at,
      acceptedAt: at,
    });
    const refused = await messages.update({ id }, { status: after }).then(
      () => null,
      (error: unknown) => error as Error,
    );
    // To write a status once more moves nothing.
    const allowed = before === after || messageTransitions[before].includes(after);
    if (allowed) expect(refused).toBeNull();
    else expect(refused?.message).toBe(`A message that is ${before} cannot become ${after}`);
    expect((await messages.findOneByOrFail({ id })).status).toBe(allowed ? after : before);
    const [answer] = await database.dataSource.query<{ may: boolean }[]>(
      'SELECT message_may_become($1, $2) AS may',
      [before, after],
    );
    expect(answer?.may).toBe(messageTransitions[before].includes(after));
  });

  it('are a closed list', async () => {
    const id = randomUUID();
    await database.dataSource.query(
      `INSERT INTO messages (id, type, channel, recipient, due_at, accepted_at)
       VALUES ($1, 'signup', 'email', 'user@example.com', now(), now())`,
      [id],
    );
    const made = database.dataSource.query(`UPDATE messages SET status = 'lost' WHERE id = $1`, [id]);
    await expect(made).rejects.toThrow(/cannot become lost|messages_status/);
  });
});
