import { randomUUID } from 'node:crypto';
import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { embeddedTemplate, postgresTemplate, prefix, testName, urlOf } from './database-templates.mjs';
import { type DatabaseKind, services } from './services.js';

export interface TestDatabase {
  /** What the application is configured with to use it: `readConfig({ ...database.env, … })`. */
  readonly env: Readonly<Record<string, string>>;
  /** Removes it. The application must have been closed. */
  drop(): Promise<void>;
}

/** A fresh, migrated database for one test file. */
export function createTestDatabase(kind: DatabaseKind = services.database): Promise<TestDatabase> {
  return kind === 'embedded' ? createEmbedded() : createOnPostgres();
}

async function createEmbedded(): Promise<TestDatabase> {
  const folder = await newFolder();
  const database = 'database';
  // In one go: a thousand small copies through the thread pool once never came to an end under Node 24.
  cpSync(join(await embeddedTemplate(), database), join(folder, database), { recursive: true });
  return {
    env: { DATA_DIR: folder },
    drop: () => rm(folder, { recursive: true, force: true }),
  };
}

async function createOnPostgres(): Promise<TestDatabase> {
  const folder = await newFolder();
  const name = `${prefix}_${Date.now()}_${randomUUID().slice(0, 8)}`;
  const template = await postgresTemplate();
  await asAdministrator((sql) => sql(`CREATE DATABASE ${testName(name)} TEMPLATE ${testName(template)}`));
  return {
    env: { DATA_DIR: folder, DATABASE_URL: urlOf(postgresUrl(), name), THROTTLE_STORE: 'memory' },
    drop: async () => {
      await asAdministrator((sql) => sql(`DROP DATABASE IF EXISTS ${testName(name)} WITH (FORCE)`));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function newFolder(): Promise<string> {
  // The time tells the clean-up of a later run how old it is.
  return mkdtemp(join(tmpdir(), `${prefix}-${Date.now()}-`));
}

async function asAdministrator(work: (sql: (text: string) => Promise<unknown>) => Promise<unknown>) {
  const admin = new pg.Client({ connectionString: postgresUrl() });
  await admin.connect();
  try {
    await work((text) => admin.query(text));
  } finally {
    await admin.end();
  }
}

function postgresUrl(): string {
  if (!services.postgresUrl) throw new Error('PostgreSQL is not reachable: set TEST_DATABASE_URL');
  return services.postgresUrl;
}
