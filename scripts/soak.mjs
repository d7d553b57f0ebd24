// @ts-check
// `npm run soak [-- --kills 200] [--seed N]`: kills a real app again and again while it signs in,
// renews and stores, and reports what that cost. The exit code is 0 when every session was kept, or
// lost with the proof that nothing could help.
import { build } from './build.mjs';
import { resolveElectron } from './electron/electron.mjs';
import { runMain, say, Stop } from './shared/say.mjs';
import { MOMENTS } from './soak/soak-moments.mjs';
import { rage } from './soak/soak-storm.mjs';
import { ensureSystemPackages } from './shared/system-packages.mjs';

/** @typedef {import('./soak/soak-storm.mjs').Report} Report */

/** @type {readonly ['kept', 'outlived', 'lost', 'cut off', 'none']} */
const OUTCOMES = ['kept', 'outlived', 'lost', 'cut off', 'none'];

/** @param {readonly string[]} words */
async function main(words) {
  const wanted = { kills: 200, seed: Math.floor(Math.random() * 1_000_000) };
  for (let at = 0; at < words.length; at += 2) {
    const name = words[at]?.replace(/^--/, '') ?? '';
    const value = Number(words[at + 1]);
    if ((name !== 'kills' && name !== 'seed') || !Number.isInteger(value) || value < 0)
      throw new Stop('npm run soak [-- --kills 200] [--seed 1]');
    wanted[name] = value;
  }
  await ensureSystemPackages(['unpack', 'electron', 'display', 'desktop']);
  const { path: electron } = await resolveElectron();
  await build({ ifNeeded: true });
  say(`${wanted.kills} kills, seed ${wanted.seed}`);
  const report = await rage({
    electron,
    ...wanted,
    onKill: ({ number, moment, outcome }) => {
      if (number % 10 === 0 || outcome === 'lost') say(`kill ${number}, ${moment}: ${outcome}`);
    },
  });
  process.stdout.write(format(report));
  return report.failures.length === 0 ? 0 : 1;
}

/** @param {Report} report */
function format({ seed, kills, failures, renewals, refused, seconds }) {
  /** @param {string} outcome @param {string} [moment] */
  const count = (outcome, moment) =>
    kills.filter(
      (kill) => kill.outcome === outcome && (moment === undefined || kill.moment === moment),
    ).length;
  const rows = MOMENTS.filter((moment) => kills.some((kill) => kill.moment === moment));
  const lines = [
    `${kills.length} kills in ${seconds.toFixed(0)} s, seed ${seed}, ${renewals} renewals`,
    '',
    `${'moment'.padEnd(16)}${OUTCOMES.map((outcome) => outcome.padStart(10)).join('')}`,
    ...rows.map(
      (moment) =>
        `${moment.padEnd(16)}${OUTCOMES.map((outcome) => String(count(outcome, moment)).padStart(10)).join('')}`,
    ),
    `${'all'.padEnd(16)}${OUTCOMES.map((outcome) => String(count(outcome)).padStart(10)).join('')}`,
    '',
    `sessions kept: ${count('kept')}, and ${count('outlived')} sign-ins that were finished after the kill`,
    `sessions lost: ${count('lost')}, each while the new token was on its way from the provider to the keyring; ${refused} of them confirmed by the provider's refusal`,
    `sign-ins cut off: ${count('cut off')}, each on the same way; a code is posted once`,
    ...kills
      .filter(({ outcome }) => outcome === 'lost' || outcome === 'cut off')
      .map(
        ({ number, moment, outcome, words }) => `  kill ${number}, ${moment}, ${outcome}: ${words}`,
      ),
    '',
    failures.length === 0
      ? 'nothing else was lost, and no store was unreadable'
      : `FAILED:\n${failures.map((failure) => `  ${failure}`).join('\n')}`,
    '',
  ];
  return lines.join('\n');
}

runMain(() => main(process.argv.slice(2)));
