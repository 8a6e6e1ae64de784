import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { postgresql, start } from '../bench/server.mjs';
import { StopwatchClient } from './client.mjs';

/** @param {string} name */
const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url));
export const variants = {
  leaking: fileOf('./variants/leaking.mjs'),
  fastHash: fileOf('./variants/fast-hash.mjs'),
};

const hashingKey = randomBytes(32);
/** @type {unknown} */
const built = await import(new URL('../dist/platform/keyed-hash.js', import.meta.url).href);
const { KeyedHash } = /** @type {{ KeyedHash: new (key: Buffer) => import('./subjects.mjs').Hash }} */ (
  built
);
/** As the service makes them, for rows that the proof writes into its tables. */
export const keyedHash = new KeyedHash(hashingKey);

/** Limits that are counted as always and never reached. */
const settings = {
  LIMIT_IP: '9999999/24h',
  LIMIT_EMAIL: '9999999/24h',
  LIMIT_SMS: '9999999/24h',
  LIMIT_RECIPIENT: '9999999/24h',
  // A window as it usually is: in one of a day a row would hold thousands of moments, and every guess write them anew.
  LIMIT_VERIFY: '9999999/10s',
  TRUST_PROXY: '1',
  // What a provider refuses is tried again for so long only: retries of all the rounds before would drown this one.
  RETRY_MAX_AGE: '500ms',
  HASHING_KEY: hashingKey.toString('base64'),
  SMS_WEBHOOK_SECRET: 'whsec_c3RyaWtlLWF1dGgtcHJvb2Ytb2Ytbm8tb3JhY2xl',
  PUBLIC_URL: 'http://localhost:8080',
  LOG_LEVEL: 'fatal',
};

/** A database on PostgreSQL, providers, and what a service is configured with to use them. */
export async function surroundings() {
  const database = await postgresql();
  const providers = spawn(process.execPath, [fileOf('./providers.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  /** @type {unknown[]} */
  const heard = await once(providers.stdout, 'data');
  /** @type {unknown} */
  const said = JSON.parse(String(heard[0]));
  const urls = /** @type {Record<string, string>} */ (said);
  return {
    env: { ...settings, ...database.env, ...urls },
    async remove() {
      providers.kill();
      await database.remove();
    },
  };
}

/**
 * Runs the processes for as long as the work takes, which gets a connection to the first of them.
 *
 * @param {Record<string, string>} env
 * @param {{ role: string, file?: string }[]} processes
 * @param {(client: StopwatchClient) => Promise<void>} work
 */
export async function withService(env, processes, work) {
  const running = [];
  try {
    for (const { role, file } of processes) running.push(await start({ ...env, ROLE: role }, file));
    const client = await StopwatchClient.open(/** @type {{ url: string }} */ (running[0]).url);
    try {
      await work(client);
    } finally {
      client.close();
    }
  } finally {
    for (const service of running) await service.stop();
  }
}

/** Waits until nothing is left to deliver. @param {string} databaseUrl */
export async function allDelivered(databaseUrl) {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const left = `SELECT count(*)::int AS left FROM messages WHERE status IN ('accepted', 'sending')`;
  const patience = performance.now() + 120_000;
  try {
    for (;;) {
      const { rows } = /** @type {import('pg').QueryResult<{ left: number }>} */ (await client.query(left));
      if (rows[0]?.left === 0) break;
      if (performance.now() > patience) throw new Error('The messages are not delivered');
      await wait(100);
    }
  } finally {
    await client.end();
  }
}
