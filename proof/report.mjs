import { areaUnderCurve, bound, chanceBeyondBound } from './statistics.mjs';

/** @typedef {import('./measure.mjs').Samples} Samples */

/**
 * @typedef {object} Line
 * @property {string} measurement
 * @property {string} pair the two classes that are told apart best
 * @property {number} n requests of each class
 * @property {number} area
 * @property {number} medianMs of all requests together
 * @property {string} verdict
 */

export class Report {
  /** @type {Line[]} */
  lines = [];
  failed = false;
  /** Whether a service that can be caught was among what was measured. */
  #hasControl = false;
  #comparisons = 0;
  /** No less than the probability that a comparison breaks the bound though nothing is wrong. */
  #chance = 0;

  /** @param {string} title */
  constructor(title) {
    this.title = title;
    this.began = performance.now();
  }

  /**
   * @param {string} measurement
   * @param {Samples} samples
   * @param {{ mustBeCaught?: boolean }} [expected]
   */
  add(measurement, samples, { mustBeCaught = false } = {}) {
    const { pair, area, pairs } = worstPair(samples);
    const within = Math.abs(area - 0.5) <= bound;
    if (within === mustBeCaught) this.failed = true;
    const [n = 0] = [...samples.values()].map(({ length }) => length);
    if (mustBeCaught) {
      this.#hasControl = true;
    } else {
      this.#comparisons += pairs;
      this.#chance += pairs * chanceBeyondBound(n);
    }
    const line = {
      measurement,
      pair,
      n,
      area,
      medianMs: median(samples),
      verdict: mustBeCaught ? (within ? 'NOT CAUGHT' : 'caught') : within ? 'within' : 'BROKEN',
    };
    this.lines.push(line);
    console.log(textOf(line));
  }

  /** @param {string} name @param {number} ms */
  tookMs(name, ms) {
    console.log(`  (${name}: ${(ms / 1000).toFixed(0)} s)`);
  }

  print() {
    const seconds = ((performance.now() - this.began) / 1000).toFixed(0);
    console.log(`\nNo oracle: ${this.title}, in ${seconds} s\n`);
    console.log(row('measurement', 'told apart best', 'n', 'AUC', 'median', 'verdict'));
    for (const line of this.lines) console.log(textOf(line));
    const control = this.#hasControl
      ? ", and the control's beyond it"
      : '. There was no control, so that nothing shows that a difference would have been found';
    console.log(
      `\nEvery area must lie within 0.5 ± ${bound}${control}: ${this.failed ? 'FAILED' : 'passed'}`,
    );
    if (this.#comparisons === 0) return;
    const seldom =
      this.#chance < 0.5
        ? `fails less than one such run in ${Math.floor(1 / this.#chance)}`
        : 'many such runs fail: more rounds narrow the error';
    console.log(`By chance, with ${this.#comparisons} comparisons and nothing wrong, ${seldom}.`);
  }
}

/** @param {Samples} samples */
function worstPair(samples) {
  const classes = [...samples];
  const pairs = classes.flatMap(([name, times], index) =>
    classes.slice(index + 1).map(([other, others]) => ({
      pair: `${name} / ${other}`,
      area: areaUnderCurve(times, others),
    })),
  );
  const worst = pairs.reduce((a, b) => (Math.abs(b.area - 0.5) > Math.abs(a.area - 0.5) ? b : a));
  return { ...worst, pairs: pairs.length };
}

/** @param {Samples} samples */
function median(samples) {
  const all = [...samples.values()].flatMap((times) => [...times]).sort((a, b) => a - b);
  return all[all.length >> 1] ?? NaN;
}

/** @param {Line} line */
function textOf({ measurement, pair, n, area, medianMs, verdict }) {
  return row(measurement, pair, String(n), area.toFixed(3), `${medianMs.toFixed(2)} ms`, verdict);
}

/** @param {string} measurement @param {string} pair @param {string} n @param {string} area @param {string} ms @param {string} verdict */
function row(measurement, pair, n, area, ms, verdict) {
  return `${measurement.padEnd(36)} ${pair.padEnd(42)} ${n.padStart(5)} ${area.padStart(6)} ${ms.padStart(9)}  ${verdict}`;
}
