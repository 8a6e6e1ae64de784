import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { DataSource, type DataSourceOptions, type Migration } from 'typeorm';
import type { Config } from '../config/config.js';
import type { EmbeddedConnections } from './embedded/embedded-connections.js';
import { EmbeddedDatabase } from './embedded/embedded-database.js';
import { CreateSchema1764300000000 } from './migrations/1764300000000-create-schema.js';
import { embeddedDriver, QueryTimeoutClient } from './pg-drivers.js';

type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;
export type Entities = NonNullable<PostgresOptions['entities']>;

/** Append only: what has been released is never edited. */
const migrations = [CreateSchema1764300000000];

/** Key of the advisory lock under which one instance migrates while the others wait: "strike" in ASCII. */
const migrationLock = '126943972911973';
const secondMs = 1_000;

/** The embedded database of this configuration. It starts with the first connection; with PostgreSQL, never. */
export function embeddedDatabase({ dataDir }: Config): EmbeddedDatabase {
  return new EmbeddedDatabase(join(dataDir, 'database'));
}

/** The one DataSource: embedded by default, PostgreSQL by `DATABASE_URL`; the same SQL and the same migrations. */
export function dataSourceOptions(
  config: Config,
  entities: Entities,
  embedded: EmbeddedConnections = embeddedDatabase(config),
): PostgresOptions {
  const common = {
    type: 'postgres',
    applicationName: 'strike-auth',
    entities,
    migrations,
    migrationsRun: true,
    migrationsTransactionMode: 'each',
    synchronize: false,
    installExtensions: false,
    poolSize: config.databasePoolSize,
  } as const;
  if (!config.databaseUrl) {
    return { ...common, driver: embeddedDriver(embedded) };
  }
  return {
    ...common,
    driver: pg,
    url: config.databaseUrl,
    // For a free connection of the pool as well as for a new one.
    connectTimeoutMS: 2 * secondMs,
    extra: {
      Client: QueryTimeoutClient,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10 * secondMs,
      options: '-c synchronous_commit=on',
      statement_timeout: 8 * secondMs,
      idle_in_transaction_session_timeout: 10 * secondMs,
      // Longer than the server's own limit, because it is for a server that does not answer at all.
      query_timeout: 10 * secondMs,
    },
  };
}

export function createDataSource(options: DataSourceOptions): DataSource {
  return new MigratingDataSource(options);
}

/** Migrates under an advisory lock, so that instances that start together migrate once, and without statement timeouts. */
class MigratingDataSource extends DataSource {
  override async runMigrations(options?: Parameters<DataSource['runMigrations']>[0]): Promise<Migration[]> {
    const own = this.options as PostgresOptions;
    if (!own.url) return super.runMigrations(options);
    const migrating = new DataSource({
      ...own,
      migrationsRun: false,
      poolSize: 2,
      extra: {
        ...(own.extra as object),
        statement_timeout: 0,
        idle_in_transaction_session_timeout: 0,
        query_timeout: 0,
      },
    });
    await migrating.initialize();
    try {
      const guard = migrating.createQueryRunner();
      while (
        !(await tryToLock(() => guard.query(`SELECT pg_try_advisory_lock(${migrationLock}) AS locked`)))
      ) {
        await wait(100);
      }
      return await migrating.runMigrations(options);
    } finally {
      // Releases the lock too, which belongs to the session.
      await migrating.destroy();
    }
  }
}

async function tryToLock(ask: () => Promise<{ locked: boolean }[]>): Promise<boolean> {
  return (await ask())[0]?.locked === true;
}
