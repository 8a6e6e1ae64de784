import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { Logger } from '@nestjs/common';
import { EmbeddedConnection, EmbeddedConnections } from './embedded-connections.js';
import { FolderLock } from './folder-lock.js';
import { closeToOthers } from './private-folder.js';

/** Long enough for the recovery of a large database on a slow disk. */
const startTimeoutMs = 180_000;
/** Watchdog: a request that runs for so many ticks of a second is stuck, and nothing can cancel it. */
const stuckAfterTicks = 60;
/** How long a transaction may be idle while other connections wait. */
const idleInTransactionMs = 10_000;
/** Restart backoff after a crash: an attempt costs about a second of processor time. */
const restartBackoffMs = 5_000;

export class DatabaseStoppedError extends Error {
  override readonly name = 'DatabaseStoppedError';
  /** The code of a socket: `pg` ignores it on a connection that it is closing anyway. */
  readonly code = 'ECONNRESET';
}

/**
 * PostgreSQL inside this process: compiled to WebAssembly, in a thread of its own, with its files in one folder.
 * Starts with the first connection. After a crash all connections fail, open ones and new ones, until it has restarted by
 * itself: the cause, such as a full disk, may pass. After `close` it stays closed.
 */
export class EmbeddedDatabase extends EmbeddedConnections {
  private readonly logger = new Logger('EmbeddedDatabase');
  private opening: Promise<Worker> | undefined;
  private stopped: DatabaseStoppedError | undefined;
  private closed = false;
  private restart: NodeJS.Timeout | undefined;
  private readonly connections = new Set<EmbeddedConnection>();
  private readonly progress = new SharedArrayBuffer(4);

  /** @param folder is created when it does not exist; its parent too */
  constructor(private readonly folder: string) {
    super();
  }

  override connect(): EmbeddedConnection {
    const connection = new EmbeddedConnection(() => this.port());
    this.connections.add(connection);
    return connection.once('close', () => this.connections.delete(connection));
  }

  /**
   * Attaches one end of a channel, whose other end another thread of this process may have: whole requests as Uint8Array
   * in, answers out.
   * @throws DatabaseStoppedError, or what prevented the start
   */
  async serve(port: MessagePort): Promise<void> {
    if (this.stopped) throw this.stopped;
    this.opening ??= this.open();
    const worker = await this.opening;
    worker.postMessage(port, [port]);
  }

  /** The other end of a new channel to the database. */
  async port(): Promise<MessagePort> {
    const { port1, port2 } = new MessageChannel();
    await this.serve(port2);
    return port1;
  }

  /** Clean shutdown: open transactions are rolled back and the folder is unlocked. */
  override async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.restart);
    const worker = await this.opening?.catch(() => undefined);
    this.stop(new DatabaseStoppedError('The embedded database is closed'));
    if (!worker) return;
    const exited = new Promise((exit) => worker.once('exit', exit));
    if (worker.threadId === -1) return;
    worker.postMessage('close');
    await exited;
  }

  private async open(): Promise<Worker> {
    await mkdir(dirname(this.folder), { recursive: true, mode: 0o700 });
    const lock = await FolderLock.acquire(this.folder);
    try {
      if (!existsSync(join(this.folder, 'PG_VERSION'))) await initialise(this.folder);
      await closeToOthers(this.folder);
      const worker = startThread({
        folder: this.folder,
        progress: this.progress,
        idleInTransactionMs,
      });
      worker.once('exit', () => void lock.release());
      await waitFor(worker, 'message');
      this.watch(worker);
      return worker;
    } catch (error) {
      await lock.release();
      throw new Error(
        `The embedded database in ${this.folder} does not start. ` +
          `Is the disk full, or is something else in the folder? ${String(error)}`,
        { cause: error },
      );
    }
  }

  private watch(worker: Worker): void {
    const step = new Int32Array(this.progress);
    let [seen, ticks] = [0, 0];
    const timer = setInterval(() => {
      const now = Atomics.load(step, 0);
      ticks = now % 2 !== 0 && now === seen ? ticks + 1 : 0;
      seen = now;
      if (ticks >= stuckAfterTicks) void worker.terminate();
    }, 1_000).unref();
    worker.once('error', (cause) =>
      this.stop(new DatabaseStoppedError(`The embedded database has stopped: ${cause.message}`, { cause })),
    );
    worker.once('exit', () => {
      clearInterval(timer);
      this.stop(new DatabaseStoppedError('The embedded database has stopped'));
      if (this.closed) return;
      this.logger.error(`${this.stopped?.message ?? ''}\nIt is started again as soon as that is possible`);
      this.scheduleRestart();
    });
  }

  private scheduleRestart(): void {
    if (!this.closed) this.restart = setTimeout(() => void this.tryRestart(), restartBackoffMs).unref();
  }

  private async tryRestart(): Promise<void> {
    this.opening = this.open();
    try {
      await this.opening;
    } catch (error) {
      this.logger.debug(String(error));
      this.scheduleRestart();
      return;
    }
    if (this.closed) return;
    this.stopped = undefined;
    this.logger.log('The embedded database has started again');
  }

  private stop(reason: DatabaseStoppedError): void {
    this.stopped ??= reason;
    for (const connection of this.connections) connection.destroy(this.stopped);
  }
}

/** initdb in a draft folder, which is renamed when complete: an interrupted start leaves nothing that looks like a database. */
async function initialise(folder: string): Promise<void> {
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  await closeToOthers(draft);
  await waitFor(startThread({ folder: draft, initialise: true }), 'exit');
  await rename(draft, folder);
}

function startThread(workerData: object): Worker {
  return new Worker(new URL('./database-thread.mjs', import.meta.url), { workerData, execArgv: [] });
}

/** Resolves on the first message, which says that the thread is ready, or on its exit without an error. */
async function waitFor(worker: Worker, event: 'message' | 'exit'): Promise<void> {
  const timeout = setTimeout(() => void worker.terminate(), startTimeoutMs);
  try {
    await new Promise<void>((done, failed) => {
      worker.once(event, () => done()).once('error', failed);
      worker.once('exit', (code) =>
        failed(new DatabaseStoppedError(`The embedded database did not start (${code})`)),
      );
    });
  } finally {
    clearTimeout(timeout);
  }
}
