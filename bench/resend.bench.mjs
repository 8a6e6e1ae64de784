// Requests per second of POST /resend beside a bare Nest POST, in alternating rounds of one run.
// node bench/resend.bench.mjs [seconds per round] [rounds] [connections]
//
// A request that waits for a commit and for Redis leaves the processor idle; so there are as many connections as it takes
// to keep it busy.
//
// The load comes from wrk (Debian: apt-get install wrk): on a machine of two cores, a load generator that needs as much of
// the processor as the server would be what is measured.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { embedded, median, postgresql, start, startBare, unlimited, withoutLimiter } from './server.mjs';

const seconds = Number(process.argv[2] ?? 6);
const rounds = Number(process.argv[3] ?? 3);
const connections = process.argv[4] ?? '256';
/** Until V8 has compiled what is run often; with less, that is what is measured. */
const warmUpSeconds = 8;
const redis = process.env['BENCH_REDIS_URL'] ?? 'redis://127.0.0.1:6379/9';
const script = fileURLToPath(new URL('./resend.lua', import.meta.url));

/** Ticks of /proc/PID/stat are hundredths of a second on Linux. */
const msPerTick = 10;

/** @param {number} pid @returns milliseconds of processor time that the process has used, in all its threads */
function processorTime(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * msPerTick;
}

/** @param {string} url @param {number} duration in seconds */
function load(url, duration) {
  const report = execFileSync(
    'wrk',
    [
      '--threads',
      '1',
      '--connections',
      connections,
      '--duration',
      `${duration}s`,
      '--timeout',
      '10s',
      '--latency',
      '--script',
      script,
      url,
    ],
    { encoding: 'utf8' },
  );
  if (/Non-2xx|Socket errors/.test(report)) throw new Error(`Not every request was answered 200:\n${report}`);
  return {
    requests: Number(/(\d+) requests in/.exec(report)?.[1]),
    p99: /^\s+99%\s+(\S+)/m.exec(report)?.[1] ?? '',
  };
}

const api = { ROLE: 'api', SMTP_URL: 'smtp://127.0.0.1:9' };
const shared = { ...api, REDIS_URL: redis, THROTTLE_STORE: 'redis' };

/** Each contestant is started anew for every round, so that none inherits the queue of the round before. */
const contestants = {
  'bare Nest POST': async () => ({ ...(await startBare()), remove: async () => {} }),
  'embedded, one process': async () => contestant(embedded(), {}),
  'PostgreSQL, one process': async () => contestant(await postgresql(), {}),
  'PostgreSQL, ROLE=api': async () => contestant(await postgresql(), api),
  'PostgreSQL and Redis, ROLE=api': async () => contestant(await postgresql(), shared),
  'the same without limiter': async () => contestant(await postgresql(), shared, withoutLimiter),
};

/**
 * @param {{ env: Record<string, string>, remove: () => Promise<void> }} database
 * @param {Record<string, string>} env
 * @param {string} [file]
 */
async function contestant(database, env, file) {
  return { ...(await start({ ...unlimited, ...database.env, ...env }, file)), remove: database.remove };
}

/** @type {Record<string, { rate: number, cost: number, p99: string }[]>} */
const results = {};
for (let round = 0; round < rounds; round++) {
  for (const [name, begin] of Object.entries(contestants)) {
    const running = await begin();
    load(running.url, warmUpSeconds);
    const before = processorTime(running.pid);
    const { requests, p99 } = load(running.url, seconds);
    const cost = ((processorTime(running.pid) - before) * 1000) / requests;
    (results[name] ??= []).push({ rate: requests / seconds, cost, p99 });
    await running.stop();
    await running.remove();
  }
}

/** @param {string} name @param {'rate' | 'cost'} figure */
const typical = (name, figure) => median((results[name] ?? []).map((run) => run[figure]));
const base = typical('bare Nest POST', 'rate');
for (const [name, runs] of Object.entries(results)) {
  const rate = typical(name, 'rate');
  console.log(
    `${name.padEnd(32)} ${rate.toFixed(0).padStart(6)}/s  ratio ${(rate / base).toFixed(2)}  ` +
      `server ${typical(name, 'cost').toFixed(0).padStart(4)} us a request  p99 ${runs.map((run) => run.p99).join(', ')}`,
  );
}
const free = typical('the same without limiter', 'rate');
const lost = 1 - typical('PostgreSQL and Redis, ROLE=api', 'rate') / free;
console.log(`the limiter in Redis loses ${(100 * lost).toFixed(0)} %`);
