import { messageIdOf } from '../src/platform/ids.js';
import { insertPeople, unlimited } from './support/crash/load.js';
import { look } from './support/crash/look.js';
import { RecordingSmtpServer } from './support/crash/recording-smtp-server.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { type ServiceProcess, startService } from './support/service-process.js';
import { describeOn } from './support/services.js';

const workers = ['worker-1', 'worker-2', 'worker-3'] as const;
const timeoutMs = 180_000;

// Several processes share a PostgreSQL; the embedded database serves one.
describeOn('postgresql', 'three workers with 2,000 messages', () => {
  let database: TestDatabase;
  let smtp: RecordingSmtpServer;
  const processes = new Map<string, ServiceProcess>();

  beforeAll(async () => {
    database = await createTestDatabase();
    await look(database, insertPeople);
    smtp = await RecordingSmtpServer.start(() => 0);
    const started = workers.map(async (name) => {
      const env = {
        ...database.env,
        ...unlimited,
        ROLE: 'worker',
        LOG_LEVEL: 'warn',
        SMTP_URL: smtp.urlFor(name),
      };
      processes.set(name, await startService(env));
    });
    await Promise.all(started);
  });

  afterAll(async () => {
    for (const running of processes.values()) await running.kill('SIGKILL');
    await smtp.stop();
    await database.drop();
  });

  const idsWith = async (status: string) => {
    const rows = await look<{ id: string }>(database, `SELECT id FROM messages WHERE status = '${status}'`);
    return new Set(rows.map(({ id }) => messageIdOf(id)));
  };
  const arrivalsFrom = (name: string) => smtp.arrivals.filter(({ sender }) => sender === name);

  it('deliver each exactly once when one of them is killed with mails that the server has not taken over', async () => {
    await look(
      database,
      `INSERT INTO messages (id, type, channel, recipient, due_at, accepted_at)
       SELECT gen_random_uuid(), 'magiclink', 'email', 'person' || 1 + n % 300 || '@example.com', now(), now()
       FROM generate_series(1, 2000) n`,
    );
    await look(database, `NOTIFY messages`);
    const [victim] = workers;
    await eventually(
      'the middle',
      () => arrivalsFrom(victim).length > 0 && smtp.arrivals.length > 300,
      timeoutMs,
    );

    smtp.hold(victim);
    await eventually('mails that wait', () => smtp.held.length > 0, timeoutMs);
    await eventually('the outcomes of what it had sent', async () => {
      const sent = await idsWith('sent');
      return arrivalsFrom(victim).every(({ messageId }) => sent.has(messageId));
    });
    await processes.get(victim)?.kill('SIGKILL');
    const inFlight = await idsWith('sending');
    expect(smtp.held.filter(({ messageId }) => !inFlight.has(messageId))).toEqual([]);

    await eventually('all of them', async () => (await idsWith('sent')).size === 2_000, timeoutMs);
    const ids = smtp.arrivals.map(({ messageId }) => messageId);
    expect(ids).toHaveLength(2_000);
    expect(new Set(ids)).toEqual(await idsWith('sent'));
    // Each had its part, and what the killed one held came from the others.
    for (const name of workers) expect(arrivalsFrom(name).length).toBeGreaterThan(0);
    const sentBy = new Map(smtp.arrivals.map(({ messageId, sender }) => [messageId, sender]));
    expect(smtp.held.every(({ messageId }) => sentBy.get(messageId) !== victim)).toBe(true);
  });
});
