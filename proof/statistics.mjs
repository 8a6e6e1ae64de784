/** The bound: a test that says "known" or "unknown" by the time alone is right hardly more often than a coin. */
export const bound = 0.04;

/**
 * The area under the ROC curve: how often a value of `a` is less than one of `b`, ties counting half (Mann and Whitney).
 * 0.5 means that the two cannot be told apart. With n values in each of two like samples its standard error is
 * √((2n + 1) / 12n²).
 *
 * @param {Float64Array} a
 * @param {Float64Array} b
 */
export function areaUnderCurve(a, b) {
  const [x, y] = [a.slice().sort(), b.slice().sort()];
  let [below, through, pairs] = [0, 0, 0];
  for (const value of x) {
    while (below < y.length && /** @type {number} */ (y[below]) < value) below++;
    through = Math.max(through, below);
    while (through < y.length && y[through] === value) through++;
    pairs += y.length - through + (through - below) / 2;
  }
  return pairs / (x.length * y.length);
}

/**
 * No less than the probability that the area of two like samples lies beyond the bound: two tails of the normal
 * distribution, by Mills' ratio.
 *
 * @param {number} n values in each
 */
export function chanceBeyondBound(n) {
  const z = bound / Math.sqrt((2 * n + 1) / (12 * n * n));
  return Math.min(1, (Math.sqrt(2 / Math.PI) * Math.exp((-z * z) / 2)) / z);
}

/**
 * Numbers in [0, 1) that are the same for the same seed (Mulberry32).
 *
 * @param {number} seed
 */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * In place (Fisher and Yates).
 *
 * @template T
 * @param {T[]} items
 * @param {() => number} random
 */
export function shuffle(items, random) {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [/** @type {T} */ (items[other]), /** @type {T} */ (items[last])];
  }
  return items;
}
