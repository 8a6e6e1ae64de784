import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { EmbeddedDatabase } from '../../../src/database/embedded/embedded-database.js';
import type { TestDatabase } from '../database.js';
import { prefix } from '../database-templates.mjs';

/**
 * What the statement gives, seen past the service. PostgreSQL is asked whoever else uses it; the folder of an embedded
 * database must not be open elsewhere.
 */
export async function look<Row extends pg.QueryResultRow>(
  { env }: Pick<TestDatabase, 'env'>,
  sql: string,
): Promise<Row[]> {
  const embedded = env['DATABASE_URL']
    ? undefined
    : new EmbeddedDatabase(join(env['DATA_DIR'] ?? '', 'database'));
  const client = new pg.Client(embedded ? { stream: () => embedded.connect() } : env['DATABASE_URL']);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
    await embedded?.close();
  }
}

/**
 * The same, right after a `kill -9`, without mending anything: what the crash has left in the folder of an embedded
 * database is looked at in a copy, so that the recovery of the original is the service's own. Resolves with the answer still
 * to come when the original may be used again.
 */
export async function lookAtRemains<Row extends pg.QueryResultRow>(
  database: Pick<TestDatabase, 'env'>,
  sql: string,
): Promise<{ rows: Promise<Row[]> }> {
  if (database.env['DATABASE_URL']) return { rows: Promise.resolve(await look<Row>(database, sql)) };
  const copy = await mkdtemp(join(tmpdir(), `${prefix}-${Date.now()}-`));
  cpSync(join(database.env['DATA_DIR'] ?? '', 'database'), join(copy, 'database'), { recursive: true });
  const rows = look<Row>({ env: { DATA_DIR: copy } }, sql).finally(() =>
    rm(copy, { recursive: true, force: true }),
  );
  // Whoever waits for it is still busy starting the service.
  rows.catch(() => undefined);
  return { rows };
}
