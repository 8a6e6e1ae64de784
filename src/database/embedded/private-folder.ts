import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const folderMode = 0o700;
const fileMode = 0o600;
const otherBits = 0o077;

/**
 * Permissions of a folder, as PostgreSQL demands them of its own: nobody else may enter it, whatever it was before. That also
 * closes what is made in it later, with whatever mode; what is in it already is closed too, for when it is copied or moved.
 * @param folder is created when it does not exist
 * @throws when it belongs to somebody else
 */
export async function closeToOthers(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: folderMode });
  // Windows has no such modes: there a folder of a user is that user's.
  if (process.platform === 'win32') return;
  try {
    // First of all, so that nobody gets in while the rest is changed.
    await restrict(folder, folderMode);
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      // A link is left alone: what it leads to is not part of the folder.
      if (entry.isDirectory()) await restrict(path, folderMode);
      else if (entry.isFile()) await restrict(path, fileMode);
    }
  } catch (cause) {
    throw new Error(
      `Others may read the embedded database in ${folder}, and that cannot be changed: ` +
        'give DATA_DIR a folder that belongs to the user of this process, on a disk that knows permissions.',
      { cause },
    );
  }
}

async function restrict(path: string, mode: number): Promise<void> {
  const isOpen = async () => ((await stat(path)).mode & otherBits) !== 0;
  if (!(await isOpen())) return;
  await chmod(path, mode);
  // Some file systems accept the change and keep what they had.
  if (await isOpen()) throw new Error('The mode of a file has not changed');
}
