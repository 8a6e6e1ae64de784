import { createPrivateKey, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose';
import pg from 'pg';
import { requestBytes } from './client.mjs';
import { emailOf, people, phoneOf, subjects } from './subjects.mjs';

/** @typedef {import('./measure.mjs').Case} Case */

/**
 * A request for each person of a kind, who take turns.
 *
 * @param {(index: number) => Buffer} make
 */
function inTurn(make) {
  const requests = Array.from({ length: people }, (_, index) => make(index));
  return (/** @type {number} */ round) => /** @type {Buffer} */ (requests[round % people]);
}

/** A request for a new address each time. @param {(index: number) => Buffer} make */
function alwaysNew(make) {
  return (/** @type {number} */ round) => make(people + round);
}

/** @param {string} type @param {import('./subjects.mjs').Subject['mark']} mark @param {number} index */
function address(type, [letter, digit], index) {
  return type === 'sms' ? { phone: phoneOf(digit, index) } : { email: emailOf(letter, index) };
}

/**
 * `POST /resend` of one type for every kind of person.
 *
 * @param {string} type
 * @param {readonly string[]} [names] of some kinds only
 * @returns {Case[]}
 */
export function resendCases(type, names) {
  return subjects
    .filter(({ name }) => names?.includes(name) ?? true)
    .map(({ name, mark }) => ({
      name,
      request: inTurn((index) => requestBytes('POST', '/resend', { type, ...address(type, mark, index) })),
    }));
}

/** `POST /resend` with an `Idempotency-Key` of its own for each turn: sent once more, all of them are repeated. @returns {Case[]} */
export function idempotentCases() {
  return ['u', 'c'].map((letter) => ({
    name: letter === 'u' ? 'unknown' : 'confirmed',
    request: (round) =>
      requestBytes(
        'POST',
        '/resend',
        { type: 'recovery', email: emailOf(letter, round % people) },
        { 'Idempotency-Key': `${letter}-${String(round).padStart(30, '0')}` },
      ),
  }));
}

/** Requests for an unknown address that was never asked for before. */
export function strangers() {
  let index = people;
  return () => requestBytes('POST', '/resend', { type: 'recovery', email: emailOf('u', (index += 1)) });
}

/** Sign-ups with addresses that are free and that are taken. @returns {Case[]} */
export function signUpCases() {
  /** @param {string} letter */
  const signUp = (letter) => (/** @type {number} */ index) =>
    requestBytes('POST', '/signup', { email: emailOf(letter, index), password: 'correct horse battery' });
  return [
    { name: 'free', request: alwaysNew(signUp('x')) },
    { name: 'taken', request: inTurn(signUp('n')) },
  ];
}

/** Wrong codes for an unknown address, for users without a code, with codes, and with codes that go to another address. @returns {Case[]} @param {string} type */
export function wrongCodeCases(type) {
  /** @param {string} letter @param {string} digit @returns {Case['request']} */
  const guesses = (letter, digit) =>
    inTurn((index) => {
      const body = { type, ...address(type, [letter, digit], index), token: '000000' };
      // From a client for each: the guesses of one are counted over all people.
      const client = `10.${letter.charCodeAt(0)}.${index >> 8}.${index & 255}`;
      return requestBytes('POST', '/verify', body, { 'X-Forwarded-For': client });
    });
  return [
    { name: 'unknown', request: guesses('y', '9'), status: '403' },
    { name: 'known, no code', request: guesses('b', '4'), status: '403' },
    { name: 'known, live codes', request: guesses('c', '3'), status: '403' },
    { name: 'known, pending change', request: guesses('p', '5'), status: '403' },
  ];
}

/**
 * Live codes for the cases above. Their hashes are random, so that no guess is right.
 *
 * @param {string} databaseUrl
 */
export async function insertCodes(databaseUrl) {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  for (const [purpose, column] of [
    ['email_change', 'email'],
    ['sms', 'phone'],
  ]) {
    await client.query(
      `INSERT INTO tokens (id, user_id, purpose, recipient, code_hash, code_seed, expires_at)
       SELECT gen_random_uuid(), users.id, $1, ${column}, $2, gen_random_uuid(), now() + interval '1 day'
       FROM users, generate_series(1, 3) WHERE email LIKE 'c%'`,
      [purpose, randomBytes(32)],
    );
  }
  await client.query('ANALYZE tokens');
  await client.end();
}

/**
 * `PUT /user` by a signed-in user, towards an address that is free and one that is another's.
 *
 * @param {string} databaseUrl
 * @param {string} dataDir where the service keeps its signing key
 * @param {string} issuer
 * @returns {Promise<Case[]>}
 */
export async function changeAddressCases(databaseUrl, dataDir, issuer) {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const id = randomUUID();
  await client.query(
    `INSERT INTO users (id, email, password_hash, email_confirmed_at, created_at) VALUES ($1, $2, '-', now(), now())`,
    [id, 'owner@example.com'],
  );
  await client.end();
  const key = createPrivateKey(readFileSync(join(dataDir, 'signing-key.pem')));
  const { kty, crv, x, y } = await exportJWK(key);
  const kid = await calculateJwkThumbprint(/** @type {import('jose').JWK} */ ({ kty, crv, x, y }));
  const jwt = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid })
    .setIssuer(issuer)
    .setSubject(id)
    .setAudience('authenticated')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(key);
  /** @param {string} letter @returns {Case['request']} */
  const changes = (letter) =>
    inTurn((index) =>
      requestBytes('PUT', '/user', { email: emailOf(letter, index) }, { Authorization: `Bearer ${jwt}` }),
    );
  return [
    { name: 'free', request: changes('z') },
    { name: "another's", request: changes('c') },
  ];
}
