// @ts-check A private desktop of genuine parts in a temporary folder: display, D-Bus,
// gnome-keyring, Chromium as default browser, scheme handling. It neither sees nor changes the
// person's own session. `stop()` ends every process that was started in it, by whomever, and
// removes the folder; should this process be killed, display and bus go with it.
import { chownSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDisplay } from './display.mjs';
import { allowLinks, browserRuns, connectBrowser, installBrowser } from './lab-browser.mjs';
import {
  answerDialog,
  lockKeyring,
  startBus,
  startKeyring,
  unlockKeyring,
} from './lab-keyring.mjs';
import { killProcessesOf, processesOf } from '../shared/processes.mjs';
import { Stop } from '../shared/say.mjs';
import { ensureSystemPackages } from '../shared/system-packages.mjs';

const PASSWORD = 'lab password';

/**
 * `user`: run it all as this ordinary user (only when we are root), for the real operating-system
 * sandbox.
 * @typedef {{
 *   keyring?: import('./lab-keyring.mjs').KeyringKind,
 *   allow?: readonly import('./lab-browser.mjs').AllowedLink[],
 *   user?: { uid: number, gid: number, name: string },
 * }} LabOptions
 */

/**
 * `env` is the environment of everything that runs in the lab; `owner` adds the user, ready for
 * `spawn`. `browser()` starts or finds the system browser, `answerDialog()` types into the
 * keyring's password dialog; `allow()` only works before that. `processes()` is what runs now.
 * @typedef {{
 *   root: string,
 *   home: string,
 *   env: NodeJS.ProcessEnv,
 *   owner: import('./lab-keyring.mjs').Owner,
 *   isRoot: boolean,
 *   allow: (links: readonly import('./lab-browser.mjs').AllowedLink[]) => void,
 *   browser: () => Promise<import('playwright').Browser>,
 *   browserRuns: () => boolean,
 *   lockKeyring: () => Promise<void>,
 *   unlockKeyring: () => Promise<void>,
 *   answerDialog: (answer: 'password' | 'escape') => Promise<void>,
 *   processes: () => { pid: number, command: string }[],
 *   stop: () => Promise<void>,
 * }} Lab
 */

/**
 * @param {LabOptions} [options]
 * @returns {Promise<Lab>}
 */
export async function startLab(options = {}) {
  if (process.platform !== 'linux')
    throw new Stop('the lab of genuine desktop parts exists on Linux only');
  await ensureSystemPackages(['display', 'desktop']);
  const keyring = options.keyring ?? 'unlocked';
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-lab-'));
  const cleanUp = () => {
    killProcessesOf(root);
    rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  };
  process.once('exit', cleanUp);
  try {
    const env = labEnvironment(root, options.user?.name);
    /** @type {import('./lab-keyring.mjs').Owner} */
    const owner = options.user ? { env, uid: options.user.uid, gid: options.user.gid } : { env };
    const folders = [
      root,
      env['XDG_RUNTIME_DIR'],
      env['HOME'],
      env['XDG_DATA_HOME'],
      env['XDG_CONFIG_HOME'],
      env['XDG_CACHE_HOME'],
      env['TMPDIR'],
    ];
    for (const folder of folders) mkdirSync(String(folder), { recursive: true, mode: 0o700 });
    installBrowser(root, owner);
    allowLinks(root, options.allow ?? []);
    if (options.user) chownAll(root, options.user);

    const display = await startDisplay(owner);
    env['DISPLAY'] = display.display;
    await startBus(root, owner, keyring);
    if (keyring !== 'none') await startKeyring(owner, PASSWORD);
    if (keyring === 'locked-with-prompt') await lockKeyring(owner);

    return {
      root,
      home: String(env['HOME']),
      env,
      owner,
      isRoot: (owner.uid ?? process.getuid?.()) === 0,
      allow(links) {
        if (browserRuns(root))
          throw new Error('links can only be allowed before the browser starts');
        allowLinks(root, links);
        if (options.user) chownAll(root, options.user);
      },
      browser: () => connectBrowser(root, owner),
      browserRuns: () => browserRuns(root),
      lockKeyring: () => lockKeyring(owner),
      unlockKeyring: () => unlockKeyring(root, owner, PASSWORD),
      answerDialog: (answer) => answerDialog(owner, answer === 'password' ? PASSWORD : null),
      processes: () => processesOf(root),
      async stop() {
        process.removeListener('exit', cleanUp);
        await display.stop();
        cleanUp();
      },
    };
  } catch (error) {
    process.removeListener('exit', cleanUp);
    cleanUp();
    throw error;
  }
}

/**
 * Only what programs need; nothing that leads back to the person's own session.
 * @param {string} root
 * @param {string | undefined} userName
 * @returns {NodeJS.ProcessEnv}
 */
function labEnvironment(root, userName) {
  const home = join(root, 'home');
  /** @type {NodeJS.ProcessEnv} */
  const env = {};
  for (const name of ['PATH', 'TZ', 'TERM', 'CI', 'LATCHKEY_ELECTRON', 'LATCHKEY_BROWSER']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return {
    ...env,
    LANG: 'C.UTF-8',
    USER: userName ?? process.env['USER'] ?? 'lab',
    LOGNAME: userName ?? process.env['LOGNAME'] ?? 'lab',
    HOME: home,
    TMPDIR: join(root, 'tmp'),
    XDG_RUNTIME_DIR: join(root, 'run'),
    XDG_DATA_HOME: join(home, '.local', 'share'),
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_STATE_HOME: join(home, '.local', 'state'),
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(root, 'run', 'bus')}`,
    // The mark by which everything that runs in the lab is found at its end.
    LATCHKEY_LAB: root,
    LATCHKEY_LAB_PASSWORD: PASSWORD,
  };
}

/**
 * @param {string} folder
 * @param {{ uid: number, gid: number }} user
 */
function chownAll(folder, user) {
  chownSync(folder, user.uid, user.gid);
  for (const entry of readdirSync(folder, { recursive: true }))
    chownSync(join(folder, String(entry)), user.uid, user.gid);
}
