// npm run prove:oracle [-- --seed 7 --rounds 1500 --only echo]
//
// Timing attack: whether the time of an answer tells whether an address is known. Classes of requests that differ in
// their subject alone are sent in random order, and for every two of them it is computed how well the time tells them
// apart. The proof fails when that is better or worse than a coin by more than the bound, and also when a variant of the
// service that does look the user up first is not caught by the same test.
//
// With 1,500 requests a class the standard error of an area is 0.0105, so the bound lies at 3.8 of them. There are many
// comparisons, so that some run breaks it though nothing is wrong; how seldom that is, the report computes and says. The
// bound is never widened: more samples narrow the error.
import { parseArgs } from 'node:util';
import {
  changeAddressCases,
  idempotentCases,
  insertCodes,
  resendCases,
  signUpCases,
  strangers,
  wrongCodeCases,
} from './cases.mjs';
import { timeDirectly, timeEcho } from './measure.mjs';
import { Report } from './report.mjs';
import { allDelivered, keyedHash, surroundings, variants, withService } from './service.mjs';
import { seededRandom } from './statistics.mjs';
import { insertPeople } from './subjects.mjs';

const { values: given } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    rounds: { type: 'string', default: '1500' },
    only: { type: 'string', default: '' },
  },
});
const rounds = Number(given.rounds);
const random = seededRandom(Number(given.seed));
/** Milliseconds from an answer to the next request. */
const lags = [0, 8, 20];
const knownAndNot = ['unknown', 'confirmed'];
const types = ['signup', 'recovery', 'magiclink', 'email_change', 'sms'];

const report = new Report(`seed ${given.seed}, ${rounds} requests of each class`);
const around = await surroundings();
const { env } = around;
const databaseUrl = env.DATABASE_URL;
const api = { role: 'api' };
const worker = { role: 'worker' };

/** @param {string} name @param {() => Promise<void>} work */
async function measurement(name, work) {
  if (!name.includes(given.only)) return;
  const began = performance.now();
  await work();
  await allDelivered(databaseUrl);
  report.tookMs(name, performance.now() - began);
}

/** @param {import('./client.mjs').StopwatchClient} client @param {string} processes */
const echo = (client, processes) =>
  measurement(`echo, ${processes}`, async () => {
    const byLag = await timeEcho(
      client,
      resendCases('recovery', knownAndNot),
      lags,
      strangers(),
      rounds,
      random,
    );
    for (const [lag, samples] of byLag) report.add(`echo after ${lag} ms, ${processes}`, samples);
  });

/**
 * @param {import('./client.mjs').StopwatchClient} client
 * @param {string} name
 * @param {import('./measure.mjs').Case[]} cases
 */
const direct = (client, name, cases) =>
  measurement(name, async () => report.add(name, await timeDirectly(client, cases, rounds, random)));

try {
  await withService(env, [api], () => insertPeople(databaseUrl, keyedHash));
  await withService(env, [api, worker], async (client) => {
    await echo(client, 'two processes');
    for (const type of types) await direct(client, `/resend, ${type}`, resendCases(type));
    await measurement('/resend, Idempotency-Key', async () => {
      for (const which of ['new', 'repeated']) {
        const samples = await timeDirectly(client, idempotentCases(), rounds, random);
        report.add(`/resend, Idempotency-Key, ${which}`, samples);
        await allDelivered(databaseUrl);
      }
    });
    await insertCodes(databaseUrl);
    for (const type of ['email_change', 'sms'])
      await direct(client, `/verify, wrong code, ${type}`, wrongCodeCases(type));
    await direct(client, 'PUT /user', await changeAddressCases(databaseUrl, env.DATA_DIR, env.PUBLIC_URL));
  });
  await withService(env, [{ ...api, file: variants.fastHash }, worker], (client) =>
    direct(client, '/signup', signUpCases()),
  );
  await withService(env, [{ ...api, file: variants.leaking }, worker], (client) =>
    measurement('control', async () => {
      const samples = await timeDirectly(client, resendCases('recovery', knownAndNot), rounds, random);
      report.add('control: /resend that looks first', samples, { mustBeCaught: true });
    }),
  );
  await withService(env, [{ role: 'all' }], (client) => echo(client, 'one process'));
} finally {
  await around.remove();
}
if (report.lines.length === 0) throw new Error(`No measurement has ${given.only} in its name`);
report.print();
if (report.failed) process.exitCode = 1;
