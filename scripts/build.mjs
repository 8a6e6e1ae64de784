import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'src');
const output = join(root, 'dist');
/** Written by the compiler; its time says when the build that it belongs to began. */
const record = join(output, '.tsbuildinfo');

/** @param {string} folder @returns {string[]} everything in it, folders too: deleting a file changes its folder */
function everythingIn(folder) {
  return [
    folder,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ];
}

/** Whether `dist` is missing or older than what it is made of. Without sources there is nothing to compare with. */
export function isStale() {
  if (!existsSync(sources)) return false;
  if (!existsSync(record) || !existsSync(join(output, 'main.js'))) return true;
  const made = statSync(record).mtimeMs;
  const inputs = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].map((name) =>
    join(root, name),
  );
  return [...everythingIn(sources), ...inputs].some((file) => statSync(file).mtimeMs > made);
}

/** Removes what was compiled from files that are gone: migrations are found by their folder. */
function removeLeftovers() {
  for (const file of readdirSync(output, { recursive: true, encoding: 'utf8' })) {
    const compiled = /^(.*)\.(m?)js(\.map)?$/.exec(file);
    if (
      compiled &&
      !existsSync(join(sources, `${compiled[1]}.${compiled[2]}ts`)) &&
      !existsSync(join(sources, file.replace(/\.map$/, '')))
    ) {
      rmSync(join(output, file));
    }
  }
}

/**
 * Compiles `src` to `dist`, only what has changed.
 * @returns {number} the exit code of the compiler, which has said what is wrong
 */
export function build() {
  const began = new Date();
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) return status ?? 1;
  removeLeftovers();
  utimesSync(record, began, began);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = build();
