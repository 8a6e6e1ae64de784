import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * One request as the bytes that go over the wire, made before the clock runs.
 *
 * @param {string} method
 * @param {string} path
 * @param {object} body
 * @param {Record<string, string>} [headers]
 */
export function requestBytes(method, path, body, headers = {}) {
  const text = JSON.stringify(body);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\n${lines.join('')}\r\n${text}`,
  );
}

/** A connection that stays open and does nothing but take the time: no parser, no pool, hardly any garbage. */
export class StopwatchClient {
  /** @type {Buffer} */
  #received = Buffer.alloc(0);
  #sentAt = 0;
  /** @type {{ resolve: (ms: number) => void, reject: (error: Error) => void } | null} */
  #waiting = null;
  /** Why no answer can come any more. @type {Error | null} */
  #over = null;
  #status = '';

  /** @param {string} url @param {import('node:net').Socket} socket */
  constructor(url, socket) {
    this.url = url;
    this.socket = this.#listenTo(socket);
  }

  /** @param {string} url */
  static async open(url) {
    return new StopwatchClient(url, await connected(url));
  }

  /** @param {import('node:net').Socket} socket */
  #listenTo(socket) {
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('The service has closed the connection')));
    return socket;
  }

  /**
   * Milliseconds from the first byte sent to the last one received. Rejects when the connection ends before that. One that was
   * closed in between, because nothing was asked for a minute, is opened anew.
   *
   * @param {Buffer} bytes
   * @param {string} status that must come
   */
  async time(bytes, status = '200') {
    if (this.#over) {
      this.socket = this.#listenTo(await connected(this.url));
      this.#received = Buffer.alloc(0);
      this.#over = null;
    }
    const ms = await new Promise((/** @type {(ms: number) => void} */ resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#sentAt = performance.now();
      this.socket.write(bytes);
    });
    if (this.#status !== status) throw new Error(`Answered ${this.#status}, not ${status}`);
    return ms;
  }

  close() {
    this.socket.destroy();
  }

  /** @param {Error} error the first one says why */
  #end(error) {
    this.#over ??= error;
    this.#waiting?.reject(this.#over);
    this.#waiting = null;
  }

  /** @param {Buffer} chunk */
  #read(chunk) {
    const at = performance.now();
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.toString('latin1', 0, end);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (this.#received.length < end + 4 + Number(length ?? 0)) return;
    this.#status = head.slice(9, 12);
    this.#received = Buffer.alloc(0);
    this.#waiting?.resolve(at - this.#sentAt);
    this.#waiting = null;
  }
}

/** @param {string} url */
async function connected(url) {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  return socket;
}
