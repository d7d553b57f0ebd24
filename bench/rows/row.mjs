// @ts-check
// What a row of the table is, and how its verdict is made. A row that was measured wrongly fails
// the bench; a row that falls short only says so.
import { medianOf, spreadOf } from '../parts/statistics.mjs';

/** @typedef {import('../parts/statistics.mjs').Spread} Spread */

/**
 * `pass`, `falls short`: measured. `not built`: counts as open. `wrong`: an answer was not right,
 * or nothing could be measured: then the bench ends with an error.
 * @typedef {'pass' | 'falls short' | 'not built' | 'wrong'} Verdict
 */

/**
 * Values are text, ready to be read. `numbers` is what they were made of, for scripts.
 * @typedef {{ id: string, title: string, floor: string, bestPeer: string, latchkey: string,
 *   toFloor: string, toBestPeer: string, goal: string, verdict: Verdict, note?: string, numbers:
 *   Record<string, unknown>,
 * }} Row
 */

/**
 * All peers of a group, for the second half of the page. @typedef {{ title: string, head: readonly
 * string[], lines: readonly (readonly string[])[] }} Detail
 */
/** @typedef {{ rows: readonly Row[], details?: readonly Detail[] }} Group */

/**
 * @typedef {{ stage: import('../parts/stage.mjs').Turn, lab: import('../../scripts/lab/lab.mjs').Lab,
 *   quick: boolean, say: (text: string) => void }} Context
 */

/**
 * @param {Pick<Row, 'id' | 'title' | 'goal'> & Partial<Row>} row
 * @returns {Row}
 */
export function row({
  floor = '–',
  bestPeer = '–',
  latchkey = '–',
  toFloor = '–',
  toBestPeer = '–',
  verdict = 'wrong',
  numbers = {},
  ...rest
}) {
  return { ...rest, floor, bestPeer, latchkey, toFloor, toBestPeer, verdict, numbers };
}

/** @param {boolean} reached @returns {Verdict} */
export function verdictOf(reached) {
  return reached ? 'pass' : 'falls short';
}

/**
 * @param {Pick<Row, 'id' | 'title' | 'goal'> & Partial<Row>} parts
 * @returns {Row}
 */
export function notBuilt(parts) {
  return row({ latchkey: 'not built', verdict: 'not built', ...parts });
}

/**
 * Median and spread, with three digits that count.
 * @param {readonly number[] | Spread} samples
 * @param {string} unit
 */
export function shown(samples, unit) {
  const { median, low, high } = isSpread(samples) ? samples : spreadOf(samples);
  return `${digits(median)} ${unit} [${digits(low)}–${digits(high)}]`;
}

/** @param {readonly number[] | Spread} value @returns {value is Spread} */
function isSpread(value) {
  return !Array.isArray(value);
}

/** @param {number} value */
export function digits(value) {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en');
  if (size >= 10) return value.toFixed(1);
  return size >= 1 ? value.toFixed(2) : value.toFixed(3);
}

/** @param {number} value */
export function signed(value) {
  return `${value < 0 ? '−' : '+'}${digits(Math.abs(value))}`;
}

/** @param {readonly number[]} samples @param {readonly number[]} other */
export function ratio(samples, other) {
  return medianOf(samples) / medianOf(other);
}

/** @param {number} value */
export function times(value) {
  return value >= 0.1 ? `${value.toFixed(value >= 10 ? 0 : 2)} ×` : `1/${(1 / value).toFixed(1)}`;
}

/**
 * Equal texts become one line, with how often it came; in the order of their first.
 * @param {readonly string[]} texts
 */
export function counted(texts) {
  return [...new Set(texts)].map((text) => [
    text,
    `${texts.filter((one) => one === text).length} ×`,
  ]);
}

/**
 * The peer with the smallest median.
 * @param {Readonly<Record<string, readonly number[]>>} samples
 */
export function bestOf(samples) {
  const [best] = Object.entries(samples)
    .filter(([, values]) => values.length > 0)
    .sort(([, a], [, b]) => medianOf(a) - medianOf(b));
  if (best === undefined) throw new Error('no peer was measured');
  return { name: best[0], samples: best[1] };
}
