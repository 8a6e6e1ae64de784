// What operators ask of ten million messages: plans and times of the lists, and what their indexes cost each write.
// node bench/admin-list.bench.mjs [millions]     It needs 1 GB of disk a million, and drops its database afterwards.
import { statfsSync } from 'node:fs';
import pg from 'pg';
import 'reflect-metadata';
import { median, postgresql } from './server.mjs';
import { days, fillMessagesAndAttempts, timed, uuidAt } from './many-messages.mjs';

/** What has been built of a source. @param {string} name @returns {Promise<unknown>} */
const built = (name) => import(new URL(`../dist/${name}.js`, import.meta.url).href);
const { MessageList } = /** @type {typeof import('../src/admin/message-list.js')} */ (
  await built('admin/message-list')
);
const { MessageStats } = /** @type {typeof import('../src/admin/message-stats.js')} */ (
  await built('admin/message-stats')
);
const { readConfig } = /** @type {typeof import('../src/config/config.js')} */ (await built('config/config'));
const { createDataSource, dataSourceOptions } =
  /** @type {typeof import('../src/database/data-source.js')} */ (await built('database/data-source'));

const rows = Math.round(Number(process.argv[2] ?? 10) * 1_000_000);
const endMs = Date.now();

const { bavail, bsize } = statfsSync('/var/lib/postgresql');
const freeGb = (bavail * bsize) / 2 ** 30;
if (freeGb < (2 * rows) / 1_000_000) throw new Error(`Only ${freeGb.toFixed(0)} GB of disk are free`);

const database = await postgresql();
const url = database.env.DATABASE_URL;
const client = new pg.Client(url);
const dataSource = createDataSource(
  dataSourceOptions(readConfig({ NODE_ENV: 'test', ...database.env, LOG_LEVEL: 'silent' }), []),
);

const ofOperators = ['messages_by_recipient', 'messages_by_trouble'];

/** @type {{ sql: string, parameters: unknown[] }[]} */
let asked = [];
const list = new MessageList(
  /** @type {any} */ ({
    query: (/** @type {string} */ sql, /** @type {unknown[]} */ parameters) => {
      asked.push({ sql, parameters });
      return dataSource.query(sql, parameters);
    },
  }),
);

/** @param {string} name @param {object} filters @param {string} [cursor] */
async function page(name, filters, cursor) {
  /** @type {number[]} */
  const times = [];
  let found = 0;
  for (let i = 0; i < 11; i++) {
    asked = [];
    const began = performance.now();
    const { messages } = await list.page(filters, 50, cursor);
    times.push(performance.now() - began);
    found = messages.length;
  }
  console.log(
    `\n=== ${name}: ${found} messages, first ${times[0]?.toFixed(1)} ms, median ${median(times).toFixed(1)} ms`,
  );
  for (const { sql, parameters } of asked) {
    const explained = await dataSource.query(`EXPLAIN (ANALYZE, BUFFERS) ${sql}`, parameters);
    for (const line of explained) console.log(`    ${line['QUERY PLAN']}`);
  }
}

async function lists() {
  const middle = uuidAt(endMs - (days / 2) * 86_400_000);
  const oldest = uuidAt(endMs - (days - 1) * 86_400_000);
  await page('first page', {});
  await page('page in the middle', {}, middle);
  await page('page near the end', {}, oldest);
  for (const status of [
    'accepted',
    'sent',
    'delivered',
    'delayed',
    'bounced',
    'complained',
    'dropped',
    'failed',
  ])
    await page(`status=${status}`, { status });
  await page('status=failed in the middle', { status: 'failed' }, middle);
  for (const type of ['signup', 'sms', 'email_change']) await page(`type=${type}`, { type });
  await page('channel=sms', { channel: 'sms' });
  for (const provider of ['smtp', 'twilio', 'reserve', 'nobody'])
    await page(`provider=${provider}`, { provider });
  await page('recipient', { recipient: 'user7919@example.com' });
  await page('recipient, none', { recipient: 'nobody@example.com' });
  const since = new Date(endMs - 10 * 86_400_000);
  const until = new Date(endMs - 9 * 86_400_000);
  await page('a day', { since, until });
  await page('failed sms of a day', { since, until, status: 'failed', type: 'sms' });
}

async function stats() {
  const counter = new MessageStats(dataSource, { now: () => endMs, monotonic: () => endMs });
  for (const range of [1, 7]) {
    await timed(`stats over ${range} days`, async () => {
      const { messages } = await counter.count({ since: new Date(endMs - range * 86_400_000) });
      console.log(`${messages} messages`);
    });
  }
}

/** Accepted, claimed and settled as the service does it, 50 at a time; rolled back, so that the disk has no say. */
async function write() {
  const batches = 200;
  const size = 50;
  const parts = { accept: 0, claim: 0, settle: 0 };
  for (let batch = 0; batch < batches; batch++) {
    const at = new Date(endMs + 1_000 + batch);
    const messages = Array.from({ length: size }, (_, i) => ({
      id: `${uuidAt(at.getTime()).slice(0, 24)}${String(batch * size + i).padStart(12, '0')}`,
      recipient: `new${(i * 7919 + batch * 104_729) % 3_000_000}@example.com`,
      at,
    }));
    const ids = messages.map(({ id }) => id);
    const steps = /** @type {const} */ ([
      [
        'accept',
        `INSERT INTO messages (id, type, channel, recipient, due_at, accepted_at)
         SELECT id, 'signup', 'email', recipient, at, at
         FROM json_to_recordset($1) AS row (id uuid, recipient text, at timestamptz) ON CONFLICT (id) DO NOTHING`,
        [JSON.stringify(messages)],
      ],
      [
        'claim',
        `UPDATE messages SET status = 'sending', attempts = 1, due_at = $2 WHERE id = ANY ($1)`,
        [ids, at],
      ],
      ['settle', `UPDATE messages SET status = 'sent', ended_at = $2 WHERE id = ANY ($1)`, [ids, at]],
    ]);
    for (const [name, sql, parameters] of steps) {
      const began = performance.now();
      await client.query({ name, text: sql, values: [...parameters] });
      parts[name] += performance.now() - began;
    }
  }
  return Object.fromEntries(
    Object.entries(parts).map(([name, ms]) => [name, (ms * 1_000) / (batches * size)]),
  );
}

async function writing() {
  /** @type {Record<string, number[]>} */
  const times = {};
  for (let round = 0; round < 8; round++) {
    for (const indexes of round % 2 ? ['with', 'without'] : ['without', 'with']) {
      await client.query('BEGIN');
      if (indexes === 'without') await client.query(`DROP INDEX ${ofOperators.join(', ')}`);
      const parts = await write();
      await client.query('ROLLBACK');
      await client.query('VACUUM messages');
      if (round > 0)
        for (const [name, us] of Object.entries(parts)) (times[`${name} ${indexes}`] ??= []).push(us);
    }
  }
  console.log(`\nmicroseconds a message ${ofOperators.join(' and ')}:`);
  for (const [name, us] of Object.entries(times))
    console.log(`${name.padEnd(16)} median ${median(us).toFixed(1)}, from ${Math.min(...us).toFixed(1)}`);
}

try {
  await client.connect();
  await dataSource.initialize();
  await timed('all of it', () => fillMessagesAndAttempts(client, rows, endMs));
  await lists();
  await stats();
  await writing();
} finally {
  await client.end();
  if (dataSource.isInitialized) await dataSource.destroy();
  await database.remove();
}
