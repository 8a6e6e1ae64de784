import { messagesIn, sqlOf } from './wire.mjs';

const listenStatement = /^\s*(listen|unlisten)\s+("(?:[^"]|"")+"|[a-z_][\w$]*|\*)\s*;?\s*$/i;

/**
 * The subscriptions of each connection. PostgreSQL sees one session and puts a notification once into whichever answer comes
 * next; here it is extracted from that answer and fanned out to all subscribers.
 *
 * @template Connection
 */
export class Listeners {
  /**
   * @readonly
   * @type {Map<Connection, Set<string>>}
   */
  #channels = new Map();

  /**
   * Records a LISTEN or UNLISTEN that is about to be executed.
   *
   * @param {Connection} connection
   * @param {Buffer} request
   * @returns {string[]} statements to execute afterwards, because an UNLISTEN is for the whole session
   */
  note(connection, request) {
    const [, verb, name] = listenStatement.exec(sqlOf(request)) ?? [];
    if (!verb || !name) return [];
    const own = this.#channels.get(connection) ?? new Set();
    this.#channels.set(connection, own);
    if (verb.toLowerCase() === 'listen') {
      own.add(channelOf(name));
      return [];
    }
    if (name === '*') own.clear();
    else own.delete(channelOf(name));
    const left = new Set([...this.#channels.values()].flatMap((channels) => [...channels]));
    return [...left].map((channel) => `LISTEN "${channel.replaceAll('"', '""')}"`);
  }

  /** @param {Connection} connection */
  forget(connection) {
    this.#channels.delete(connection);
  }

  /**
   * Splits an answer into what belongs to the connection that asked and the notifications for others.
   *
   * @param {Buffer} answer
   * @returns {{ answer: Buffer, notifications: { bytes: Buffer, listeners: Connection[] }[] }}
   */
  extract(answer) {
    if (this.#channels.size === 0) return { answer, notifications: [] };
    const rest = [];
    const notifications = [];
    let from = 0;
    for (const [type, start, end] of messagesIn(answer)) {
      if (type !== 'A') continue;
      rest.push(answer.subarray(from, start));
      from = end;
      const bytes = answer.subarray(start, end);
      notifications.push({ bytes, listeners: this.#listenersOf(bytes) });
    }
    if (from === 0) return { answer, notifications };
    return { answer: Buffer.concat([...rest, answer.subarray(from)]), notifications };
  }

  /** @param {Buffer} notification type, length, process, channel, payload */
  #listenersOf(notification) {
    const channel = notification.toString('utf8', 9, notification.indexOf(0, 9));
    return [...this.#channels]
      .filter(([, channels]) => channels.has(channel))
      .map(([connection]) => connection);
  }
}

/** @param {string} name as it stands in SQL */
function channelOf(name) {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}
