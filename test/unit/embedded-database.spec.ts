import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import pg from 'pg';
import { RemoteConnections } from '../../src/database/embedded/embedded-connections.js';
import { DatabaseStoppedError, EmbeddedDatabase } from '../../src/database/embedded/embedded-database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

describe('The embedded database', () => {
  let files: TestDatabase;
  let database: EmbeddedDatabase;
  let pool: pg.Pool;

  beforeAll(async () => {
    files = await createTestDatabase('embedded');
    database = new EmbeddedDatabase(join(files.env['DATA_DIR'] ?? '', 'database'));
    pool = new pg.Pool({ stream: () => database.connect(), max: 10 });
    pool.on('error', () => undefined);
    await pool.query('CREATE TABLE marks (name text PRIMARY KEY, taken boolean NOT NULL DEFAULT false)');
  });

  beforeEach(() => pool.query('TRUNCATE marks'));

  afterAll(async () => {
    await pool.end();
    await database.close();
    await files.drop();
  });

  const mark = (client: pg.Pool | pg.ClientBase, name: string) =>
    client.query('INSERT INTO marks (name) VALUES ($1)', [name]);

  async function marks(): Promise<string[]> {
    const { rows } = await pool.query<{ name: string }>('SELECT name FROM marks ORDER BY name');
    return rows.map(({ name }) => name);
  }

  it('gives the types that pg gives: whole numbers of 64 bits as text, instants as dates', async () => {
    const { rows } = await pool.query(
      `SELECT $1::bigint AS big, $2::numeric AS exact, $3::int AS small, $4::timestamptz AS at,
              $5::jsonb AS json, $6::bytea AS bytes, $7::text[] AS texts, $8::boolean AS yes, $9::text AS nothing`,
      [
        '9007199254740993',
        '0.1',
        7,
        new Date(1e12),
        { a: [1] },
        Buffer.from([0, 255]),
        ['ä', '😀'],
        true,
        null,
      ],
    );
    expect(rows).toEqual([
      {
        big: '9007199254740993',
        exact: '0.1',
        small: 7,
        at: new Date(1e12),
        json: { a: [1] },
        bytes: Buffer.from([0, 255]),
        texts: ['ä', '😀'],
        yes: true,
        nothing: null,
      },
    ]);
  });

  it('carries large questions and large answers', async () => {
    const large = 'x'.repeat(5_000_000);
    const { rows } = await pool.query('SELECT $1::text AS text', [large]);
    expect(rows[0].text === large).toBe(true);
  });

  it('keeps what others write apart from a transaction that is rolled back', async () => {
    const inside = await pool.connect();
    await inside.query('BEGIN');
    await mark(inside, 'rolled back');
    const outside = [mark(pool, 'kept 1'), mark(pool, 'kept 2')];
    await mark(inside, 'rolled back too');
    await inside.query('ROLLBACK');
    inside.release();
    await Promise.all(outside);
    expect(await marks()).toEqual(['kept 1', 'kept 2']);
  });

  it('runs transactions that interleave one after the other, each whole', async () => {
    const transfer = async (name: string, commit: boolean) => {
      const client = await pool.connect();
      await client.query('BEGIN');
      await mark(client, `${name} a`);
      await mark(client, `${name} b`);
      await client.query(commit ? 'COMMIT' : 'ROLLBACK');
      client.release();
    };
    await Promise.all(Array.from({ length: 30 }, (_, i) => transfer(String(i), i % 2 === 0)));
    const seen = await marks();
    expect(seen).toHaveLength(30);
    expect(seen.every((name) => Number(name.split(' ')[0]) % 2 === 0)).toBe(true);
  });

  it('keeps a failed transaction closed to others until it is rolled back', async () => {
    const client = await pool.connect();
    await client.query('BEGIN');
    await mark(client, 'lost');
    await expect(client.query('SELECT 1/0')).rejects.toMatchObject({ code: '22012' });
    const other = mark(pool, 'kept');
    await expect(client.query('SELECT 1')).rejects.toMatchObject({ code: '25P02' });
    await client.query('ROLLBACK');
    client.release();
    await other;
    expect(await marks()).toEqual(['kept']);
  });

  it('answers each of several questions in flight by itself when one of them is wrong', async () => {
    const ask = (text: string, values?: unknown[]) =>
      pool.query(text, values).then(({ rows }) => rows as unknown, String);
    expect(
      await Promise.all([
        ask('SELECT $1::int AS n', [1]),
        ask('SELECT nonsense', []),
        ask('SELECT 2 AS n; SELECT 1/0'),
        ask('SELECT $1::int AS n', ['x']),
        ask('SELEC'),
        ask('SELECT $1::int AS n', [3]),
      ]),
    ).toEqual([
      [{ n: 1 }],
      expect.stringContaining('does not exist'),
      expect.stringContaining('division by zero'),
      expect.stringContaining('invalid input syntax'),
      expect.stringContaining('syntax error'),
      [{ n: 3 }],
    ]);
  });

  it('rolls back what a client leaves open when it hangs up, and lets the others go on', async () => {
    const client = new pg.Client({ stream: () => database.connect() });
    await client.connect();
    await client.query('BEGIN');
    await mark(client, 'left open');
    const other = mark(pool, 'kept');
    await client.end();
    await other;
    expect(await marks()).toEqual(['kept']);
  });

  it('gives each row that is claimed with SKIP LOCKED to one claimant', async () => {
    await pool.query(`INSERT INTO marks (name) SELECT 'row ' || n FROM generate_series(1, 100) n`);
    const claims = await Promise.all(
      Array.from({ length: 25 }, () =>
        pool.query<{ name: string }>(
          `UPDATE marks SET taken = true WHERE name IN
             (SELECT name FROM marks WHERE NOT taken LIMIT 5 FOR UPDATE SKIP LOCKED) RETURNING name`,
        ),
      ),
    );
    const names = claims.flatMap(({ rows }) => rows.map(({ name }) => name));
    expect(names).toHaveLength(100);
    expect(new Set(names).size).toBe(100);
  });

  describe('with listeners', () => {
    const clients: pg.Client[] = [];
    afterEach(async () => {
      for (const client of clients.splice(0)) await client.end();
    });

    async function listener(channel: string) {
      const client = new pg.Client({ stream: () => database.connect() });
      clients.push(client);
      await client.connect();
      const heard: string[] = [];
      client.on('notification', ({ channel, payload }) => heard.push(`${channel}:${payload}`));
      await client.query(`LISTEN ${channel}`);
      return { client, heard };
    }

    it('notifies everyone who listens to the channel, after the commit, and nobody else', async () => {
      const [one, two, other] = [await listener('news'), await listener('"news"'), await listener('"News"')];
      const writer = await pool.connect();
      await writer.query('BEGIN');
      await writer.query(`NOTIFY news, 'committed'`);
      expect(one.heard).toEqual([]);
      await writer.query('COMMIT');
      await writer.query('BEGIN');
      await writer.query(`NOTIFY news, 'rolled back'`);
      await writer.query('ROLLBACK');
      writer.release();
      await pool.query(`SELECT pg_notify($1, $2)`, ['News', 'end']);
      await eventually('the last notification', () => other.heard.length > 0);
      expect([one.heard, two.heard, other.heard]).toEqual([
        ['news:committed'],
        ['news:committed'],
        ['News:end'],
      ]);
    });

    it('does not deafen the others when one stops listening', async () => {
      const [leaving, staying] = [await listener('news'), await listener('news')];
      await leaving.client.query('UNLISTEN news');
      await pool.query(`NOTIFY news, '1'`);
      await eventually('the notification', () => staying.heard.length === 1);
      await leaving.client.query('UNLISTEN *');
      await pool.query(`NOTIFY news, '2'`);
      await eventually('the notification', () => staying.heard.length === 2);
      expect(leaving.heard).toEqual([]);
    });
  });

  it('serves another thread over a port', async () => {
    const port = await database.port();
    port.postMessage(Buffer.from('\0\0\0\x08\0\x03\0\0'));
    const [greeting] = (await once(port, 'message')) as [Uint8Array];
    expect(Buffer.from(greeting).toString('latin1', 0, 1)).toBe('R');
    port.close();
  });

  it('can be used from another thread, which asks, listens and disconnects like any other', async () => {
    const { port1: owner, port2: remote } = new MessageChannel();
    owner.on('message', (port: MessagePort) => void database.serve(port));
    const connections = new RemoteConnections(remote);
    const client = new pg.Client({ stream: () => connections.connect() });
    const heard: unknown[] = [];
    client.on('notification', ({ payload }) => heard.push(payload));
    await client.connect();
    await client.query('LISTEN news');
    await mark(client, 'from another thread');
    await pool.query(`NOTIFY news, 'remote'`);
    await eventually('the notification', () => heard.length === 1);
    expect(await marks()).toEqual(['from another thread']);
    await client.end();
    await connections.close();
    // Only the owner closes it.
    expect(await marks()).toHaveLength(1);
    owner.close();
  });
});

describe('An embedded database that stops', () => {
  let files: TestDatabase;
  let folder: string;

  beforeAll(async () => {
    files = await createTestDatabase('embedded');
    folder = join(files.env['DATA_DIR'] ?? '', 'database');
  });
  afterAll(() => files.drop());

  const poolOn = (database: EmbeddedDatabase) =>
    new pg.Pool({ stream: () => database.connect() }).on('error', () => undefined);

  it('fails what is asked, what waits and what comes later, and frees its folder', async () => {
    const database = new EmbeddedDatabase(folder);
    const pool = poolOn(database);
    const client = await pool.connect();
    client.on('error', () => undefined);
    await client.query('BEGIN');
    const waiting = pool.query('SELECT 1');
    waiting.catch(() => undefined);
    // One session cannot take a copy in: PostgreSQL ends, as it does after any fault that it cannot mend.
    await expect(client.query('COPY users FROM STDIN')).rejects.toThrow();
    await expect(waiting).rejects.toThrow('The embedded database has stopped');
    await expect(pool.query('SELECT 1')).rejects.toThrow(DatabaseStoppedError);
    client.release(true);
    await pool.end();
    await database.close();

    const next = new EmbeddedDatabase(folder);
    const nextPool = poolOn(next);
    await expect(nextPool.query('SELECT count(*) FROM users')).resolves.toMatchObject({ rowCount: 1 });
    await nextPool.end();
    await next.close();
  });

  it('starts again by itself after a fault, with all that was committed', async () => {
    const database = new EmbeddedDatabase(folder);
    const pool = poolOn(database);
    await pool.query('CREATE TABLE survivors AS SELECT 1 AS n');
    await expect(pool.query('COPY users FROM STDIN')).rejects.toThrow();
    await expect(pool.query('SELECT 1')).rejects.toThrow(DatabaseStoppedError);
    const { rows } = await eventually('a database that answers', () =>
      pool.query('SELECT n FROM survivors').catch(() => null),
    );
    expect(rows).toEqual([{ n: 1 }]);
    await pool.end();
    await database.close();
  });

  it('rolls back what is open when it is closed, and refuses what comes later', async () => {
    const database = new EmbeddedDatabase(folder);
    const pool = poolOn(database);
    const client = await pool.connect();
    client.on('error', () => undefined);
    await client.query('BEGIN');
    await client.query('CREATE TABLE left_open ()');
    await database.close();
    await expect(pool.query('SELECT 1')).rejects.toThrow('The embedded database is closed');
    client.release(true);
    await pool.end();

    const next = new EmbeddedDatabase(folder);
    const nextPool = poolOn(next);
    const { rows } = await nextPool.query(`SELECT to_regclass('left_open') AS found`);
    expect(rows).toEqual([{ found: null }]);
    await nextPool.end();
    await next.close();
  });

  it('refuses a second one on the same folder, also within the process', async () => {
    const first = new EmbeddedDatabase(folder);
    const pool = poolOn(first);
    await pool.query('SELECT 1');
    const second = new EmbeddedDatabase(folder);
    await expect(poolOn(second).query('SELECT 1')).rejects.toThrow('already in use by another process');
    await second.close();
    await pool.end();
    await first.close();
  });
});

describe('The files of the embedded database', () => {
  let files: TestDatabase;
  let folder: string;
  let neighbour: string;

  beforeAll(async () => {
    files = await createTestDatabase('embedded');
    folder = join(files.env['DATA_DIR'] ?? '', 'database');
    neighbour = join(files.env['DATA_DIR'] ?? '', 'of-somebody-else');
    await writeFile(neighbour, 'not of the database');
    await chmod(neighbour, 0o644);
    await symlink(neighbour, join(folder, 'link'));
  });
  afterAll(() => files.drop());

  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

  /** Paths of what is in the folder: true for a folder. */
  async function inside(): Promise<Map<string, boolean>> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return new Map(
      entries
        .filter((entry) => !entry.isSymbolicLink())
        .map((entry) => [join(entry.parentPath, entry.name), entry.isDirectory()]),
    );
  }

  async function whileItRuns(work: (pool: pg.Pool) => Promise<unknown>): Promise<void> {
    const database = new EmbeddedDatabase(folder);
    const pool = new pg.Pool({ stream: () => database.connect() }).on('error', () => undefined);
    try {
      await pool.query('SELECT 1');
      await work(pool);
    } finally {
      await pool.end();
      await database.close();
    }
  }

  it('are nobody else’s at every start, whatever they were before', async () => {
    const before = await inside();
    for (const [path, isFolder] of before) await chmod(path, isFolder ? 0o777 : 0o666);
    await chmod(folder, 0o755);
    await whileItRuns(async (pool) => {
      await pool.query(`CREATE TABLE made_later AS SELECT 1 AS n`);
      // What the engine makes or writes anew has whatever mode: nobody else comes as far as that.
      expect(await modeOf(folder)).toBe('700');
    });
    // Rows and the write-ahead log.
    const still = [...before].filter(
      ([path]) => existsSync(path) && /\/(base|pg_wal)(\/[\dA-F]+)*$/.test(path),
    );
    expect(still.length).toBeGreaterThan(100);
    for (const [path, isFolder] of still)
      expect([path, await modeOf(path)]).toEqual([path, isFolder ? '700' : '600']);
    expect(await modeOf(neighbour)).toBe('644');
  });
});
