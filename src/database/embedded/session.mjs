import { Listeners } from './listeners.mjs';
import { fatalError, idle, query, readyStatus } from './wire.mjs';

/**
 * @typedef {object} Connection
 * @property {(answer: Buffer) => void} send
 * @property {() => void} close
 */

/**
 * Many connections take turns on the one session that the database has. Who is inside a transaction keeps the
 * session until it ends; everybody else waits, in order.
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
  #patience;

  /**
   * @param {(request: Buffer) => Buffer} execute runs what one client sent, to its end
   * @param {number} idleInTransactionMs how long an owner may do nothing while others wait
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
   * The connection is gone; what it had not committed goes with it.
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
    clearTimeout(this.#patience);
    for (let next = this.#next(); next; next = this.#next()) this.#answer(next.connection, next.request);
    if (this.#owner && this.#waiting.length > 0) {
      this.#patience = setTimeout(() => this.#evict(), this.idleInTransactionMs);
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

  /** As `idle_in_transaction_session_timeout` does: without it, one forgotten transaction would stop everything. */
  #evict() {
    const owner = /** @type {Connection} */ (this.#owner);
    owner.send(fatalError('25P03', 'terminating connection due to idle-in-transaction timeout'));
    owner.close();
    this.leave(owner);
  }
}
