import { spawnSync } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { build, isStale } from '../../scripts/build.mjs';
import { makeTemplates, testName } from './database-templates.mjs';

// Removes what test runs that were killed have left behind. The age is part of each name; nothing that a run in
// progress may still use is that old, and a database with connections is not dropped.

const leftover = /^strike_auth_test[-_](\d{13})[-_]/;
const oldMs = 3_600_000;

/** @param {string} name */
const isOld = (name) => Date.now() - Number(leftover.exec(name)?.[1] ?? Infinity) > oldMs;

/**
 * @param {unknown} _globalConfig
 * @param {{ globals?: { testServices?: { postgresUrl?: string } } }} project
 */
export default async function prepareDatabases(_globalConfig, project) {
  // Some tests start, kill and restart the service itself.
  if (isStale() && build() !== 0) throw new Error('The service does not compile');
  const postgresUrl = project.globals?.testServices?.postgresUrl;
  await removeOldFolders();
  if (postgresUrl) await dropOldDatabases(postgresUrl);
  await makeTemplates(postgresUrl);
}

async function removeOldFolders() {
  for (const name of await readdir(tmpdir())) {
    if (isOld(name)) await removeFolder(join(tmpdir(), name));
  }
}

/** @param {string} folder */
async function removeFolder(folder) {
  const remove = () => rm(folder, { recursive: true, force: true });
  await remove().catch(() => {
    // EBUSY: the small disk of a run that was killed is still mounted there.
    spawnSync('umount', ['--lazy', folder]);
    return remove();
  });
}

/** @param {string} connectionString */
async function dropOldDatabases(connectionString) {
  const admin = new pg.Client({ connectionString });
  await admin.connect();
  try {
    const { rows } = await admin.query('SELECT datname FROM pg_database');
    for (const { datname } of rows.filter((row) => isOld(row.datname))) {
      await admin.query(`DROP DATABASE IF EXISTS ${testName(datname)}`).catch(() => undefined);
    }
  } finally {
    await admin.end();
  }
}
