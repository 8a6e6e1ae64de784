// Starting and stopping what is measured: each in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const service = fileURLToPath(new URL('../dist/main.js', import.meta.url));
export const withoutLimiter = fileURLToPath(new URL('./without-limiter.mjs', import.meta.url));
const bare = fileURLToPath(new URL('./bare-nest.mjs', import.meta.url));
const postgresUrl =
  process.env['BENCH_DATABASE_URL'] ??
  process.env['TEST_DATABASE_URL'] ??
  'postgres://postgres@127.0.0.1:5432/postgres';

/** Limits that a load never reaches; they are checked all the same. */
export const unlimited = {
  LIMIT_IP: '9999999/10m',
  LIMIT_EMAIL: '9999999/5m',
  LIMIT_RECIPIENT: '9999999/24h',
  LOG_LEVEL: 'warn',
};

/**
 * With Node's options as in `npm start`, whatever is measured.
 * @param {Record<string, string>} env
 * @param {string} [file]
 */
export async function start(env, file = service) {
  const port = String(await freePort());
  const began = performance.now();
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, ['--max-semi-space-size=64', file], {
    env: { PATH, HOME, ...env, PORT: port },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  const path = file === bare ? '/' : '/health/ready';
  for (;;) {
    const response = await fetch(url + path).catch(() => null);
    if (response && (response.ok || file === bare)) break;
    if (child.exitCode !== null) throw new Error(`${file} ended at start`);
    await wait(5);
  }
  return {
    url,
    pid: child.pid ?? 0,
    readyMs: performance.now() - began,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export const startBare = () => start({}, bare);

/** A folder for an embedded database, and how to remove it. */
export function embedded() {
  const folder = mkdtempSync(join(tmpdir(), 'strike-auth-bench-'));
  return { env: { DATA_DIR: folder }, remove: async () => rmSync(folder, { recursive: true, force: true }) };
}

/** A database on PostgreSQL, and how to remove it. */
export async function postgresql() {
  const name = `strike_auth_bench_${process.pid}_${Date.now()}`;
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  await administer(`CREATE DATABASE ${name}`);
  const folder = embedded();
  return {
    env: { ...folder.env, DATABASE_URL: url.href, THROTTLE_STORE: 'memory' },
    remove: async () => {
      await administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await folder.remove();
    },
  };
}

/** @param {string} sql */
async function administer(sql) {
  const client = new pg.Client(postgresUrl);
  await client.connect();
  await client.query(sql);
  await client.end();
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** @param {number[]} values @param {number} share */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
