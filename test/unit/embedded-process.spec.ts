import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { EmbeddedDatabase } from '../../src/database/embedded/embedded-database.js';
import { compileSource } from '../support/compile-source.mjs';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

describe('The embedded database and processes', () => {
  let files: TestDatabase;
  let folder: string;
  let source: Awaited<ReturnType<typeof compileSource>>;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    source = await compileSource();
    files = await createTestDatabase('embedded');
    folder = join(files.env['DATA_DIR'] ?? '', 'database');
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await source.remove();
    await files.drop();
  });

  /** `shell` runs before the writer, in the same process. */
  function startWriter(shell = ':') {
    const script = join(__dirname, '../support/embedded-writer.mjs');
    const child = spawn(
      'sh',
      ['-c', `${shell}; exec "$0" "$@"`, process.execPath, script, source.folder, folder],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    children.push(child);
    const writer = { child, output: '', exited: once(child, 'exit') };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (writer.output += chunk.toString()));
    }
    return writer;
  }

  const acknowledgedBy = (output: string) =>
    output
      .split('\n')
      .slice(0, -1)
      .filter((line) => /^\d+$/.test(line));

  async function rowsInside(): Promise<Set<string>> {
    const database = new EmbeddedDatabase(folder);
    const client = new pg.Client({ stream: () => database.connect() });
    await client.connect();
    const { rows } = await client.query<{ n: number }>('SELECT n FROM rows');
    await client.end();
    await database.close();
    return new Set(rows.map(({ n }) => String(n)));
  }

  it('loses no acknowledged row and can be started at once when its process is killed', async () => {
    const acknowledged: string[] = [];
    for (let kill = 0; kill < 3; kill++) {
      const writer = startWriter();
      await eventually('100 rows', () => acknowledgedBy(writer.output).length > 100, 60_000);
      writer.child.kill('SIGKILL');
      await writer.exited;
      acknowledged.push(...acknowledgedBy(writer.output));
      const rows = await rowsInside();
      expect(acknowledged.filter((n) => !rows.has(n))).toEqual([]);
    }
  });

  it('refuses a second process with a sentence that says what to do', async () => {
    const first = startWriter();
    await eventually('a first process', () => first.output.includes('ready'), 60_000);

    const second = startWriter();
    const [code] = (await second.exited) as [number];

    expect(code).not.toBe(0);
    expect(second.output).toMatch(/already in use by another process.*DATA_DIR.*DATABASE_URL/s);
    expect(first.child.exitCode).toBeNull();
    const before = acknowledgedBy(first.output).length;
    await eventually('the first to go on', () => acknowledgedBy(first.output).length > before);
    first.child.kill('SIGKILL');
    await first.exited;
  });

  it('answers with an error when the disk takes no more, and keeps what it had acknowledged', async () => {
    // Stands for a full disk: no file may grow beyond 17 MB, a little more than a segment of the write-ahead log.
    const writer = startWriter(`trap '' XFSZ; ulimit -f 34816`);
    await writer.exited;

    expect(acknowledgedBy(writer.output).length).toBeGreaterThan(0);
    expect(writer.output).toMatch(/could not extend file .*File too large/);
    const rows = await rowsInside();
    expect(acknowledgedBy(writer.output).filter((n) => !rows.has(n))).toEqual([]);
  });
});
