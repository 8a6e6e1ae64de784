import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** @typedef {{ digest(domain: string, ...parts: string[]): Buffer }} Hash */

/** How many people there are of each kind. They take turns, known and unknown alike. */
export const people = 60;

/** A kind of person whom a request may name. The mark, a letter and a digit, is in all of their addresses and numbers. */
/**
 * @typedef {{
 *   name: string,
 *   mark: readonly [letter: string, digit: string],
 *   user: Record<string, unknown> | null,
 *   suppressed?: 'hard_bounce' | 'opt_out',
 * }} Subject
 */

const past = new Date('2026-01-01T00:00:00Z');
const confirmed = { email_confirmed_at: past, phone_confirmed_at: past };

/**
 * The users and addresses that an answer's time must not tell apart. `failing` and `slow` are the marks by which
 * proof/providers.mjs knows whom it refuses and whom it keeps waiting.
 *
 * @type {readonly Subject[]}
 */
export const subjects = [
  { name: 'unknown', mark: ['u', '1'], user: null },
  { name: 'unconfirmed', mark: ['n', '2'], user: {} },
  { name: 'confirmed', mark: ['c', '3'], user: confirmed },
  { name: 'banned', mark: ['b', '4'], user: { ...confirmed, banned_until: new Date('2999-01-01') } },
  { name: 'pending change', mark: ['p', '5'], user: { ...confirmed, ...pending('p', '5') } },
  { name: 'provider failing', mark: ['f', '6'], user: pending('f', '6') },
  { name: 'provider slow', mark: ['s', '7'], user: pending('s', '7') },
  { name: 'suppressed', mark: ['e', '8'], user: confirmed, suppressed: 'hard_bounce' },
  { name: 'opted out', mark: ['o', '0'], user: confirmed, suppressed: 'opt_out' },
];

/** Replaced for each person by an address of the same mark. @param {string} letter @param {string} digit */
function pending(letter, digit) {
  return { pending_email: letter, pending_phone: digit, pending_since: past };
}

/** @param {string} letter @param {number} index of the person, or any number for a new one */
export const emailOf = (letter, index) => `${letter}${String(index).padStart(6, '0')}@example.com`;

/** @param {string} digit @param {number} index */
export const phoneOf = (digit, index) => `+1202${digit}${String(index).padStart(6, '0')}`;

/** Where people of a kind who ask for a change want to go: beyond all who are there. */
const pendingOffset = 500_000;

/**
 * @param {string} databaseUrl
 * @param {Hash} keyedHash the service's
 */
export async function insertPeople(databaseUrl, keyedHash) {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  for (const { mark, user, suppressed } of subjects) {
    const [letter, digit] = mark;
    for (let index = 0; user && index < people; index++) {
      const row = {
        id: randomUUID(),
        email: emailOf(letter, index),
        phone: phoneOf(digit, index),
        password_hash: '-',
        created_at: past,
        ...user,
        ...('pending_email' in user && {
          pending_email: emailOf(letter, pendingOffset + index),
          pending_phone: phoneOf(digit, pendingOffset + index),
        }),
      };
      const names = Object.keys(row);
      const places = names.map((_, place) => `$${place + 1}`);
      await client.query(`INSERT INTO users (${names.join()}) VALUES (${places.join()})`, Object.values(row));
      for (const [channel, identifier] of suppressed
        ? Object.entries({ email: row.email, sms: row.phone })
        : [])
        await client.query(
          `INSERT INTO suppressions (key, channel, reason, masked_identifier, created_at) VALUES ($1, $2, $3, '***', $4)`,
          [keyedHash.digest('suppression', channel, identifier), channel, suppressed, past],
        );
    }
  }
  await client.query('ANALYZE');
  await client.end();
}
