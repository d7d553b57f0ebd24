// @ts-check
// The lab's private session bus and its genuine gnome-keyring. The bus offers only what the lab
// copies into its own service folder, so `none` really has no keyring, and nothing of the person's
// desktop is ever started.
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { closed, processesOf, signal, spawnBound } from '../shared/processes.mjs';
import { Stop } from '../shared/say.mjs';
import { ensureSystemPackages } from '../shared/system-packages.mjs';

const LIMIT_MS = 15_000;
const SYSTEM_SERVICES = '/usr/share/dbus-1/services';
const LOGIN = '/org/freedesktop/secrets/collection/login';

/**
 * `unlocked`: an open login keyring. `locked-with-prompt`: it is locked and a password dialog opens
 * on the lab's display, which nobody answers. `none`: no program offers the Secret Service.
 * @typedef {'unlocked' | 'locked-with-prompt' | 'none'} KeyringKind
 */

/** @typedef {{ env: NodeJS.ProcessEnv, uid?: number, gid?: number }} Owner */

/**
 * @param {string} root the lab's folder
 * @param {Owner} owner
 * @param {KeyringKind} kind
 */
export async function startBus(root, owner, kind) {
  const services = join(root, 'services');
  mkdirSync(services);
  if (kind !== 'none') {
    for (const name of [
      'org.freedesktop.secrets',
      'org.gnome.keyring',
      'org.gnome.keyring.SystemPrompter',
      'org.gnome.keyring.PrivatePrompter',
    ]) {
      const file = join(SYSTEM_SERVICES, `${name}.service`);
      if (existsSync(file)) copyFileSync(file, join(services, `${name}.service`));
    }
  }
  const config = join(root, 'bus.conf');
  writeFileSync(
    config,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${join(root, 'run', 'bus')}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>${services}</servicedir>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
`,
  );
  const child = spawnBound(
    'dbus-daemon',
    [`--config-file=${config}`, '--nofork', '--nopidfile', '--print-address=3'],
    {
      ...owner,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    },
  );
  await new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Stop('the private D-Bus did not start in time')),
      LIMIT_MS,
    );
    child.once('exit', () => reject(new Stop('the private D-Bus did not start')));
    child.stdio[3]?.once('data', () => {
      clearTimeout(timer);
      resolve(null);
    });
  });
  child.removeAllListeners('exit');
  child.unref();
}

/**
 * Starts the keyring with an open login collection.
 * @param {Owner} owner
 * @param {string} password not empty
 */
export async function startKeyring(owner, password) {
  const child = spawn(
    'gnome-keyring-daemon',
    ['--foreground', '--unlock', '--components=secrets'],
    {
      ...owner,
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  );
  child.stdin.end(password);
  child.unref();
  // Without waiting for the name, the question itself would start a second daemon.
  const wait = spawn('gdbus', ['wait', '--session', '--timeout', '15', 'org.freedesktop.secrets'], {
    ...owner,
    stdio: 'ignore',
  });
  await new Promise((resolve) => wait.once('close', resolve));
  const deadline = Date.now() + LIMIT_MS;
  while (!(await isUnlocked(owner))) {
    if (Date.now() > deadline)
      throw new Stop('gnome-keyring did not open its login keyring in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Locks the login keyring; the next call that needs it opens the password dialog.
 * @param {Owner} owner
 */
export async function lockKeyring(owner) {
  await secretService(
    owner,
    '/org/freedesktop/secrets',
    'org.freedesktop.Secret.Service.Lock',
    `['${LOGIN}']`,
  );
  if (await isUnlocked(owner)) throw new Error('the keyring did not lock');
}

/**
 * Opens the login keyring again by a new daemon, as logging out and in would. (Telling a running
 * daemon the password needs its PAM module.) A dialog that is still open ends unanswered.
 * @param {string} root
 * @param {Owner} owner
 * @param {string} password
 */
export async function unlockKeyring(root, owner, password) {
  const running = processesOf(root).filter((one) =>
    /(^|\/)gnome-keyring-daemon /.test(one.command),
  );
  for (const { pid } of running) signal(pid, 'SIGTERM');
  const deadline = Date.now() + LIMIT_MS;
  while (processesOf(root).some((one) => running.some((old) => old.pid === one.pid))) {
    if (Date.now() > deadline) throw new Error('the old keyring daemon did not end');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await startKeyring(owner, password);
}

/**
 * Answers the password dialog as a person would, by the keyboard: with the password, or with Escape
 * for null. Waits for the dialog first.
 * @param {Owner} owner
 * @param {string | null} password
 */
export async function answerDialog(owner, password) {
  await ensureSystemPackages(['dialogs']);
  const deadline = Date.now() + LIMIT_MS;
  while (
    (await run(owner, 'xdotool', ['search', '--onlyvisible', '--class', 'gcr-prompter'])).trim() ===
    ''
  ) {
    if (Date.now() > deadline) throw new Error('the keyring opened no dialog');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // The dialog takes the keyboard a moment after it is drawn.
  await new Promise((resolve) => setTimeout(resolve, 500));
  if (password !== null) await run(owner, 'xdotool', ['type', '--delay', '10', password]);
  await run(owner, 'xdotool', ['key', password === null ? 'Escape' : 'Return']);
}

/** @param {Owner} owner */
async function isUnlocked(owner) {
  const answer = await secretService(
    owner,
    LOGIN,
    'org.freedesktop.DBus.Properties.Get',
    'org.freedesktop.Secret.Collection',
    'Locked',
  );
  return answer.includes('<false>');
}

/**
 * @param {Owner} owner
 * @param {string} path
 * @param {string} method
 * @param {...string} args
 * @returns {Promise<string>} what gdbus printed; empty when the call failed
 */
async function secretService(owner, path, method, ...args) {
  const call = [
    'call',
    '--session',
    '--timeout',
    '5',
    '--dest',
    'org.freedesktop.secrets',
    '--object-path',
    path,
    '--method',
    method,
  ];
  return run(owner, 'gdbus', [...call, ...args]);
}

/**
 * @param {Owner} owner
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<string>} its output, whether it failed or not
 */
async function run(owner, program, args) {
  const child = spawn(program, args, { ...owner, stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (/** @type {Buffer} */ chunk) => {
    output += chunk.toString();
  });
  await closed(child);
  return output;
}
