import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

// What the whole suite needs beside npm packages, and whether this machine has it. What is missing is said in one line
// each; with `CI=true` it is an error, so that no pipeline is green for want of a database.

const postgresUrl = process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const postgresVersions = '/usr/lib/postgresql';
const chromiums = process.env['TEST_CHROMIUM']
  ? [process.env['TEST_CHROMIUM']]
  : ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * @template T
 * @param {string} what
 * @param {T | undefined | false} found
 * @param {string} why it was not found
 * @returns {T | undefined}
 */
function covered(what, found, why) {
  if (found) return found;
  const message = `NOT COVERED: ${what}, because ${why}`;
  if (process.env['CI'] === 'true') throw new Error(message);
  console.warn(message);
  return undefined;
}

/** @returns {Promise<Omit<import('../services.ts').TestServices, 'database'>>} */
export async function findServices() {
  const { host } = new URL(postgresUrl);
  const answers = await takesConnections(postgresUrl);
  return {
    postgresUrl: covered(
      'everything that needs PostgreSQL',
      answers && postgresUrl,
      `nothing answers at ${host} (set TEST_DATABASE_URL)`,
    ),
    postgresPrograms: covered(
      'a PostgreSQL that is stopped and started',
      newestPostgresPrograms(),
      `there is no initdb below ${postgresVersions}`,
    ),
    redisServer: covered(
      'everything that needs Redis',
      spawnSync('redis-server', ['--version']).status === 0,
      'redis-server is not installed',
    ),
    chromium: covered(
      'the pages in a browser',
      chromiums.find((place) => existsSync(place)),
      `there is no Chromium at ${chromiums.join(', ')} (set TEST_CHROMIUM)`,
    ),
  };
}

/**
 * @param {string} url
 * @returns {Promise<boolean>}
 */
function takesConnections(url) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port || 5432), hostname.replace(/^\[|\]$/g, ''));
    /** @param {boolean} answer */
    const settle = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => settle(false));
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}

function newestPostgresPrograms() {
  if (!existsSync(postgresVersions)) return undefined;
  return readdirSync(postgresVersions)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(postgresVersions, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')));
}
