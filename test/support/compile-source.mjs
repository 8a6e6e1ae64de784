import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../../scripts/swc.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The source as plain ES modules, for processes and threads outside of Jest. Types are not checked.
 *
 * @returns {Promise<{ folder: string, remove: () => Promise<void> }>} `folder` corresponds to `src`
 */
export async function compileSource() {
  // Below node_modules, so that bare imports are found from there.
  const cache = join(root, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'strike-auth-source-'));
  await cp(join(root, 'src'), folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.ts'));
  for (const file of files) {
    await writeFile(join(folder, file.replace(/\.ts$/, '.js')), await compile(join(folder, file)));
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
