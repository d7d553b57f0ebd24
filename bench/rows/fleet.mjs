// @ts-check
// The fleet after an outage: bench/fleet.mjs, whose clock is simulated, so that its numbers are the
// same everywhere.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { digits, row, verdictOf } from './row.mjs';

/** @typedef {{ clients: number, goal: { wanted: number, reached: number, everyday: number, floorPeak: number }, differences: readonly string[], rows: readonly { policy: string, peak: number, reference: boolean }[] }} Fleet */

const LIMIT_MS = 300_000;

/**
 * @param {Pick<import('./row.mjs').Context, 'quick'>} context
 * @returns {Promise<import('./row.mjs').Group>}
 */
export async function measureFleet({ quick }) {
  const words = [
    fileURLToPath(new URL('../fleet.mjs', import.meta.url)),
    '--json',
    '--scenario',
    'Outage: the provider',
    ...(quick ? ['--quick'] : []),
  ];
  const fleet = /** @type {Fleet} */ (JSON.parse(await output(words)));
  const own = fleet.rows[0];
  const reference = fleet.rows.find((other) => other.reference);
  return {
    rows: [
      row({
        id: 'fleet',
        title: `${fleet.clients.toLocaleString('en')} clients after a 30-minute outage (simulated): peak requests/s`,
        goal: '≤ 1/50 of “retry at expiry, every 30 s”',
        floor: `${fleet.goal.floorPeak.toLocaleString('en')} (no retry ever)`,
        bestPeer: `at expiry, every 30 s: ${(reference?.peak ?? 0).toLocaleString('en')}`,
        latchkey: (own?.peak ?? 0).toLocaleString('en'),
        toFloor: `${digits((own?.peak ?? 0) / fleet.goal.floorPeak)} ×`,
        toBestPeer: `1/${digits(fleet.goal.reached)}`,
        verdict:
          fleet.differences.length > 0
            ? 'wrong'
            : verdictOf(fleet.goal.reached >= fleet.goal.wanted),
        note: 'docs/scaling.md says why, and how',
        numbers: { goal: fleet.goal },
      }),
    ],
  };
}

/** @param {readonly string[]} words @returns {Promise<string>} */
function output(words) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    let text = '';
    child.stdout.on('data', (/** @type {Buffer} */ chunk) => {
      text += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0
        ? resolve(text)
        : reject(new Error(`bench/fleet.mjs ended with ${code ?? 'a signal'}`)),
    );
  });
}
