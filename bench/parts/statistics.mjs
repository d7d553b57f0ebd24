// @ts-check
// What is made of samples: a median with its spread, and for paired samples the difference with a
// confidence interval. Decides nothing; the same samples give the same numbers.

/**
 * `low` and `high` are the 10th and the 90th percentile.
 * @typedef {{ median: number, low: number, high: number, count: number }} Spread
 */

/**
 * @param {readonly number[]} samples at least one
 * @returns {Spread}
 */
export function spreadOf(samples) {
  if (samples.length === 0) throw new Error('no samples');
  return {
    median: quantile(samples, 0.5),
    low: quantile(samples, 0.1),
    high: quantile(samples, 0.9),
    count: samples.length,
  };
}

/** @param {readonly number[]} samples */
export function medianOf(samples) {
  return quantile(samples, 0.5);
}

/**
 * @param {readonly number[]} samples
 * @param {number} share
 */
export function quantile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/**
 * The median of the differences `b - a` of pairs, with a 95 % confidence interval by bootstrap: the
 * medians of 4,000 samples drawn from the pairs. Drawn by a fixed sequence, so that the same pairs
 * give the same interval.
 * @param {readonly number[]} a
 * @param {readonly number[]} b as long as `a`
 */
export function pairedDifference(a, b) {
  const differences = a.map((value, index) => (b[index] ?? NaN) - value);
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 4_294_967_296;
  };
  /** @type {number[]} */
  const medians = [];
  for (let round = 0; round < 4_000; round += 1) {
    medians.push(
      quantile(
        differences.map(() => differences[Math.floor(random() * differences.length)] ?? NaN),
        0.5,
      ),
    );
  }
  return {
    median: quantile(differences, 0.5),
    low: quantile(medians, 0.025),
    high: quantile(medians, 0.975),
    count: differences.length,
  };
}
