import { createServer } from 'node:net';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderInUseError, FolderLock } from '../../src/database/embedded/folder-lock.js';

describe('The lock of a folder', () => {
  let parent: string;
  let folder: string;
  const held: FolderLock[] = [];

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'lock-'));
    folder = join(parent, 'database');
  });

  afterEach(async () => {
    for (const lock of held.splice(0)) await lock.release();
    await rm(parent, { recursive: true, force: true });
  });

  const acquire = async () => {
    const lock = await FolderLock.acquire(folder);
    held.push(lock);
    return lock;
  };

  it('is given to one only, and says so to the others', async () => {
    await acquire();
    await expect(acquire()).rejects.toThrow(FolderInUseError);
    await expect(acquire()).rejects.toThrow(folder);
  });

  it('can be taken again after it was released', async () => {
    const first = await acquire();
    held.splice(0);
    await first.release();
    await expect(acquire()).resolves.toBeInstanceOf(FolderLock);
  });

  it('is given to exactly one of many who ask at the same time', async () => {
    for (let round = 0; round < 20; round++) {
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => FolderLock.acquire(folder)));
      const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(winners).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(FolderInUseError);
      }
      for (const lock of winners) await lock.release();
    }
  });

  it('is not kept by what a dead process left behind, and clears it away', async () => {
    await mkdir(`${folder}.lock`, { recursive: true });
    await leaveDeadSocket(join(`${folder}.lock`, '00000000-dead'));

    await acquire();

    expect(await readdir(`${folder}.lock`)).toHaveLength(1);
    expect(await readdir(`${folder}.lock`)).not.toContain('00000000-dead');
  });

  it('says how much too long a path is', async () => {
    folder = join(parent, 'x'.repeat(100), 'database');
    await expect(acquire()).rejects.toThrow(/DATA_DIR a path that is shorter by \d+ bytes/);
  });
});

/** A socket file on which nobody listens any more, as after `kill -9`. */
async function leaveDeadSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(`${path}.alive`, listening));
  const { link, unlink } = await import('node:fs/promises');
  await link(`${path}.alive`, path);
  await new Promise((closed) => server.close(closed));
  await unlink(`${path}.alive`).catch(() => undefined);
}
