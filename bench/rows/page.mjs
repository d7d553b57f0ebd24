// @ts-check
// What pages feel: the first paint of an app with and without Latchkey, and a change of the view on
// its way to windows.
import { medianOf, pairedDifference } from '../parts/statistics.mjs';
import { digits, ratio, row, shown, signed, times, verdictOf } from './row.mjs';

/**
 * @param {import('./row.mjs').Context} context
 * @returns {Promise<import('./row.mjs').Group>}
 */
export async function measurePaint({ stage, quick, say }) {
  const provider = await stage.provider();
  try {
    // Restoring with a renewal is the most that Latchkey ever does at a start.
    await provider.life(1);
    await stage.run(
      { script: 'start-latchkey', profile: 'paint-latchkey', job: { signIn: true } },
      provider,
    );
    await provider.life(2);
    const without = /** @type {number[]} */ ([]);
    const withLatchkey = /** @type {number[]} */ ([]);
    let right = true;
    const pairs = quick ? 8 : 30;
    for (let pair = -1; pair < pairs; pair += 1) {
      // The second one may find warmer files, so they take turns. The first pair is not counted.
      for (const latchkey of pair % 2 === 0 ? [true, false] : [false, true]) {
        const { paintMs, valid = true } = /** @type {{ paintMs: number, valid?: boolean }} */ (
          await stage.run(
            {
              script: latchkey ? 'paint-latchkey' : 'paint',
              profile: latchkey ? 'paint-latchkey' : 'paint',
              job: {},
            },
            provider,
          )
        );
        right &&= valid;
        if (pair >= 0) (latchkey ? withLatchkey : without).push(paintMs);
      }
      if (pair % 10 === 9) say(`first paint, ${pair + 1} pairs`);
    }
    const difference = pairedDifference(without, withLatchkey);
    return {
      rows: [
        row({
          id: 'first-paint',
          title: 'first paint of the app with and without Latchkey',
          goal: 'no measurable difference',
          floor: shown(without, 'ms'),
          latchkey: shown(withLatchkey, 'ms'),
          toFloor: `${signed(difference.median)} ms`,
          verdict: right ? verdictOf(difference.low <= 0) : 'wrong',
          note: `difference of ${difference.count} pairs, 95 % confidence interval ${digits(difference.low)} to ${digits(difference.high)} ms`,
          numbers: { without, withLatchkey, difference },
        }),
      ],
    };
  } finally {
    provider.stop();
  }
}

/**
 * @param {import('./row.mjs').Context} context
 * @returns {Promise<import('./row.mjs').Group>}
 */
export async function measureWindows({ stage, quick, say }) {
  const provider = await stage.provider();
  try {
    const windows = quick ? [1, 5] : [1, 5, 20];
    const result = /** @type {Record<string, { own: number[], floor: number[] }>} */ (
      await stage.run(
        {
          script: 'windows',
          profile: 'windows',
          job: { windows, rounds: quick ? 12 : 32 },
          limitMs: 150_000,
        },
        provider,
      )
    );
    say('windows');
    return {
      rows: Object.entries(result).map(([count, { own, floor }]) =>
        row({
          id: `view-${count}`,
          title: `view change → ${count} ${count === '1' ? 'window' : 'windows'}`,
          goal: '≤ 1.3 × floor',
          floor: shown(floor, 'ms'),
          latchkey: shown(own, 'ms'),
          toFloor: times(ratio(own, floor)),
          verdict: verdictOf(medianOf(own) <= 1.3 * medianOf(floor)),
          numbers: { own, floor },
        }),
      ),
    };
  } finally {
    provider.stop();
  }
}
