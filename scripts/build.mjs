import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Builds when that is needed: for `npm start`, for the tests that start the service, and for openapi.json.

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'src');
/** Stands for all that was built. Its time is set to when the build began: what was saved meanwhile is newer. */
const entry = join(root, 'dist/main.js');

/** @returns {string[]} every source and its folder too: deleting a file changes its folder */
function everySource() {
  const names = readdirSync(sources, { recursive: true, encoding: 'utf8' });
  return [sources, ...names.map((name) => join(sources, name))];
}

/** Whether `dist` is missing or older than what it is made of. Without sources there is nothing to compare with. */
export function isStale() {
  if (!existsSync(sources)) return false;
  if (!existsSync(entry)) return true;
  const built = statSync(entry).mtimeMs;
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package-lock.json'];
  return [...everySource(), ...settings.map((name) => join(root, name))].some(
    (file) => statSync(file).mtimeMs > built,
  );
}

/**
 * `nest build`: compiles `src` to an empty `dist` and copies the assets.
 * @returns {number} the exit code of the compiler, which has said what is wrong
 */
export function build() {
  const began = new Date();
  const nest = join(root, 'node_modules/@nestjs/cli/bin/nest.js');
  const { status } = spawnSync(process.execPath, [nest, 'build'], { cwd: root, stdio: 'inherit' });
  if (status === 0) utimesSync(entry, began, began);
  return status ?? 1;
}
