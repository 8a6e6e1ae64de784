import { appendFileSync } from 'node:fs';
import { brokenPromises, type CrashRecord, figuresOf } from './support/crash/crash-record.js';
import { CrashRun, type Role } from './support/crash/crash-run.js';
import { seededRandom } from './support/crash/random.js';
import { services } from './support/services.js';

// Real processes, `kill -9` at random moments, a real mail server. A few rounds here; `npm run prove:crash` does many.

const rounds = Number(process.env['CRASH_ROUNDS'] ?? 3);
/** The same seed makes the same choices and the same pauses; what they meet is up to the machine. */
const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000_000);
const secondMs = 1_000;

const oneProcess: [string, readonly Role[], number] = ['the one process', ['all'], 1];
/** Each with its share of the rounds. */
const setUps: [string, readonly Role[], number][] =
  services.database === 'embedded'
    ? [oneProcess]
    : [
        ['the one process', ['all'], 0.4],
        ['the API or one of two workers', ['api', 'worker', 'worker'], 0.6],
      ];

describe(`when kill -9 meets, at random moments of load,`, () => {
  let run: CrashRun | undefined;

  afterEach(async () => {
    await run?.cleanUp();
    run = undefined;
  });

  it.each(setUps)(
    '%s, every accepted message ends, none is lost, and only what was in flight may arrive once more',
    async (name, roles, share) => {
      const random = seededRandom(seed);
      run = await CrashRun.prepare(roles, random);
      const record = await run.run(Math.max(1, Math.round(rounds * share)));
      report(name, record);
      expect(brokenPromises(record)).toEqual([]);
      // Otherwise it has shown nothing.
      expect(record.accepted.length).toBeGreaterThan(0);
      expect(record.arrivals.length).toBeGreaterThan(0);
      expect(brokenPromises(withoutOneArrival(record))).toHaveLength(1);
      expect(brokenPromises(withOneArrivalTooMany(record))).toHaveLength(1);
    },
    240 * secondMs + rounds * 90 * secondMs,
  );
});

function report(setUp: string, record: CrashRecord): void {
  const figures = { database: services.database, killed: setUp, seed, ...figuresOf(record) };
  const file = process.env['CRASH_REPORT'];
  if (file) appendFileSync(file, `${JSON.stringify(figures)}\n`);
}

/** The same record, had one message that arrived once not arrived. */
function withoutOneArrival(record: CrashRecord): CrashRecord {
  const once = record.arrivals.find(
    ({ messageId }) => record.arrivals.filter((arrival) => arrival.messageId === messageId).length === 1,
  );
  return { ...record, arrivals: record.arrivals.filter((arrival) => arrival !== once) };
}

/** The same record, had the mail of the last process arrived twice. */
function withOneArrivalTooMany(record: CrashRecord): CrashRecord {
  return { ...record, arrivals: [...record.arrivals, record.arrivals.at(-1)!] };
}
