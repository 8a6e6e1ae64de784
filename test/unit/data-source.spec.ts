import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { DataSource } from 'typeorm';
import { readConfig } from '../../src/config/config.js';
import { createDataSource, dataSourceOptions } from '../../src/database/data-source.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { databaseKinds } from '../support/services.js';

const optionsFor = (env: Record<string, string>) =>
  dataSourceOptions(readConfig({ NODE_ENV: 'test', ...env }), []);

describe.each(databaseKinds)('The data source on %s', (kind) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase(kind);
  });
  afterEach(() => database.drop());

  it('can be destroyed and made again on the same database', async () => {
    for (let start = 0; start < 2; start++) {
      const dataSource = await createDataSource(optionsFor(database.env)).initialize();
      await dataSource.query('SELECT 1');
      await dataSource.destroy();
    }
  });

  it('commits to disk before it says so, as far as the database can', async () => {
    const dataSource = await createDataSource(optionsFor(database.env)).initialize();
    expect(await dataSource.query('SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
    await dataSource.destroy();
  });
});

const onPostgres = databaseKinds.includes('postgresql') ? describe : describe.skip;

onPostgres('The data source on PostgreSQL', () => {
  let database: TestDatabase;
  const cleanUp: (() => unknown)[] = [];
  beforeEach(async () => {
    database = await createTestDatabase('postgresql');
  });
  afterEach(async () => {
    for (const clean of cleanUp.splice(0).reverse()) await clean();
    await database.drop();
  });

  it('migrates once when several instances start together', async () => {
    const first = await createDataSource(optionsFor(database.env)).initialize();
    const count = first.migrations.length;
    for (let undone = 0; undone < count; undone++) await first.undoLastMigration();
    await first.destroy();

    const instances = await Promise.all(
      Array.from({ length: 4 }, () => createDataSource(optionsFor(database.env)).initialize()),
    );

    expect(await instances[0]?.query('SELECT count(*)::int AS count FROM migrations')).toEqual([{ count }]);
    for (const instance of instances) await instance.destroy();
  });

  it('fails soon when nothing answers at the address', async () => {
    const silence = await listening(createServer());
    cleanUp.push(() => silence.close());
    const dataSource = createDataSource(
      optionsFor({ ...database.env, DATABASE_URL: urlAt(database, silence) }),
    );

    await expect(dataSource.initialize()).rejects.toThrow(/timeout/);
  }, 60_000);

  it('gives a query up when no answer comes, and does not use that connection again', async () => {
    const line = await lineTo(database);
    cleanUp.push(() => line.close());
    const options = optionsFor({
      ...database.env,
      DATABASE_URL: urlAt(database, line.server),
      DATABASE_POOL_SIZE: '2',
    });
    const dataSource = new DataSource({
      ...options,
      migrationsRun: false,
      extra: { ...(options.extra as object), query_timeout: 300 },
    });
    await dataSource.initialize();
    cleanUp.push(() => dataSource.destroy());

    line.cut();
    await expect(dataSource.query('SELECT 1')).rejects.toThrow('Query read timeout');
    line.mend();

    await expect(dataSource.query('SELECT 2 AS n')).resolves.toEqual([{ n: 2 }]);
  });
});

function urlAt(database: TestDatabase, server: Server): string {
  const url = new URL(database.env['DATABASE_URL'] ?? '');
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return url.href;
}

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return server;
}

/** A way to PostgreSQL on which connections can fall silent, as when a cable is pulled. */
async function lineTo(database: TestDatabase) {
  const { hostname, port } = new URL(database.env['DATABASE_URL'] ?? '');
  const sockets = new Set<Socket>();
  let whole = true;
  const server = await listening(
    createServer((near) => {
      const far = connect(Number(port), hostname);
      let silent = !whole;
      near.on('silence', () => (silent = true));
      near.on('data', (bytes) => !silent && far.write(bytes));
      far.on('data', (bytes) => !silent && near.write(bytes));
      near.on('close', () => far.destroy()).on('error', () => far.destroy());
      far.on('error', () => near.destroy());
      sockets.add(near);
    }),
  );
  return {
    server,
    /** All connections there are fall silent, for good. */
    cut() {
      whole = false;
      for (const socket of sockets) socket.emit('silence');
    },
    /** New connections work. */
    mend: () => (whole = true),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
