// Which of our files one message or one request runs through, by V8's precise coverage after a warm-up: those with a function
// that ran. On PostgreSQL, after `npm run build`.
// node bench/journey.mjs message|request
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Session } from 'node:inspector/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { freePort, postgresql, unlimited } from './server.mjs';

const journey = process.argv[2] ?? 'message';
const dist = new URL('../dist/', import.meta.url).href;
const warmUps = 20;

const inspector = new Session();
inspector.connect();
await inspector.post('Profiler.enable');
await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });

const database = await postgresql();
const smtp = fork(fileURLToPath(new URL('./counting-smtp.mjs', import.meta.url)));
const [{ port: smtpPort }] = await once(smtp, 'message');
const port = await freePort();
const redis = process.env['BENCH_REDIS_URL'];
Object.assign(process.env, unlimited, database.env, redis && { THROTTLE_STORE: 'redis', REDIS_URL: redis }, {
  ROLE: journey === 'message' ? 'worker' : 'api',
  SMTP_URL: `smtp://127.0.0.1:${smtpPort}`,
  PORT: String(port),
});
await import(new URL('main.js', dist).href);
const url = `http://127.0.0.1:${port}`;
while (!(await fetch(`${url}/health/ready`).catch(() => null))?.ok) await wait(50);

const client = new pg.Client(database.env.DATABASE_URL);
await client.connect();
await client.query(`INSERT INTO users (id, email, password_hash, created_at)
  VALUES (gen_random_uuid(), 'person@example.com', '-', now())`);

/** From the claim, by the poll and not by a notification, until it is settled. */
async function message() {
  const { rows } =
    await client.query(`INSERT INTO messages (id, type, channel, recipient, due_at, accepted_at)
    VALUES (gen_random_uuid(), 'magiclink', 'email', 'person@example.com', now(), now()) RETURNING id`);
  const settled = `SELECT FROM messages WHERE id = $1 AND status = 'sent'`;
  while ((await client.query(settled, [rows[0].id])).rowCount === 0) await wait(20);
}

async function request() {
  const response = await fetch(`${url}/resend`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'magiclink', email: 'person@example.com' }),
  });
  if (response.status !== 200) throw new Error(`Answered ${response.status}`);
}

const travel = journey === 'message' ? message : request;
for (let i = 0; i < warmUps; i++) await travel();
await wait(200);
await inspector.post('Profiler.takePreciseCoverage');
await travel();
await wait(50);
const { result } = await inspector.post('Profiler.takePreciseCoverage');
const files = result
  .filter(({ url: file }) => file.startsWith(dist))
  .map(({ url: file, functions }) => ({
    file: file.slice(dist.length),
    ran: functions
      .filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0)
      .map(({ functionName }) => functionName),
  }))
  .filter(({ ran }) => ran.length > 0)
  .sort((a, b) => a.file.localeCompare(b.file));
for (const { file, ran } of files) process.stdout.write(`${file}: ${ran.join(', ')}\n`);
const functions = files.reduce((sum, { ran }) => sum + ran.length, 0);
process.stdout.write(`${journey}: ${files.length} files, ${functions} functions\n`);
await client.end();
smtp.disconnect();
await database.remove();
process.exit(0);
