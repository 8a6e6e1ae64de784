// From the answer of POST /resend to DATA at the mail server, on an idle machine; start to ready; memory.
// node bench/delivery-lag.bench.mjs [messages]
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import autocannon from 'autocannon';
import { SMTPServer } from 'smtp-server';
import { embedded, postgresql, quantile, start, unlimited } from './server.mjs';

const messages = Number(process.argv[2] ?? 200);

/** @type {Map<string, (at: number) => void>} */
const awaited = new Map();
const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  disableReverseLookup: true,
  onData(stream, session, done) {
    const at = performance.now();
    for (const { address } of session.envelope.rcptTo) awaited.get(address)?.(at);
    stream.resume().on('end', () => done());
  },
});
smtp.on('error', () => {});
await new Promise((resolve) => smtp.listen(0, '127.0.0.1', () => resolve(undefined)));
const { port: smtpPort } = /** @type {import('node:net').AddressInfo} */ (smtp.server.address());
// smtp-server greets a new connection after 100 ms, to catch clients that talk too soon. What is measured is the service, so
// the connection stands before the first measurement and is kept.
const smtpUrl = `smtp://127.0.0.1:${smtpPort}/?maxMessages=1000000&maxConnections=1`;

/** @param {string} url @param {string} path @param {object} body */
async function post(url, path, body) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return performance.now();
}

/** @param {string} email @returns {Promise<number>} */
const dataFor = (email) => new Promise((resolve) => awaited.set(email, resolve));

/** @param {number} pid */
function residentMiB(pid) {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(match?.[1] ?? NaN) / 1024);
}

for (const [name, make] of /** @type {const} */ ([
  ['embedded', async () => embedded()],
  ['PostgreSQL', postgresql],
])) {
  const database = await make();
  const env = { ...unlimited, ...database.env, SMTP_URL: smtpUrl };
  const first = await start(env);
  await first.stop();
  const service = await start(env);
  const lags = [];
  for (let i = 0; i < messages; i++) {
    const email = `lag${i}@example.com`;
    const signedUp = dataFor(email);
    await post(service.url, '/signup', { email, password: 'correct horse battery' });
    await signedUp;
    const sent = dataFor(email);
    const answered = await post(service.url, '/resend', { type: 'signup', email });
    lags.push((await sent) - answered);
    await wait(20);
  }
  const before = residentMiB(service.pid);
  await autocannon({
    url: `${service.url}/resend`,
    method: 'POST',
    connections: 16,
    amount: 10_000,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'signup', email: 'nobody@example.com' }),
  });
  console.log(
    `${name.padEnd(12)} answer to DATA p50 ${quantile(lags, 0.5).toFixed(1)} ms, p99 ${quantile(lags, 0.99).toFixed(1)} ms, longest ${Math.max(...lags).toFixed(1)} ms; ` +
      `first start ${(first.readyMs / 1000).toFixed(2)} s, later ${(service.readyMs / 1000).toFixed(2)} s; ` +
      `resident ${before} MiB before and ${residentMiB(service.pid)} MiB after 10,000 requests`,
  );
  await service.stop();
  await database.remove();
}
smtp.close();
