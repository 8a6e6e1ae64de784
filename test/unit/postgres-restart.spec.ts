import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOpen, type MessageRow } from '../support/crash/crash-record.js';
import { insertPeople, isPerson, Load, unlimited } from '../support/crash/load.js';
import { look } from '../support/crash/look.js';
import { RecordingSmtpServer } from '../support/crash/recording-smtp-server.js';
import { eventually } from '../support/eventually.js';
import { describeWithPostgresServer, PostgresServer } from '../support/postgres-server.js';
import { type ServiceProcess, startService } from '../support/service-process.js';

/** As many as a worker has in its hands at once: so many may have been on their way when the database went. */
const maxInHand = 50;
const timeoutMs = 120_000;

describeWithPostgresServer('when PostgreSQL is restarted in the middle of load', () => {
  let postgres: PostgresServer;
  let folder: string;
  let smtp: RecordingSmtpServer;
  let service: ServiceProcess | undefined;

  beforeAll(async () => {
    postgres = await PostgresServer.create();
    folder = mkdtempSync(join(tmpdir(), `strike_auth_test-${Date.now()}-`));
    smtp = await RecordingSmtpServer.start(() => Math.random() * 20);
    const env = { DATA_DIR: folder, DATABASE_URL: postgres.url, THROTTLE_STORE: 'memory' };
    service = await startService({ ...env, ...unlimited, SMTP_URL: smtp.urlFor('all') });
    await query(insertPeople);
  });

  afterAll(async () => {
    await service?.kill('SIGKILL');
    await smtp.stop();
    postgres.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const query = <Row extends object>(sql: string) => look<Row>({ env: { DATABASE_URL: postgres.url } }, sql);
  const statusOf = async (path: string) => (await fetch(service!.url + path)).status;

  it.each(['fast', 'immediate'] as const)(
    'and is stopped with -m %s, clients get 503 while it is away, then all goes on by itself and nothing is lost',
    async (mode) => {
      const load = new Load(() => service!.url, Math.random);
      const answered = async (status: number, times: number) => {
        const before = load.answers(status);
        await eventually(
          `${times} answers of ${status}`,
          () => load.answers(status) >= before + times,
          timeoutMs,
        );
      };
      await answered(200, 100);

      postgres.stop(mode);
      await answered(503, 20);
      const whileAway = load.answers(200);
      expect(await statusOf('/health/ready')).toBe(503);
      expect(await statusOf('/health/live')).toBe(200);
      await answered(503, 5);
      expect(load.answers(200)).toBe(whileAway);
      postgres.start();

      await answered(200, 100);
      expect(await statusOf('/health/ready')).toBe(200);
      await load.stop();
      expect(load.unexpectedAnswers).toEqual([]);
      expect([...load.retryAfters]).toEqual(['5']);

      const rows = await eventually('the end of every message', ended, timeoutMs);
      const ids = new Set(rows.map(({ id }) => id));
      expect(load.accepted.filter((id) => !ids.has(id))).toEqual([]);
      const arrived = new Set(smtp.arrivals.map(({ messageId }) => messageId));
      const wrong = rows.filter(
        ({ id, recipient, status }) =>
          status !== (isPerson(recipient) ? 'sent' : 'dropped') || arrived.has(id) !== isPerson(recipient),
      );
      expect(wrong).toEqual([]);
      // Outcomes that could not be written down are written down afterwards, unless a lease ran out meanwhile.
      expect(smtp.arrivals.length - arrived.size).toBeLessThanOrEqual(maxInHand);
    },
  );

  async function ended(): Promise<MessageRow[] | false> {
    const rows = await query<MessageRow>(
      `SELECT 'msg_' || replace(id::text, '-', '') AS id, recipient, status FROM messages`,
    );
    return !rows.some(isOpen) && rows;
  }
});
