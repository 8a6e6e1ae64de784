import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { Logger } from '@nestjs/common';
import { EmbeddedConnection } from './embedded-connection.js';
import { EmbeddedConnections } from './embedded-connections.js';
import { FolderLock } from './folder-lock.js';

/** Long enough for the recovery of a large database on a slow disk. */
const startWithinMs = 180_000;
/** A request that runs for longer than so many ticks of a second is stuck: there is no way to cancel it. */
const stuckAfterTicks = 60;
/** How long a transaction may do nothing while other connections wait for their turn. */
const idleInTransactionMs = 10_000;
/** After a fault, between one attempt to start again and the next: an attempt costs about a second of processor time. */
const restartAfterMs = 5_000;

export class DatabaseStoppedError extends Error {
  override readonly name = 'DatabaseStoppedError';
  /** What a socket would say: `pg` expects it of a connection that it is about to close anyway. */
  readonly code = 'ECONNRESET';
}

/**
 * PostgreSQL inside this process: compiled to WebAssembly, in a thread of its own, with its files in one folder.
 * Starts with the first connection. After a fault every connection fails, those that stand and those that are asked for,
 * until it has started again by itself: what stopped it, such as a full disk, may pass. After `close` it stays closed.
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
   * Makes the wire itself out of one end of a channel, whose other end another thread of this process may have: whole
   * requests as Uint8Array in, answers out.
   * @throws DatabaseStoppedError, or what prevented the start
   */
  async serve(port: MessagePort): Promise<void> {
    if (this.stopped) throw this.stopped;
    this.opening ??= this.open();
    const worker = await this.opening;
    worker.postMessage(port, [port]);
  }

  /** The wire with both ends here, or one of them for another thread. */
  async port(): Promise<MessagePort> {
    const { port1, port2 } = new MessageChannel();
    await this.serve(port2);
    return port1;
  }

  /** Shuts PostgreSQL down cleanly and frees the folder. What is not committed is rolled back. */
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
      const worker = startThread('./database-thread.mjs', {
        folder: this.folder,
        progress: this.progress,
        idleInTransactionMs,
      });
      worker.once('exit', () => void lock.release());
      await said(worker, 'message');
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
      this.startAgainLater();
    });
  }

  private startAgainLater(): void {
    if (!this.closed) this.restart = setTimeout(() => void this.startAgain(), restartAfterMs).unref();
  }

  private async startAgain(): Promise<void> {
    this.opening = this.open();
    try {
      await this.opening;
    } catch (error) {
      this.logger.debug(String(error));
      this.startAgainLater();
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

/** Makes the database under another name: a start that is interrupted leaves nothing that looks like one. */
async function initialise(folder: string): Promise<void> {
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  await said(startThread('./initialise-folder.mjs', { folder: draft }), 'exit');
  await rename(draft, folder);
}

function startThread(file: string, workerData: object): Worker {
  return new Worker(new URL(file, import.meta.url), { workerData, execArgv: [] });
}

/** Resolves when the thread has said that it is ready, or has ended without a fault. */
async function said(worker: Worker, awaited: 'message' | 'exit'): Promise<void> {
  const tooLong = setTimeout(() => void worker.terminate(), startWithinMs);
  try {
    await new Promise<void>((done, failed) => {
      worker.once(awaited, () => done()).once('error', failed);
      worker.once('exit', (code) =>
        failed(new DatabaseStoppedError(`The embedded database did not start (${code})`)),
      );
    });
  } finally {
    clearTimeout(tooLong);
  }
}
