import { Listeners } from './listeners.mjs';
import { fatalError, idle, query, readyStatus } from './wire.mjs';

/**
 * @typedef {object} Connection
 * @property {(answer: Buffer) => void} send
 * @property {() => void} close
 */

/**
 * Multiplexes connections on the one session of the database, as a mutex with a FIFO queue. The connection that has opened
 * a transaction owns the session until that ends.
 */
export class Session {
  /** @type {Connection | null} */
  #owner = null;
  /** @type {{ connection: Connection, request: Buffer }[]} */
  #waiting = [];
  /**
   * @readonly
   * @type {Listeners<Connection>}
   */
  #listeners = new Listeners();
  /** @type {NodeJS.Timeout | undefined} */
  #idleTimer;

  /**
   * @param {(request: Buffer) => Buffer} execute runs what one client sent, to its end
   * @param {number} idleInTransactionMs how long the owner may be idle while others wait
   */
  constructor(execute, idleInTransactionMs) {
    this.execute = execute;
    this.idleInTransactionMs = idleInTransactionMs;
  }

  /** Whether no transaction is open. */
  get free() {
    return this.#owner === null;
  }

  /**
   * @param {Connection} connection
   * @param {Buffer} request whole messages, up to a point where the server becomes ready again
   */
  submit(connection, request) {
    this.#waiting.push({ connection, request });
    this.#run();
  }

  /**
   * Disconnects: the queued requests are dropped and an open transaction is rolled back.
   *
   * @param {Connection} connection
   */
  leave(connection) {
    this.#waiting = this.#waiting.filter((entry) => entry.connection !== connection);
    this.#listeners.forget(connection);
    if (this.#owner === connection) this.rollBack();
    this.#run();
  }

  /** Ends the transaction that is open, if any. */
  rollBack() {
    if (this.#owner) this.execute(query('ROLLBACK'));
    this.#owner = null;
  }

  #run() {
    clearTimeout(this.#idleTimer);
    for (let next = this.#next(); next; next = this.#next()) this.#answer(next.connection, next.request);
    if (this.#owner && this.#waiting.length > 0) {
      this.#idleTimer = setTimeout(() => this.#evict(), this.idleInTransactionMs);
    }
  }

  #next() {
    const index = this.#owner ? this.#waiting.findIndex(({ connection }) => connection === this.#owner) : 0;
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }

  /**
   * @param {Connection} connection
   * @param {Buffer} request
   */
  #answer(connection, request) {
    const relisten = this.#listeners.note(connection, request);
    const whole = this.execute(request);
    for (const statement of relisten) this.execute(query(statement));
    this.#owner = readyStatus(whole) === idle ? null : connection;
    const { answer, notifications } = this.#listeners.extract(whole);
    connection.send(answer);
    for (const { bytes, listeners } of notifications) {
      for (const listener of listeners) listener.send(bytes);
    }
  }

  /** `idle_in_transaction_session_timeout`: without it, one forgotten transaction would block all connections. */
  #evict() {
    const owner = /** @type {Connection} */ (this.#owner);
    owner.send(fatalError('25P03', 'terminating connection due to idle-in-transaction timeout'));
    owner.close();
    this.leave(owner);
  }
}
