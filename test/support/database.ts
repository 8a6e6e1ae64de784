import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import type { EmbeddedConnections } from '../../src/database/embedded/embedded-connections.js';
import { postgresTemplate, prefix, testName, urlOf } from './database-templates.mjs';
import { borrowEngine, copyTemplate } from './embedded-engine.js';
import { type DatabaseKind, services } from './services.js';

// What is logged without an application would stand between the lines of the report.
Logger.overrideLogger(false);

export interface TestDatabase {
  /** What the application is configured with to use it: `readConfig({ ...database.env, … })`. */
  readonly env: Readonly<Record<string, string>>;
  /** An embedded database that runs already: the application is handed it, or it starts its own in `DATA_DIR`. */
  readonly embedded?: EmbeddedConnections;
  /** Removes it. The application must have been closed. */
  drop(): Promise<void>;
}

/** An empty, migrated database for an application in this process. An embedded one runs already. */
export function lendTestDatabase(kind: DatabaseKind = services.database): Promise<TestDatabase> {
  return kind === 'embedded' ? lendEmbedded() : createOnPostgres();
}

/** An empty, migrated database for processes of their own, or for what is about the files of the embedded one. */
export function createTestDatabase(kind: DatabaseKind = services.database): Promise<TestDatabase> {
  return kind === 'embedded' ? createEmbedded() : createOnPostgres();
}

async function lendEmbedded(): Promise<TestDatabase> {
  const folder = await newFolder();
  const embedded = await borrowEngine();
  return {
    env: { DATA_DIR: folder },
    embedded,
    drop: async () => {
      await embedded.giveBack();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function createEmbedded(): Promise<TestDatabase> {
  const folder = await newFolder();
  await copyTemplate(join(folder, 'database'));
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
