// PostgreSQL's wire protocol, version 3, as far as the embedded database needs it.
// Source: https://www.postgresql.org/docs/current/protocol-message-formats.html

/** @param {string} letter */
const code = (letter) => letter.charCodeAt(0);

/** Transaction status in ReadyForQuery: idle; the others are in a transaction and in a failed one. */
export const idle = code('I');

/**
 * The messages of an answer: `[type, start, end)`, the header of five bytes included.
 *
 * @param {Buffer} bytes
 * @returns {Generator<[type: string, start: number, end: number]>}
 */
export function* messagesIn(bytes) {
  for (let start = 0; start < bytes.length;) {
    const end = start + 1 + bytes.readUInt32BE(start + 1);
    yield [String.fromCharCode(/** @type {number} */ (bytes[start])), start, end];
    start = end;
  }
}

/**
 * The status byte of the ReadyForQuery that ends an answer; null when it does not end in one.
 *
 * @param {Buffer} answer
 */
export function readyStatus(answer) {
  const ready = answer.length - 6;
  if (ready < 0 || answer[ready] !== code('Z') || answer.readUInt32BE(ready + 1) !== 5) return null;
  return /** @type {number} */ (answer[answer.length - 1]);
}

/**
 * The SQL of the first Query or Parse message in what a client sent; empty when there is none.
 *
 * @param {Buffer} request
 */
export function sqlOf(request) {
  if (request[0] !== code('Q') && request[0] !== code('P')) return '';
  // Parse begins with the name of the statement.
  const start = request[0] === code('Q') ? 5 : request.indexOf(0, 5) + 1;
  return request.toString('utf8', start, request.indexOf(0, start));
}

/**
 * A simple query, as a client sends it.
 *
 * @param {string} sql
 */
export function query(sql) {
  const text = Buffer.from(`${sql}\0`);
  const header = Buffer.from('Q\0\0\0\0');
  header.writeUInt32BE(4 + text.length, 1);
  return Buffer.concat([header, text]);
}

/**
 * An ErrorResponse after which the server closes the connection.
 *
 * @param {string} sqlState five characters
 * @param {string} message
 */
export function fatalError(sqlState, message) {
  const text = Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0M${message}\0\0`);
  const header = Buffer.from('E\0\0\0\0');
  header.writeUInt32BE(4 + text.length, 1);
  return Buffer.concat([header, text]);
}
