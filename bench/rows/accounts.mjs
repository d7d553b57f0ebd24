// @ts-check
// Many accounts: whether a token that is there costs more for it, and what each holds of memory.
// The real core in a process of its own, with a keychain in memory: here nothing of Electron
// matters.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { digits, ratio, row, shown, times, verdictOf } from './row.mjs';

const HOST = fileURLToPath(new URL('../host/accounts.mjs', import.meta.url));

/**
 * What 2,000 accounts hold is more than the processor's nearest memory: by hand they cost a little
 * more, too.
 */
const SAME = 2;

/**
 * @param {import('./row.mjs').Context} context
 * @returns {Promise<import('./row.mjs').Group>}
 */
export async function measureAccounts({ quick }) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', HOST, quick ? '3' : '9'],
    { timeout: 120_000 },
  );
  const { cached, floor, bytes, floorBytes, wrong } =
    /** @type {import('../host/accounts.mjs').AccountsResult} */ (JSON.parse(stdout));
  /** @param {number} count */
  const of = (count) => cached[count] ?? [];
  const growth = [100, 2_000].map((count) => ratio(of(count), of(1)));
  const kilobytes = bytes / 1000;
  return {
    rows: [
      row({
        id: 'cached-100',
        title: 'cached token, 100 accounts; 2,000 accounts',
        goal: 'the same as with 1',
        floor: [100, 2_000].map((count) => shown(floor[count] ?? [], 'µs')).join('; '),
        latchkey: [100, 2_000].map((count) => shown(of(count), 'µs')).join('; '),
        toFloor: [100, 2_000]
          .map((count) => times(ratio(of(count), floor[count] ?? [])))
          .join('; '),
        verdict: wrong.length > 0 ? 'wrong' : verdictOf(growth.every((factor) => factor <= SAME)),
        note: `${growth.map((factor) => `${digits(factor)} ×`).join(' and ')} of 1 account, which takes ${shown(of(1), 'µs')} when it is named; up to ${SAME} × counts as the same${wrong.length > 0 ? `; ${wrong[0] ?? ''}` : ''}`,
        numbers: { cached, floor },
      }),
      row({
        id: 'memory',
        title: 'memory per signed-in account',
        goal: '≤ 2 kB',
        floor: `${digits(floorBytes / 1000)} kB`,
        latchkey: `${digits(kilobytes)} kB`,
        toFloor: times(bytes / floorBytes),
        verdict: wrong.length > 0 ? 'wrong' : verdictOf(kilobytes <= 2),
        note: 'tokens of 43 letters; 2,000 accounts in use, less the same 2,000 that nobody has asked for',
        numbers: { bytes, floorBytes },
      }),
    ],
  };
}
