// @ts-check
// What Latchkey holds and does while nothing happens: timers in a real Electron, and a day of the
// real core on a simulated clock, in which every timer that fires is counted.
import { startCore } from '../parts/core.mjs';
import { digits, row, verdictOf } from './row.mjs';

const HOURS = 24;

/**
 * @param {import('./row.mjs').Context} context
 * @returns {Promise<import('./row.mjs').Group>}
 */
export async function measureIdle({ stage }) {
  const provider = await stage.provider();
  try {
    const real =
      /** @type {{ timers: number, fired: number, workerMegabytes: number | null, valid: boolean }} */ (
        await stage.run({ script: 'idle', profile: 'idle', job: {} }, provider)
      );
    const day = await aDayOfTheCore();
    const perHour = day.fired / HOURS;
    return {
      rows: [
        row({
          id: 'timers',
          title: 'idle timers',
          goal: '1',
          latchkey: String(real.timers),
          verdict: real.valid ? verdictOf(real.timers <= 1) : 'wrong',
          note: `${real.fired} fired in 5 s${real.workerMegabytes === null ? '' : `; the keychain’s process holds ${digits(real.workerMegabytes)} MB`}`,
          numbers: real,
        }),
        row({
          id: 'wake-ups',
          title: 'wake-ups per hour, idle',
          goal: '≤ 2',
          latchkey: digits(perHour),
          verdict: verdictOf(perHour <= 2),
          note: `tokens of an hour: ${day.renewals} renewals in ${HOURS} hours, on a simulated clock`,
          numbers: day,
        }),
      ],
    };
  } finally {
    provider.stop();
  }
}

/** The engine of dist/ for a person who is signed in and away; the network answers at once. */
async function aDayOfTheCore() {
  const core = await startCore({ accounts: 1 });
  const until = core.now() + HOURS * 3_600_000;
  let fired = 0;
  while (await core.next(until)) fired += 1;
  await core.engine.getAccessToken();
  const held = core.timers();
  await core.engine.stop();
  return { fired, renewals: core.renewals(), held };
}
