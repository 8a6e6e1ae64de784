import 'reflect-metadata';
import type { DataSource } from 'typeorm';
import { authEntities } from '../../src/auth/auth.entities.js';
import { type Config, readConfig } from '../../src/config/config.js';
import { createDataSource, dataSourceOptions } from '../../src/database/data-source.js';
import { Transaction } from '../../src/database/transaction.js';
import { lendTestDatabase } from './database.js';
import type { DatabaseKind } from './services.js';

/** How long a hundred callers at once may wait for a connection, in milliseconds: the machine may have much else to do. */
const timeoutMs = 60_000;

export interface OpenDatabase {
  readonly config: Config;
  readonly dataSource: DataSource;
  readonly transaction: Transaction;
  close(): Promise<void>;
}

/** A database of its own with what repositories need to work on it, without the application around it. */
export async function openDatabase(
  kind: DatabaseKind,
  env: Record<string, string> = {},
): Promise<OpenDatabase> {
  const database = await lendTestDatabase(kind);
  const config = readConfig({ NODE_ENV: 'test', ...database.env, ...env });
  const dataSource = createDataSource({
    ...dataSourceOptions(config, authEntities, database.embedded),
    connectTimeoutMS: timeoutMs,
  });
  await dataSource.initialize();
  return {
    config,
    dataSource,
    transaction: new Transaction(dataSource),
    async close() {
      await dataSource.destroy();
      await database.drop();
    },
  };
}
