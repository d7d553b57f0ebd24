// A short storm of kill -9 on a real app; `npm run soak` is the long one, and
// scripts/soak/soak-storm.mjs says what it does.
import { rage } from '../../scripts/soak/soak-storm.mjs';
import { expect, test } from './fixtures.js';

const KILLS = 20;

test(`survives ${KILLS} kills while it signs in, renews and stores; only a token on its way to the keyring is ever lost`, async ({
  electronPath,
}) => {
  test.setTimeout(180_000);
  const seed = Math.floor(Math.random() * 1_000_000);
  process.stdout.write(`the storm's seed is ${seed}\n`);
  const report = await rage({ electron: electronPath, kills: KILLS, seed });
  const told = `seed ${seed}\n${report.kills.map((kill) => JSON.stringify(kill)).join('\n')}`;
  expect(report.failures, told).toEqual([]);
  expect(report.kills, told).toHaveLength(KILLS);
  // A storm in which nothing was at stake proves nothing.
  expect(report.kills.filter(({ outcome }) => outcome === 'kept').length, told).toBeGreaterThan(0);
  expect(report.renewals, told).toBeGreaterThan(0);
  const lost = report.kills.filter(({ outcome }) => outcome === 'lost');
  expect(report.refused, told).toBe(lost.length);
});
