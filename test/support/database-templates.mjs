import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { compileSource } from './compile-source.mjs';

// The migrated databases that those of the tests are copies of: made once for each set of migrations, and kept.

const root = fileURLToPath(new URL('../..', import.meta.url));
export const prefix = 'strike_auth_test';

/**
 * The name, quoted for SQL.
 *
 * @param {string} name
 * @throws when the database is not one of the tests': nothing else is ever created, copied or dropped
 */
export function testName(name) {
  if (!/^strike_auth_test[a-z0-9_]*$/.test(name)) throw new Error(`${name} is not a test database`);
  return pg.escapeIdentifier(name);
}

/** Carries the fingerprint to the test files: one that is edited during the run must not change it. */
const variable = 'STRIKE_AUTH_TEST_TEMPLATE';

/** Changes with everything that decides what an empty, migrated database looks like. */
async function fingerprint() {
  return process.env[variable] ?? (process.env[variable] = await computeFingerprint());
}

async function computeFingerprint() {
  const hash = createHash('sha256');
  const migrations = join(root, 'src/database/migrations');
  const files = (await readdir(migrations)).sort().map((file) => join(migrations, file));
  for (const file of [...files, join(root, 'node_modules/@electric-sql/pglite/package.json')]) {
    hash.update(file).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 12);
}

/** A `DATA_DIR` to copy. */
export async function embeddedTemplate() {
  return join(tmpdir(), `${prefix}-template-${await fingerprint()}`);
}

/** A database to copy. */
export async function postgresTemplate() {
  return `${prefix}_template_${await fingerprint()}`;
}

/**
 * @param {string} postgresUrl
 * @param {string} name
 */
export function urlOf(postgresUrl, name) {
  testName(name);
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/**
 * Makes what is missing. Runs that start together do not disturb each other.
 *
 * @param {string | undefined} postgresUrl undefined when PostgreSQL is not there
 */
export async function makeTemplates(postgresUrl) {
  await makeEmbedded();
  if (postgresUrl) await makeOnPostgres(postgresUrl);
}

async function makeEmbedded() {
  const template = await embeddedTemplate();
  if (existsSync(template)) return;
  const draft = await mkdtemp(join(tmpdir(), `${prefix}-${Date.now()}-draft-`));
  await migrate({ DATA_DIR: draft });
  // Each run makes its own; the first to finish puts it in place.
  await rename(draft, template).catch(() => rm(draft, { recursive: true, force: true }));
}

/** @param {string} postgresUrl */
async function makeOnPostgres(postgresUrl) {
  const template = await postgresTemplate();
  const admin = new pg.Client({ connectionString: postgresUrl });
  await admin.connect();
  try {
    // One run at a time; the lock goes with the connection.
    await admin.query('SELECT pg_advisory_lock(hashtext($1))', [prefix]);
    const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [template]);
    if (rowCount) return;
    const draft = `${template}_draft`;
    await admin.query(`DROP DATABASE IF EXISTS ${testName(draft)} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${testName(draft)} TEMPLATE template0`);
    await migrate({ DATABASE_URL: urlOf(postgresUrl, draft), THROTTLE_STORE: 'memory' });
    await admin.query(`ALTER DATABASE ${testName(draft)} RENAME TO ${testName(template)}`);
  } finally {
    await admin.end();
  }
}

/** @param {Record<string, string>} env */
async function migrate(env) {
  const source = await compileSource();
  try {
    /** @param {string} file */
    const urlOfSource = (file) => pathToFileURL(join(source.folder, file)).href;
    const { readConfig } = /** @type {typeof import('../../src/config/config.js')} */ (
      await import(urlOfSource('config/config.js'))
    );
    const { createDataSource, dataSourceOptions } =
      /** @type {typeof import('../../src/database/data-source.js')} */ (
        await import(urlOfSource('database/data-source.js'))
      );
    const dataSource = createDataSource(dataSourceOptions(readConfig({ NODE_ENV: 'test', ...env }), []));
    await dataSource.initialize();
    await dataSource.destroy();
  } finally {
    await source.remove();
  }
}
