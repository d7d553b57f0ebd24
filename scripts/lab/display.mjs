// @ts-check
// A virtual display (Xvfb) on a free number. It ends with `stop()`, and with this process in any
// case.
import { ensureSystemPackages } from '../shared/system-packages.mjs';
import { endedWithin, spawnBound } from '../shared/processes.mjs';
import { Stop } from '../shared/say.mjs';

const START_LIMIT_MS = 15_000;

/** True when a window could be shown here. */
export function hasDisplay() {
  if (process.platform !== 'linux') return true;
  return Boolean(process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']);
}

/** @typedef {{ display: string, stop: () => Promise<void> }} Display */

/**
 * @param {{ env?: NodeJS.ProcessEnv, uid?: number, gid?: number }} [options]
 * @returns {Promise<Display>}
 */
export async function startDisplay(options = {}) {
  await ensureSystemPackages(['display']);
  const args = ['-displayfd', '3', '-screen', '0', '1440x1000x24', '-nolisten', 'tcp', '-noreset'];
  const child = spawnBound('Xvfb', args, {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    ...(options.env ? { env: options.env } : {}),
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
  });
  /** @type {number} */
  const number = await new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(
      () => reject(new Stop('the virtual display (Xvfb) did not start in time')),
      START_LIMIT_MS,
    );
    child.once('exit', () => reject(new Stop('the virtual display (Xvfb) did not start')));
    child.stdio[3]?.on('data', (/** @type {Buffer} */ chunk) => {
      text += chunk.toString();
      if (!text.includes('\n')) return;
      clearTimeout(timer);
      resolve(Number(text));
    });
  });
  child.removeAllListeners('exit');
  child.unref();
  return {
    display: `:${number}`,
    async stop() {
      child.kill('SIGTERM');
      if (!(await endedWithin(child, 1_000))) child.kill('SIGKILL');
    },
  };
}
