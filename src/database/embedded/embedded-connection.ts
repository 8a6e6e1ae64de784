import { Duplex } from 'node:stream';
import type { MessagePort } from 'node:worker_threads';

const queryMessage = 'Q'.charCodeAt(0);
const syncMessage = 'S'.charCodeAt(0);

/**
 * Stands where `pg` expects a socket: speaks PostgreSQL's wire protocol with the embedded database. What the client
 * writes is held back until the message that asks for an answer, because the database can only be asked whole.
 */
export class EmbeddedConnection extends Duplex {
  private port: MessagePort | undefined;
  private unsent: Buffer = Buffer.alloc(0);
  private started = false;

  /** @param open how to reach the database; rejects when it cannot be reached */
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
    this.unsent = this.unsent.length > 0 ? Buffer.concat([this.unsent, chunk]) : chunk;
    const end = this.endOfRequest();
    if (end === 0) return;
    this.port?.postMessage(this.unsent.subarray(0, end));
    this.unsent = this.unsent.subarray(end);
  }

  /** Where the last whole message that asks for an answer ends; 0 when there is none yet. */
  private endOfRequest(): number {
    if (!this.started) {
      // The first message has no type, only its length.
      this.started = this.unsent.length >= 4 && this.unsent.length >= this.unsent.readUInt32BE(0);
      return this.started ? this.unsent.readUInt32BE(0) : 0;
    }
    let requestEnd = 0;
    for (let start = 0; start + 5 <= this.unsent.length;) {
      const end = start + 1 + this.unsent.readUInt32BE(start + 1);
      if (end > this.unsent.length) break;
      if (this.unsent[start] === queryMessage || this.unsent[start] === syncMessage) requestEnd = end;
      start = end;
    }
    return requestEnd;
  }

  override _read(): void {
    // Answers are pushed as they come; one is never larger than what its query asked for.
  }

  override _final(done: () => void): void {
    this.port?.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.port?.close();
    done(error);
  }

  // What `pg` calls on a socket and has no meaning here.
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
