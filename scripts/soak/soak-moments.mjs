// @ts-check When the storm strikes: drawn from a seed, with most blows around the instants in which
// a token is on its way. The seed repeats the plan; how far an app has come at a kill depends on
// the computer.

/**
 * `start`: so many ms after the launch. `renewal`: so many ms after a renewal reached the provider,
 * whose answer is late by `slowMs`. Of a sign-in: `browser`, after the browser was opened;
 * `callback`, after the callback was handed over; `redemption`, after the code reached the
 * provider; `session`, after the app was signed in.
 * @typedef {{ name: string, after: 'start' | 'renewal' | 'browser' | 'callback' | 'redemption' |
 *   'session', delayMs: number, slowMs: number }} Moment
 */

/** @typedef {() => number} Random at least 0 and below 1 */

/** @typedef {{ name: string, weight: number, after: Moment['after'], delayMs: readonly [number, number], slowMs?: readonly [number, number] }} Draw */

/** @type {readonly Draw[]} */
const IN_SESSION = [
  { name: 'starting', weight: 15, after: 'start', delayMs: [0, 900] },
  { name: 'any time', weight: 20, after: 'start', delayMs: [300, 4_000] },
  { name: 'renewing', weight: 25, after: 'renewal', delayMs: [0, 20] },
  { name: 'storing', weight: 35, after: 'renewal', delayMs: [10, 120] },
  { name: 'slow answer', weight: 5, after: 'renewal', delayMs: [0, 400], slowMs: [50, 300] },
];

/** @type {readonly Draw[]} */
const IN_SIGN_IN = [
  { name: 'beginning', weight: 10, after: 'start', delayMs: [0, 1_800] },
  { name: 'in the browser', weight: 25, after: 'browser', delayMs: [0, 1_500] },
  { name: 'coming back', weight: 15, after: 'callback', delayMs: [0, 900] },
  { name: 'redeeming', weight: 25, after: 'redemption', delayMs: [0, 150] },
  { name: 'signed in', weight: 25, after: 'session', delayMs: [0, 2_500] },
];

/** @param {Random} random */
export function drawInSession(random) {
  return draw(IN_SESSION, random);
}

/** @param {Random} random */
export function drawInSignIn(random) {
  return draw(IN_SIGN_IN, random);
}

/** Every name, in the order of a table. */
export const MOMENTS = [...IN_SIGN_IN, ...IN_SESSION].map(({ name }) => name);

/**
 * @param {Random} random
 * @param {readonly [number, number]} range
 * @returns {number} a whole number, both ends included
 */
export function within(random, [from, to]) {
  return from + Math.floor(random() * (to - from + 1));
}

/**
 * Mulberry32: small, and the same everywhere.
 * @param {number} seed
 * @returns {Random}
 */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * @param {readonly Draw[]} draws
 * @param {Random} random
 * @returns {Moment}
 */
function draw(draws, random) {
  let left = random() * draws.reduce((sum, { weight }) => sum + weight, 0);
  const drawn = draws.find(({ weight }) => (left -= weight) < 0) ?? draws[0];
  if (drawn === undefined) throw new Error('there is nothing to draw');
  const { name, after, delayMs, slowMs } = drawn;
  return {
    name,
    after,
    delayMs: within(random, delayMs),
    slowMs: slowMs === undefined ? 0 : within(random, slowMs),
  };
}
