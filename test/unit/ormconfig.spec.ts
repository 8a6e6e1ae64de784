import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { databaseKinds } from '../support/services.js';

const root = resolve(__dirname, '../..');

/** Resolves with what the script has said, whether it succeeded or not. */
async function npmRun({ env }: TestDatabase, ...script: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)('npm', ['run', '--silent', ...script], {
    cwd: root,
    // Jest's workers ask their children for colours.
    env: { ...process.env, FORCE_COLOR: '0', DATABASE_URL: '', ...env },
  }).catch((error: unknown) => error as { stdout: string; stderr: string });
  return stdout + stderr;
}

describe.each(databaseKinds)('ormconfig.ts, opened by the command line of TypeORM on %s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(kind);
  });
  afterAll(() => database.drop());

  it('shows that every migration has been run', async () => {
    expect(await npmRun(database, 'migration:show')).toMatch(/^(\[X\] \d+ \w+\n)+$/);
  });

  it('finds nothing to generate, and writes nothing', async () => {
    const file = join(database.env['DATA_DIR'] ?? '', 'nothing');
    expect(await npmRun(database, 'migration:generate', '--', file)).toContain(
      'No changes in database schema',
    );
    expect(existsSync(file)).toBe(false);
  });
});
