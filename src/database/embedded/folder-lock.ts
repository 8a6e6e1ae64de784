import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join, relative, resolve } from 'node:path';

/** `sun_path` of the smallest of our systems (macOS); a longer path cannot be bound. */
const longestSocketPath = 103;
/** A live holder answers at once. One that does not is busy, and alive. */
const answerTimeoutMs = 5_000;

type Answer = 'held' | 'gone';

export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';

  constructor(folder: string) {
    super(
      `The embedded database in ${folder} is already in use by another process. ` +
        'Stop that process, give this one another DATA_DIR, or set DATABASE_URL to share one PostgreSQL.',
    );
  }
}

/**
 * Inter-process mutex on the folder: two processes would corrupt the database.
 *
 * The lock is a listening socket, so the system releases it with its process, however that ends. Leader election: each
 * candidate first listens on a socket of its own in `<folder>.lock/`, then connects to all others. It announces before it
 * looks, so of two candidates at least one sees the other. It yields to a holder and to a smaller name, and waits for the
 * decision of a larger one: exactly one wins, and no file is deleted that a new candidate might have just created.
 * (Windows has named pipes, which are exclusive and vanish with their process.)
 */
export class FolderLock {
  private constructor(
    private readonly server: Server,
    private readonly waiting: Set<Socket>,
  ) {}

  /** @throws FolderInUseError when another process, or this one, has it already */
  static async acquire(folder: string): Promise<FolderLock> {
    if (process.platform === 'win32') return FolderLock.listen(pipeName(folder), folder);
    const lobby = `${resolve(folder)}.lock`;
    await mkdir(lobby, { recursive: true, mode: 0o700 });
    const name = randomUUID();
    const lock = await FolderLock.listen(socketPath(lobby, name), folder);
    for (const other of await readdir(lobby)) {
      if (other === name) continue;
      if ((await lock.decisionOf(lobby, other, name)) === 'held') {
        await lock.release();
        throw new FolderInUseError(folder);
      }
    }
    lock.hold();
    return lock;
  }

  private static async listen(path: string, folder: string): Promise<FolderLock> {
    const waiting = new Set<Socket>();
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy()).once('close', () => waiting.delete(socket));
      waiting.add(socket);
      if (server.listenerCount('held') > 0) server.emit('held');
    });
    await new Promise<void>((listening, failed) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        failed(error.code === 'EADDRINUSE' ? new FolderInUseError(folder) : cannotLock(folder, error)),
      );
      server.listen(path, listening);
    });
    server.unref();
    return new FolderLock(server, waiting);
  }

  async release(): Promise<void> {
    for (const socket of this.waiting) socket.destroy();
    await new Promise((closed) => this.server.close(closed));
  }

  /** Answers `held` to all candidates, those that have been waiting included. */
  private hold(): void {
    const tell = () => {
      for (const socket of this.waiting) socket.end('held');
    };
    this.server.on('held', tell);
    tell();
  }

  private async decisionOf(lobby: string, other: string, own: string): Promise<Answer> {
    const socket = connect(socketPath(lobby, other));
    try {
      const answer = await answerOf(socket, other < own);
      if (answer === 'gone') await rm(join(lobby, other), { force: true });
      return answer;
    } finally {
      socket.destroy();
    }
  }
}

/** @param shouldYield whether a candidate that has not decided counts as a holder */
function answerOf(socket: Socket, shouldYield: boolean): Promise<Answer> {
  return new Promise((answer) => {
    socket.setTimeout(answerTimeoutMs, () => answer('held'));
    socket.once('connect', () => shouldYield && answer('held'));
    socket.once('data', () => answer('held'));
    socket.once('error', () => answer('gone'));
    socket.once('close', () => answer('gone'));
  });
}

function socketPath(lobby: string, name: string): string {
  const absolute = join(lobby, name);
  const path = [absolute, relative('.', absolute)].sort((a, b) => a.length - b.length)[0] ?? absolute;
  if (Buffer.byteLength(path) <= longestSocketPath) return path;
  throw new Error(
    `The path ${absolute} is too long for a lock: give DATA_DIR a path that is shorter by ` +
      `${Buffer.byteLength(path) - longestSocketPath} bytes.`,
  );
}

function pipeName(folder: string): string {
  const id = createHash('sha256').update(resolve(folder).toLowerCase()).digest('hex');
  return `\\\\.\\pipe\\strike-auth-${id}`;
}

function cannotLock(folder: string, cause: Error): Error {
  return new Error(
    `Cannot lock the embedded database in ${folder} (${cause.message}). ` +
      'DATA_DIR must be on a local disk that this user may write to; or set DATABASE_URL.',
    { cause },
  );
}
