import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// npm run prove:crash [rounds] [seed]: test/crash.e2e-spec.ts with many rounds, on PostgreSQL and on the embedded database, and
// a table of what was seen. Ends with 1 when a promise was broken, or when one of the databases was not there.

const databases = ['embedded', 'postgresql'];
const [rounds = '50', seed = String(Date.now() % 1_000_000_000)] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'strike-auth-prove-crash-'));
const report = join(folder, 'report');
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');

console.log(`${rounds} rounds of kill -9 on each database, seed ${seed}`);
const began = performance.now();
try {
  const { status } = spawnSync(
    process.execPath,
    [
      jest,
      'test/crash.e2e-spec.ts',
      '--config=jest.all.config.mjs',
      '--selectProjects',
      ...databases,
      '--maxWorkers=2',
    ],
    {
      stdio: 'inherit',
      env: { ...process.env, CRASH_ROUNDS: rounds, CRASH_SEED: seed, CRASH_REPORT: report },
    },
  );
  const rows = rowsOf(report);
  console.table(rows);
  const missing = databases.filter((name) => !rows.some(({ database }) => database === name));
  for (const name of missing) console.log(`NOT PROVED: ${name}`);
  console.log(`seed ${seed}, ${((performance.now() - began) / 60_000).toFixed(1)} minutes`);
  process.exitCode = missing.length > 0 ? 1 : (status ?? 1);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * @param {string} file
 * @returns {{ database: string }[]}
 */
function rowsOf(file) {
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map(rowOf);
  } catch {
    return [];
  }
}

/**
 * @param {string} line
 * @returns {{ database: string }}
 */
function rowOf(line) {
  /** @type {unknown} */
  const row = JSON.parse(line);
  return /** @type {{ database: string }} */ (row);
}
