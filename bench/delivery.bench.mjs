// Messages delivered a second with one and with two workers; from accepted to sent under a steady load; what a claim costs
// beside many finished rows. On PostgreSQL.
// node bench/delivery.bench.mjs [messages] [seconds of load] [finished rows]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { median, postgresql, quantile, start, unlimited } from './server.mjs';

const [messages = 10_000, seconds = 60, finished = 1_000_000] = process.argv.slice(2).map(Number);
const rounds = 3;
const requestsPerSecond = 200;
const people = 1_000;

const insertPeople = `
  INSERT INTO users (id, email, password_hash, created_at)
  SELECT gen_random_uuid(), 'person' || n || '@example.com', '-', now() FROM generate_series(1, ${people}) n`;
const insertMessages = `
  INSERT INTO messages (id, type, channel, recipient, due_at, accepted_at)
  SELECT gen_random_uuid(), 'magiclink', 'email', 'person' || 1 + n % ${people} || '@example.com', now(), now()
  FROM generate_series(1, $1::int) n`;
const insertFinished = `
  INSERT INTO messages (id, type, channel, recipient, status, attempts, due_at, accepted_at, ended_at)
  SELECT gen_random_uuid(), 'magiclink', 'email', 'person' || n || '@example.com', 'sent', 1, at, at, at
  FROM generate_series(1, $1::int) n, LATERAL (SELECT now() - n * interval '1 second' AS at) AS time`;

/** Mails by the id of their message, with when they had come whole. */
async function countingSmtp() {
  const child = fork(fileURLToPath(new URL('./counting-smtp.mjs', import.meta.url)));
  const [{ port }] = await once(child, 'message');
  /** @type {Map<string, number>} */
  const arrived = new Map();
  child.on('message', (message) => {
    const { arrived: news = [] } = /** @type {{ arrived?: [at: number, id: string][] }} */ (message);
    for (const [at, id] of news) arrived.set(id, at);
  });
  return { url: `smtp://127.0.0.1:${port}`, arrived, stop: () => child.disconnect() };
}

/** @param {() => boolean} condition */
async function until(condition) {
  while (!condition()) await wait(20);
}

/** @param {number} count of workers @returns messages a second, from the first mail of the batch to the last */
async function throughput(count) {
  const [database, smtp] = [await postgresql(), await countingSmtp()];
  const env = { ...unlimited, ...database.env, ROLE: 'worker', SMTP_URL: smtp.url };
  const workers = [];
  for (let i = 0; i < count; i++) workers.push(await start(env));
  const client = new pg.Client(database.env.DATABASE_URL);
  await client.connect();
  await client.query(insertPeople);
  // Connections stand and code is compiled before anything is measured.
  const warmUp = Math.ceil(messages / 10);
  await client.query(insertMessages, [warmUp]);
  await until(() => smtp.arrived.size >= warmUp);
  await client.query(insertMessages, [messages]);
  await client.query('NOTIFY messages');
  await until(() => smtp.arrived.size >= warmUp + messages);
  const times = [...smtp.arrived.values()].sort((a, b) => a - b).slice(warmUp);
  await client.end();
  for (const worker of workers) await worker.stop();
  smtp.stop();
  await database.remove();
  return ((times.length - 1) * 1_000) / ((times.at(-1) ?? 0) - (times[0] ?? 0));
}

/** Milliseconds from the 200 of each request to its mail. */
async function lags() {
  const [database, smtp] = [await postgresql(), await countingSmtp()];
  const service = await start({ ...unlimited, ...database.env, SMTP_URL: smtp.url });
  const client = new pg.Client(database.env.DATABASE_URL);
  await client.connect();
  await client.query(insertPeople);
  await client.end();
  /** @type {Map<string, number>} */
  const accepted = new Map();
  const ask = async () => {
    const person = Math.ceil(Math.random() * people);
    const response = await fetch(`${service.url}/resend`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'magiclink', email: `person${person}@example.com` }),
    });
    const at = performance.timeOrigin + performance.now();
    const { message_id } = /** @type {{ message_id: string }} */ (await response.json());
    accepted.set(message_id, at);
  };
  const running = [];
  const began = performance.now();
  for (let i = 0; i < seconds * requestsPerSecond; i++) {
    // Open loop: by the clock and not one after another, so that a slow answer does not slow the load down.
    const early = began + (i * 1_000) / requestsPerSecond - performance.now();
    if (early > 1) await wait(early);
    running.push(ask());
  }
  await Promise.all(running);
  await until(() => smtp.arrived.size >= accepted.size);
  await service.stop();
  smtp.stop();
  await database.remove();
  return [...accepted].map(([id, at]) => (smtp.arrived.get(id) ?? NaN) - at);
}

/** The worker's own claim of 50 messages: the statement and its parameters. */
async function claim() {
  const { MessageQueue } = await import(
    new URL('../dist/auth/outbox/message-queue.js', import.meta.url).href
  );
  /** @type {[sql: string, parameters: unknown[]]} */
  let asked = ['', []];
  const recorder = {
    /** @param {string} sql @param {unknown[]} parameters */
    query: async (sql, parameters) => {
      asked = [sql, parameters];
      return [[], 0];
    },
  };
  await new MessageQueue(recorder, { now: () => Date.now() }).claim(50);
  return asked;
}

/** The plan of the worker's claim, and its milliseconds, with so many finished rows beside a hundred that are due. */
async function claimCost(/** @type {number} */ rows) {
  const database = await postgresql();
  const service = await start({ ...unlimited, ...database.env, ROLE: 'api', SMTP_URL: 'smtp://127.0.0.1:9' });
  await service.stop();
  const client = new pg.Client(database.env.DATABASE_URL);
  await client.connect();
  await client.query(insertFinished, [rows]);
  await client.query(insertMessages, [100]);
  await client.query('VACUUM (ANALYZE) messages');
  const times = [];
  let plan = '';
  for (let i = 0; i < 50; i++) {
    await client.query('BEGIN');
    const [sql, parameters] = await claim();
    const { rows: lines } = await client.query(`EXPLAIN (ANALYZE, BUFFERS) ${sql}`, parameters);
    await client.query('ROLLBACK');
    plan = lines.map((/** @type {Record<string, string>} */ line) => line['QUERY PLAN']).join('\n');
    times.push(Number(/Execution Time: ([\d.]+) ms/.exec(plan)?.[1]));
  }
  await client.end();
  await database.remove();
  return { plan, ms: median(times) };
}

/** @type {Record<number, number[]>} */
const rates = { 1: [], 2: [] };
for (let round = 0; round < rounds; round++) {
  for (const count of [1, 2]) rates[count]?.push(await throughput(count));
}
const [one, two] = [median(rates[1] ?? []), median(rates[2] ?? [])];
const list = (/** @type {number[] | undefined} */ values) =>
  values?.map((rate) => rate.toFixed(0)).join(', ');
console.log(
  `${messages} messages: one worker ${one.toFixed(0)}/s (${list(rates[1])}), two ${two.toFixed(0)}/s (${list(rates[2])}), ratio ${(two / one).toFixed(2)}`,
);

const measured = await lags();
console.log(
  `${requestsPerSecond} requests a second for ${seconds} s: accepted to sent p50 ${quantile(measured, 0.5).toFixed(1)} ms, ` +
    `p99 ${quantile(measured, 0.99).toFixed(1)} ms, longest ${Math.max(...measured).toFixed(1)} ms`,
);

const [empty, full] = [await claimCost(0), await claimCost(finished)];
console.log(
  `a claim of 50: ${empty.ms.toFixed(2)} ms beside no finished rows, ${full.ms.toFixed(2)} ms beside ${finished}`,
);
console.log(full.plan);
