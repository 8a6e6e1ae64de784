import { setTimeout as wait } from 'node:timers/promises';
import { shuffle } from './statistics.mjs';

/**
 * One of the things that must not be told apart.
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {(round: number) => Buffer} request
 * @property {string} [status] of every answer; 200 unless said otherwise
 */

/** @typedef {Map<string, Float64Array>} Samples the times of each case, in milliseconds */

/** For each case, before those that count: code is compiled, pools are filled, tables have pages. */
const warmUpRounds = 60;

/**
 * @template T
 * @param {Case[]} cases
 * @param {(sample: Case) => T} make
 */
const forEachCase = (cases, make) => new Map(cases.map((it) => [it.name, make(it)]));

/**
 * As many turns of each case as there are rounds, in one random order, the warm-up's before the others. What came before a
 * request says nothing about it then: were each case drawn once a round, a case would mostly follow the other ones.
 *
 * @param {Case[]} cases
 * @param {number} rounds
 * @param {() => number} random
 * @returns {Generator<{ sample: Case, turn: number, round: number }>} `turn` counts the warm-up too; `round` is below 0 in it
 */
function* turnsOf(cases, rounds, random) {
  const turns = forEachCase(cases, () => 0);
  for (const count of [warmUpRounds, rounds]) {
    const order = shuffle(
      Array.from({ length: count * cases.length }, (_, at) => /** @type {Case} */ (cases[at % cases.length])),
      random,
    );
    for (const [at, sample] of order.entries()) {
      const turn = /** @type {number} */ (turns.get(sample.name));
      turns.set(sample.name, turn + 1);
      // Between requests, so that it is not within one.
      if (at % 200 === 0 && globalThis.gc) globalThis.gc({ type: 'minor' });
      yield { sample, turn, round: turn - warmUpRounds };
    }
  }
}

/**
 * The time of each request itself.
 *
 * @param {import('./client.mjs').StopwatchClient} client
 * @param {Case[]} cases
 * @param {number} rounds
 * @param {() => number} random
 * @returns {Promise<Samples>}
 */
export async function timeDirectly(client, cases, rounds, random) {
  const samples = forEachCase(cases, () => new Float64Array(rounds));
  for (const { sample, turn, round } of turnsOf(cases, rounds, random)) {
    const ms = await client.time(sample.request(turn), sample.status);
    if (round >= 0) /** @type {Float64Array} */ (samples.get(sample.name))[round] = ms;
  }
  return samples;
}

/**
 * The echo: the time of requests that follow one of a case, so many milliseconds after its answer, while the service is
 * at work for it. They are the same for all cases.
 *
 * @param {import('./client.mjs').StopwatchClient} client
 * @param {Case[]} cases
 * @param {number[]} lags rising
 * @param {() => Buffer} follower
 * @param {number} rounds
 * @param {() => number} random
 * @returns {Promise<Map<number, Samples>>} by lag
 */
export async function timeEcho(client, cases, lags, follower, rounds, random) {
  const samples = new Map(lags.map((lag) => [lag, forEachCase(cases, () => new Float64Array(rounds))]));
  for (const { sample, turn, round } of turnsOf(cases, rounds, random)) {
    const followers = lags.map(() => follower());
    await client.time(sample.request(turn), sample.status);
    const answeredAt = performance.now();
    for (const [index, lag] of lags.entries()) {
      const left = answeredAt + lag - performance.now();
      if (left > 0) await wait(left);
      const ms = await client.time(/** @type {Buffer} */ (followers[index]));
      const times = /** @type {Samples} */ (samples.get(lag)).get(sample.name);
      if (round >= 0) /** @type {Float64Array} */ (times)[round] = ms;
    }
  }
  return samples;
}
