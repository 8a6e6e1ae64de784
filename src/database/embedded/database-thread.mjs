import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { keepHouse } from './housekeeping.mjs';
import { Session } from './session.mjs';
import { readyStatus } from './wire.mjs';

// The thread in which the embedded database lives. Each connection is a MessagePort: a Uint8Array of what a
// PostgreSQL client sends goes in, a Uint8Array of what a PostgreSQL server answers comes out; closing it hangs up.

/** @type {unknown} */
const given = workerData;
const { folder, progress, idleInTransactionMs } =
  /** @type {{ folder: string, progress: SharedArrayBuffer, idleInTransactionMs: number }} */ (given);
const parent = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
/** @type {string[]} why PostgreSQL has ended, from its log */
const lastWords = [];
const database = await PGlite.create(folder, { onStderr: remember }).catch((/** @type {unknown} */ error) =>
  stop(String(error)),
);
/** Odd while a request runs: whoever watches can see from outside that the thread is stuck in one. */
const step = new Int32Array(progress);

/**
 * @param {Buffer} request
 * @returns {Buffer}
 */
function execute(request) {
  /** @type {Buffer[]} */
  const chunks = [];
  Atomics.add(step, 0, 1);
  // It runs to its end before it returns: nothing in it is asynchronous without `syncToFs`. A rejection means that
  // PostgreSQL itself has stopped; unhandled, it ends this thread, and with it every connection.
  void database.execProtocolRawStream(request, {
    syncToFs: false,
    onRawData: (bytes) => chunks.push(Buffer.from(bytes)),
  });
  Atomics.add(step, 0, 1);
  const answer = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
  if (readyStatus(answer) === null) stop('PostgreSQL has stopped');
  return answer;
}

const housekeepingEveryMs = 10_000;

const session = new Session(execute, idleInTransactionMs);
setInterval(() => session.free && keepHouse(execute), housekeepingEveryMs);

/** What the server says to a newcomer: authenticated, its parameters, ready. The same for all. */
const greeting = execute(startupMessage());

/** @param {import('node:worker_threads').MessagePort} port */
function serve(port) {
  /** @type {import('./session.mjs').Connection} */
  const connection = {
    send: (answer) => port.postMessage(answer),
    close: () => port.close(),
  };
  let greeted = false;
  port.on('message', (/** @type {Uint8Array} */ bytes) => {
    if (greeted)
      return session.submit(connection, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    greeted = true;
    connection.send(greeting);
  });
  port.on('close', () => session.leave(connection));
}

/**
 * Only what explains an end: other lines repeat what stands in the tables.
 *
 * @param {string} line
 */
function remember(line) {
  if (/ (FATAL|PANIC): /.test(line) && lastWords.push(line) > 3) lastWords.shift();
  return false;
}

/**
 * @param {string} reason
 * @returns {never}
 */
function stop(reason) {
  throw new Error([reason, ...lastWords].join('\n'));
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
