// A private D-Bus with a genuine gnome-keyring for the contract tests, of the lab's own parts
// (scripts/lab/lab-keyring.mjs) but without its display: on a bus that knows no display no password
// dialog can open.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  lockKeyring,
  startBus,
  startKeyring,
  unlockKeyring,
} from '../../scripts/lab/lab-keyring.mjs';
import { killProcessesOf, which } from '../../scripts/shared/processes.mjs';

const PASSWORD = 'keyring password';

export interface Keyring {
  readonly env: NodeJS.ProcessEnv;
  lock(): Promise<void>;
  /** By a new daemon, as logging out and in would. */
  unlock(): Promise<void>;
  stop(): void;
}

/**
 * `empty`: the secret service starts by itself but has no login keyring. `none`: a bus without a
 * secret service.
 */
export type KeyringKind = 'unlocked' | 'empty' | 'none';

/** With `display`, a locked keyring opens its dialog there, and nobody answers it. */
export async function startPrivateKeyring(kind: KeyringKind, display?: string): Promise<Keyring> {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-keyring-'));
  const env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: root,
    XDG_RUNTIME_DIR: join(root, 'run'),
    XDG_DATA_HOME: join(root, 'data'),
    XDG_CONFIG_HOME: join(root, 'config'),
    XDG_CACHE_HOME: join(root, 'cache'),
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(root, 'run', 'bus')}`,
    // The mark by which lab-keyring.mjs finds what runs here.
    LATCHKEY_LAB: root,
    ...(display === undefined ? {} : { DISPLAY: display, XAUTHORITY: process.env['XAUTHORITY'] }),
  };
  for (const name of ['run', 'data', 'config', 'cache'])
    mkdirSync(join(root, name), { mode: 0o700 });
  const owner = { env };
  await startBus(root, owner, kind === 'none' ? 'none' : 'unlocked');
  if (kind === 'unlocked') await startKeyring(owner, PASSWORD);
  return {
    env,
    lock: () => lockKeyring(owner),
    unlock: () => unlockKeyring(root, owner, PASSWORD),
    stop() {
      killProcessesOf(root);
      rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
}

/**
 * Whether all these programs are installed. In CI a missing one fails the run: there, nothing may
 * be skipped.
 */
export function haveParts(...programs: readonly string[]): boolean {
  const missing = programs.filter((program) => which(program) === null);
  return missing.length === 0 || absent(missing.join(', '));
}

/**
 * Whether there is a display for a password dialog; `npm test -- contract` brings a virtual one.
 */
export function haveDisplay(): boolean {
  return process.env['DISPLAY'] !== undefined || absent('a display (run "npm test -- contract")');
}

function absent(what: string): false {
  const message = `real parts are missing: ${what}`;
  if (process.env['CI']) throw new Error(message);
  process.stderr.write(`\nSKIPPED: ${message}\n`);
  return false;
}
