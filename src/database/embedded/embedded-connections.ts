import { Duplex } from 'node:stream';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

const queryMessage = 'Q'.charCodeAt(0);
const syncMessage = 'S'.charCodeAt(0);

/**
 * A duplex stream in place of the socket of `pg`: PostgreSQL's wire protocol over a MessagePort. Writes are buffered until
 * the Query or Sync message that ends a request, because the embedded database executes whole requests only.
 */
export class EmbeddedConnection extends Duplex {
  private port: MessagePort | undefined;
  private buffered: Buffer = Buffer.alloc(0);
  private started = false;

  /** @param open resolves with the wire to the database; rejects when it cannot be reached */
  constructor(private readonly open: () => Promise<MessagePort>) {
    super();
  }

  connect(): this {
    this.open().then(
      (port) => this.attach(port),
      (error: unknown) => this.destroy(error as Error),
    );
    return this;
  }

  private attach(port: MessagePort): void {
    if (this.destroyed) return port.close();
    this.port = port;
    port.on('message', (bytes: Uint8Array) =>
      this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    );
    port.on('close', () => this.push(null));
    this.emit('connect');
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.forward(chunk);
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.forward(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    done();
  }

  private forward(chunk: Buffer): void {
    this.buffered = this.buffered.length > 0 ? Buffer.concat([this.buffered, chunk]) : chunk;
    const end = this.endOfRequest();
    if (end === 0) return;
    this.port?.postMessage(this.buffered.subarray(0, end));
    this.buffered = this.buffered.subarray(end);
  }

  /** Offset behind the last complete Query or Sync message; 0 when there is none yet. */
  private endOfRequest(): number {
    if (!this.started) {
      // The startup message has no type byte, only its length.
      this.started = this.buffered.length >= 4 && this.buffered.length >= this.buffered.readUInt32BE(0);
      return this.started ? this.buffered.readUInt32BE(0) : 0;
    }
    let requestEnd = 0;
    for (let start = 0; start + 5 <= this.buffered.length;) {
      const end = start + 1 + this.buffered.readUInt32BE(start + 1);
      if (end > this.buffered.length) break;
      if (this.buffered[start] === queryMessage || this.buffered[start] === syncMessage) requestEnd = end;
      start = end;
    }
    return requestEnd;
  }

  override _read(): void {
    // No backpressure: answers are pushed as they come, and none is larger than what its query asked for.
  }

  override _final(done: () => void): void {
    this.port?.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.port?.close();
    done(error);
  }

  // Socket options that `pg` sets and that mean nothing here.
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    this.port?.ref();
    return this;
  }

  unref(): this {
    this.port?.unref();
    return this;
  }
}

/** The connection factory of the embedded database: of the thread that owns it, or of another one. */
export abstract class EmbeddedConnections {
  /** A stream for `pg`: `new Client({ stream: () => connections.connect() })`. */
  abstract connect(): EmbeddedConnection;

  /** Releases what this factory holds. None of its connections works from then on. */
  abstract close(): Promise<void>;
}

/**
 * Connections from another thread of the process: the owner is sent one end of a channel for each and hands it to the
 * database. Requests and answers then bypass the owner.
 */
export class RemoteConnections extends EmbeddedConnections {
  /** @param owner leads to the thread that owns the database and takes `MessagePort`s */
  constructor(private readonly owner: MessagePort) {
    super();
  }

  override connect(): EmbeddedConnection {
    return new EmbeddedConnection(async () => {
      const { port1, port2 } = new MessageChannel();
      this.owner.postMessage(port2, [port2]);
      return port1;
    });
  }

  override async close(): Promise<void> {
    // The owner closes the database.
  }
}
