// @ts-check
// `node bench/profile.mjs`: what a start, a renewal and a redeeming of Latchkey wait for, on a time
// line. To find out why a row falls short; the numbers of the table come from bench.mjs, where
// nothing is noted.
import { build } from '../scripts/build.mjs';
import { resolveElectron } from '../scripts/electron/electron.mjs';
import { runMain } from '../scripts/shared/say.mjs';
import { ensureSystemPackages } from '../scripts/shared/system-packages.mjs';
import { startStage } from './parts/stage.mjs';

/** @typedef {import('./host/timeline.mjs').Note} Note */

runMain(async () => {
  await build({ ifNeeded: true });
  await ensureSystemPackages(['unpack', 'electron', 'display', 'desktop']);
  const { path } = await resolveElectron();
  const stage = await startStage({ electron: path });
  try {
    const turn = stage.turn();
    const provider = await turn.provider();
    await provider.life(2);
    const run = (/** @type {object} */ job) =>
      /** @type {Promise<unknown>} */ (
        turn.run({ script: 'profile', profile: 'profile', job: { ...job } }, provider)
      );
    await run({ signIn: true });
    for (let start = 0; start < 2; start += 1) {
      const {
        start: notes,
        renewals,
        redeem,
      } = /** @type {{ start: Note[], renewals: Note[][], redeem: Note[] }} */ (await run({}));
      print(`start ${start + 1}`, notes);
      if (start === 0) continue;
      renewals.forEach((renewal, index) => print(`renewal ${index + 1}`, renewal));
      print('redeem', redeem);
    }
    turn.end();
  } finally {
    await stage.stop();
  }
  return 0;
});

/** @param {string} title @param {readonly Note[]} notes */
function print(title, notes) {
  process.stdout.write(`\n${title}\n`);
  for (const { at, what, ms } of notes)
    process.stdout.write(
      `${at.toFixed(1).padStart(8)} ms  ${ms === null ? '   open' : ms.toFixed(1).padStart(7)}  ${what}\n`,
    );
}
