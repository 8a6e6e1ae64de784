import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { insertPeople, isPerson, Load, unlimited } from '../support/crash/load.js';
import { look } from '../support/crash/look.js';
import { RecordingSmtpServer } from '../support/crash/recording-smtp-server.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { SmallDisk } from '../support/small-disk.js';

const mebibyte = 1024 * 1024;
/** PostgreSQL makes the next segment of the write-ahead log, of 16 MiB, early if three quarters of one are full. */
const justBeforeThreeQuarters = 11.9 * mebibyte;
const timeoutMs = 180_000;
const testTimeoutMs = 900_000;
const disk = SmallDisk.mount(128);
const itWithDisk = disk ? it : it.skip;
const itOnLinux = process.platform === 'linux' ? it : it.skip;

describe('when the disk of the embedded database is full', () => {
  let original: TestDatabase;
  let database: Pick<TestDatabase, 'env'>;
  let smtp: RecordingSmtpServer;
  let service: ServiceProcess | undefined;
  const accepted: string[] = [];

  beforeAll(async () => {
    original = await createTestDatabase('embedded');
    smtp = await RecordingSmtpServer.start(() => 0);
  });

  afterAll(async () => {
    await smtp.stop();
    await original.drop();
    disk?.unmount();
  });

  afterEach(async () => {
    await service?.kill('SIGKILL');
    service = undefined;
    accepted.length = 0;
  });

  const start = (name: string, shell?: string) =>
    startService({ ...database.env, ...unlimited, SMTP_URL: smtp.urlFor(name) }, shell);

  /** Requests that take much room, until `until` holds. */
  async function loadUntil(awaited: string, until: (load: Load) => boolean): Promise<void> {
    const { url } = service!;
    const large = () => ({
      redirect_to: `${url.replace('127.0.0.1', 'localhost')}/?${randomBytes(950).toString('hex')}`,
    });
    const load = new Load(() => url, Math.random, undefined, large);
    try {
      await eventually(awaited, () => until(load), timeoutMs);
    } finally {
      await load.stop();
      accepted.push(...load.accepted);
    }
    expect(load.unexpectedAnswers).toEqual([]);
  }
  const until503 = () => loadUntil('answers of 503', (load) => load.answers(503) > 50);
  /** The first refusals may come from a table that cannot grow, before anything had to be written to the log. */
  const untilPanic = (reason: RegExp) =>
    loadUntil(`503 and ${reason}`, (load) => load.answers(503) > 50 && reason.test(service!.output()));
  const until200 = () => loadUntil('answers of 200', (load) => load.answers(200) > 50);

  /** What a process writes to its log comes another way than its answers, and may come later. */
  const logged = (words: string) => eventually(`"${words}"`, () => service!.output().includes(words));

  async function ready(): Promise<number> {
    return (await fetch(`${service!.url}/health/ready`)).status;
  }

  /** Everything that clients were promised is there, can be read and indexed, and is delivered after a start. */
  async function expectSound(): Promise<void> {
    await service?.kill('SIGKILL');
    await look(database, 'REINDEX DATABASE');
    const rows = await look<{ id: string; recipient: string }>(
      database,
      `SELECT 'msg_' || replace(id::text, '-', '') AS id, recipient FROM messages`,
    );
    const ids = new Set(rows.map(({ id }) => id));
    expect(accepted.length).toBeGreaterThan(100);
    expect(accepted.filter((id) => !ids.has(id))).toEqual([]);
    service = await start('later');
    const meant = rows.filter(({ recipient }) => isPerson(recipient));
    const missing = () => {
      const arrived = new Set(smtp.arrivals.map(({ messageId }) => messageId));
      return meant.filter(({ id }) => !arrived.has(id)).length;
    };
    // There may be thousands, and a busy machine takes its time: as long as mails come, more are waited for.
    for (let left = missing(); left > 0; left = missing())
      await eventually(`one of the last ${left} mails`, () => missing() < left, timeoutMs);
  }

  itWithDisk(
    'clients get 503 until there is room, whether a table cannot grow or the log, and nothing is lost',
    async () => {
      if (!disk) throw new Error('No disk');
      database = { env: { DATA_DIR: disk.folder } };
      cpSync(join(original.env['DATA_DIR'] ?? '', 'database'), join(disk.folder, 'database'), {
        recursive: true,
      });
      await look(database, insertPeople);
      await look(
        database,
        `SELECT pg_logical_emit_message(false, '', repeat('x', greatest(0, ${justBeforeThreeQuarters} -
         (SELECT file_offset FROM pg_walfile_name_offset(pg_current_wal_lsn())))::int))`,
      );
      service = await start('first');

      disk.fill();
      await until503();
      await logged('could not extend file');
      disk.clear();
      await until200();
      expect(service.output()).not.toContain('PANIC');

      disk.fill(8 * mebibyte);
      await untilPanic(/PANIC: .*pg_wal.*No space left on device/);
      await until503();
      expect(await ready()).toBe(503);
      disk.clear();
      await eventually('readiness', async () => (await ready()) === 200, timeoutMs);
      await until200();
      await logged('has started again');

      await expectSound();
    },
    testTimeoutMs,
  );

  itOnLinux(
    'clients get 503 until the log can be written again, and nothing is lost',
    async () => {
      database = original;
      await look(database, insertPeople);
      // A signal would end the process; as it is, a write beyond the limit fails.
      service = await start('limited', `trap '' XFSZ`);
      await until200();
      limitFileSize('1');
      await untilPanic(/PANIC: .*File too large/);
      expect(await ready()).toBe(503);
      limitFileSize('unlimited');
      await eventually('readiness', async () => (await ready()) === 200, timeoutMs);
      await until200();
      await expectSound();
    },
    testTimeoutMs,
  );

  /** Stands for a full disk where none can be mounted: no file may be written to beyond so many bytes. */
  function limitFileSize(bytes: string): void {
    const { status } = spawnSync('prlimit', ['--pid', String(service!.child.pid), `--fsize=${bytes}:`]);
    expect(status).toBe(0);
  }
});
