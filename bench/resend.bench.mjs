// Requests per second of POST /resend beside a bare Nest POST, in alternating rounds of one run.
// node bench/resend.bench.mjs [seconds per round] [rounds]
import autocannon from 'autocannon';
import { embedded, median, postgresql, start, startBare, unlimited, withoutLimiter } from './server.mjs';

const seconds = Number(process.argv[2] ?? 6);
const rounds = Number(process.argv[3] ?? 3);
const redis = process.env['BENCH_REDIS_URL'] ?? 'redis://127.0.0.1:6379/9';

let counter = 0;
const newBody = () => JSON.stringify({ type: 'signup', email: `user${counter++}@example.com` });

/** @param {string} url */
async function load(url) {
  const result = await autocannon({
    url: `${url}/resend`,
    method: 'POST',
    connections: 64,
    duration: seconds,
    headers: { 'content-type': 'application/json' },
    requests: [{ setupRequest: (request) => ({ ...request, body: newBody() }) }],
  });
  const refused = result.non2xx + result.errors;
  if (refused > 0) throw new Error(`${refused} requests were not answered 200`);
  return { rate: result.requests.average, p99: result.latency.p99 };
}

const api = { ROLE: 'api', SMTP_URL: 'smtp://127.0.0.1:9' };

/** Each contestant is started anew for every round, so that none inherits the queue of the round before. */
const contestants = {
  'bare Nest POST': async () => ({ ...(await startBare()), remove: async () => {} }),
  'embedded, one process': async () => contestant(embedded(), {}),
  'PostgreSQL, one process': async () => contestant(await postgresql(), {}),
  'PostgreSQL, ROLE=api': async () => contestant(await postgresql(), api),
  'the same without limiter': async () => contestant(await postgresql(), api, withoutLimiter),
  'PostgreSQL and Redis, ROLE=api': async () =>
    contestant(await postgresql(), { ...api, REDIS_URL: redis, THROTTLE_STORE: 'redis' }),
};

/**
 * @param {{ env: Record<string, string>, remove: () => Promise<void> }} database
 * @param {Record<string, string>} env
 * @param {string} [file]
 */
async function contestant(database, env, file) {
  return { ...(await start({ ...unlimited, ...database.env, ...env }, file)), remove: database.remove };
}

/** @type {Record<string, { rate: number, p99: number }[]>} */
const results = {};
for (let round = 0; round < rounds; round++) {
  for (const [name, begin] of Object.entries(contestants)) {
    const running = await begin();
    await load(running.url).catch(() => undefined);
    (results[name] ??= []).push(await load(running.url));
    await running.stop();
    await running.remove();
  }
}

const base = median((results['bare Nest POST'] ?? []).map(({ rate }) => rate));
for (const [name, runs] of Object.entries(results)) {
  const rate = median(runs.map((run) => run.rate));
  const p99 = median(runs.map((run) => run.p99));
  console.log(
    `${name.padEnd(34)} ${rate.toFixed(0).padStart(7)}/s  ratio ${(rate / base).toFixed(2)}  p99 ${p99} ms`,
  );
}
