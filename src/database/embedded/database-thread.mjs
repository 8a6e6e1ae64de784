import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { maintain } from './maintenance.mjs';
import { Session } from './session.mjs';
import { readyStatus } from './wire.mjs';

// The worker thread of the embedded database. Each connection is a MessagePort: a Uint8Array of what a PostgreSQL client
// sends goes in, a Uint8Array of what a PostgreSQL server answers comes out; closing it disconnects. With `initialise` it
// creates an empty database and ends: a thread of its own, because the 500 MB for that are freed only with the thread.

/** @type {unknown} */
const given = workerData;
const { folder, initialise, progress, idleInTransactionMs } =
  /** @type {{ folder: string, initialise: boolean, progress: SharedArrayBuffer, idleInTransactionMs: number }} */ (
    given
  );
const parent = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
/** @type {string[]} the last FATAL and PANIC lines of PostgreSQL's log */
const fatalLines = [];
const database = await PGlite.create(folder, { onStderr: remember }).catch((/** @type {unknown} */ error) =>
  stop(String(error)),
);
if (initialise) {
  await database.close();
  process.exit(0);
}
/** Heartbeat for the watchdog in the owner's thread: odd while a request is executed. */
const step = new Int32Array(progress);

/**
 * @param {Buffer} request
 * @returns {Buffer}
 */
function execute(request) {
  /** @type {Buffer[]} */
  const chunks = [];
  Atomics.add(step, 0, 1);
  // Synchronous as long as `syncToFs` is off. A rejection means that PostgreSQL itself has stopped; unhandled, it ends this
  // thread, and with it every connection.
  void database.execProtocolRawStream(request, {
    syncToFs: false,
    onRawData: (bytes) => chunks.push(Buffer.from(bytes)),
  });
  Atomics.add(step, 0, 1);
  const answer = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
  if (readyStatus(answer) === null) stop('PostgreSQL has stopped');
  return answer;
}

const maintenanceIntervalMs = 10_000;

const session = new Session(execute, idleInTransactionMs);
setInterval(() => session.free && maintain(execute), maintenanceIntervalMs);

/** Answer to every startup message: authentication, parameters, ready. */
const startupAnswer = execute(startupMessage());

/** @param {import('node:worker_threads').MessagePort} port */
function serve(port) {
  /** @type {import('./session.mjs').Connection} */
  const connection = {
    send: (answer) => port.postMessage(answer),
    close: () => port.close(),
  };
  let started = false;
  port.on('message', (/** @type {Uint8Array} */ bytes) => {
    if (started)
      return session.submit(connection, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    started = true;
    connection.send(startupAnswer);
  });
  port.on('close', () => session.leave(connection));
}

/**
 * Keeps what explains a crash. Other lines may quote rows.
 *
 * @param {string} line
 */
function remember(line) {
  if (/ (FATAL|PANIC): /.test(line) && fatalLines.push(line) > 3) fatalLines.shift();
  return false;
}

/**
 * @param {string} reason
 * @returns {never}
 */
function stop(reason) {
  throw new Error([reason, ...fatalLines].join('\n'));
}

function startupMessage() {
  const text = Buffer.from('user\0postgres\0database\0postgres\0\0');
  const header = Buffer.alloc(8);
  header.writeUInt32BE(header.length + text.length, 0);
  header.writeUInt32BE(3 << 16, 4);
  return Buffer.concat([header, text]);
}

async function shutDown() {
  session.rollBack();
  await database.close();
  process.exit(0);
}

parent.on('message', (/** @type {import('node:worker_threads').MessagePort | 'close'} */ message) => {
  if (message === 'close') void shutDown();
  else serve(message);
});
parent.postMessage('ready');
