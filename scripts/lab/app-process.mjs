// @ts-check
// One running demo app: started as a person would start it, ended for certain. Reads the views that
// `--print-views` writes and can look at its windows by DevTools; it has no other way in.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ended, endedWithin, sessionMembers, signal } from '../shared/processes.mjs';

export const ROOT_FOLDER = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** What Electron is started on. */
export const APP_FOLDER = join(ROOT_FOLDER, 'dist');

const GRACE_MS = 3_000;
const DEVTOOLS_LIMIT_MS = 20_000;

/** @typedef {import('../../src/contract.js').AuthView} AuthView */
/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/**
 * The command line of the app. The sandbox of the operating system refuses to run as root.
 * @param {{ electron: string, appFolder?: string | null, isRoot: boolean, switches?: readonly
 *   string[], flags: readonly string[] }} options `appFolder` null: the executable is a packaged
 *   app
 */
export function appCommand({ electron, appFolder = APP_FOLDER, isRoot, switches = [], flags }) {
  const noSandbox = isRoot && process.platform === 'linux' ? ['--no-sandbox'] : [];
  return [
    electron,
    ...noSandbox,
    ...switches,
    ...(appFolder === null ? [] : [appFolder]),
    ...flags,
  ];
}

/**
 * Asks the app to end, then kills what is still there after a grace period. Includes its helper
 * processes, but not the person's browser. Resolves when nothing is left.
 * @param {ChildProcess} child started with `detached`
 * @param {string} electron
 */
export async function endApp(child, electron) {
  const pid = child.pid;
  if (pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    if (!(await endedWithin(child, GRACE_MS))) child.kill('SIGKILL');
    await endedWithin(child, 1_000);
  }
  await endHelpers(pid, electron);
}

/**
 * Helpers end shortly after the app; those that do not are killed.
 * @param {number} leader
 * @param {string} electron
 */
export async function endHelpers(leader, electron) {
  for (let round = 0; round < 40; round += 1) {
    const members = sessionMembers(leader, electron);
    if (members.length === 0) return;
    if (round > 10) for (const pid of members) signal(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/**
 * Ends the app and its helpers at once with SIGKILL, as a crash or an empty battery does. Resolves
 * when nothing is left.
 * @param {ChildProcess} child started with `detached`
 * @param {string} electron
 */
export async function killApp(child, electron) {
  const pid = child.pid;
  if (pid === undefined) return;
  child.kill('SIGKILL');
  for (const member of sessionMembers(pid, electron)) signal(member, 'SIGKILL');
  await ended(child);
  await endHelpers(pid, electron);
}

/**
 * An app whose output is watched. `view()` is the last view that it wrote.
 * @typedef {{ child: ChildProcess, views: AuthView[], output: () => string, view: () => AuthView |
 *   undefined, waitForView: (what: string, matches: (view: AuthView) => boolean, limitMs?: number)
 *   => Promise<AuthView>, windows: () => Promise<import('playwright').Page[]>, firstWindow: () =>
 *   Promise<import('playwright').Page>, exited: () => Promise<number | null>, end: () =>
 *   Promise<void>, kill: () => Promise<void>,
 * }} WatchedApp
 */

/**
 * Starts the app with DevTools on a free port and `--print-views`. `appFolder` may start at `cwd`.
 * @param {{ electron: string, appFolder?: string | null, isRoot: boolean, flags: readonly string[],
 *   owner: import('./lab-keyring.mjs').Owner, cwd?: string }} options
 * @returns {WatchedApp}
 */
export function startWatchedApp({ electron, appFolder, isRoot, flags, owner, cwd }) {
  const [program = electron, ...args] = appCommand({
    electron,
    isRoot,
    // Without a graphics card each frame of a movement costs the time of other tests.
    switches: ['--remote-debugging-port=0', '--force-prefers-reduced-motion'],
    flags: ['--print-views', ...flags],
    ...(appFolder === undefined ? {} : { appFolder }),
  });
  const child = spawn(program, args, {
    ...owner,
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  /** @type {AuthView[]} */
  const views = [];
  /** @type {Set<() => void>} */
  const listeners = new Set();
  let output = '';
  let devTools = '';
  const changed = () => {
    for (const listener of listeners) listener();
  };
  createInterface({ input: /** @type {import('node:stream').Readable} */ (child.stdout) }).on(
    'line',
    (line) => {
      output += `${line}\n`;
      const view = parseView(line);
      if (view !== null) views.push(view);
      changed();
    },
  );
  createInterface({ input: /** @type {import('node:stream').Readable} */ (child.stderr) }).on(
    'line',
    (line) => {
      output += `${line}\n`;
      devTools ||= /^DevTools listening on (ws:\S+)/.exec(line)?.[1] ?? '';
      changed();
    },
  );
  child.once('exit', changed);

  /**
   * @template T
   * @param {string} what
   * @param {() => T | undefined} probe
   * @param {number} limitMs
   * @returns {Promise<T>}
   */
  const waitFor = (what, probe, limitMs) =>
    new Promise((resolve, reject) => {
      const check = () => {
        const result = probe();
        if (result !== undefined) settle(() => resolve(result));
        else if (child.exitCode !== null || child.signalCode !== null) {
          settle(() =>
            reject(
              new Error(
                `the app ended (exit code ${child.exitCode ?? 'none'}) before ${what}\n${lastOf(output)}`,
              ),
            ),
          );
        }
      };
      const timer = setTimeout(() => {
        settle(() =>
          reject(
            new Error(
              `waited ${limitMs / 1000} s for ${what}; the last view was ${JSON.stringify(views.at(-1))}\n${lastOf(output)}`,
            ),
          ),
        );
      }, limitMs);
      /** @param {() => void} finish */
      const settle = (finish) => {
        clearTimeout(timer);
        listeners.delete(check);
        finish();
      };
      listeners.add(check);
      check();
    });

  /** @type {Promise<import('playwright').Browser> | undefined} */
  let connection;
  const connect = () =>
    (connection ??= waitFor(
      'DevTools listened',
      () => devTools || undefined,
      DEVTOOLS_LIMIT_MS,
    ).then(async (address) => {
      const { chromium } = await import('playwright');
      return chromium.connectOverCDP(address, { timeout: DEVTOOLS_LIMIT_MS });
    }));
  const windows = async () => (await connect()).contexts().flatMap((context) => context.pages());

  return {
    child,
    views,
    output: () => output,
    view: () => views.at(-1),
    waitForView(what, matches, limitMs = 20_000) {
      return waitFor(
        what,
        () => {
          const last = views.at(-1);
          return last !== undefined && matches(last) ? last : undefined;
        },
        limitMs,
      );
    },
    windows,
    async firstWindow() {
      const deadline = Date.now() + DEVTOOLS_LIMIT_MS;
      for (;;) {
        const page = (await windows()).at(0);
        if (page !== undefined) {
          await page.waitForLoadState('domcontentloaded');
          return page;
        }
        if (Date.now() > deadline) throw new Error(`the app opened no window\n${lastOf(output)}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    exited: () => ended(child),
    async end() {
      await endApp(child, electron);
      await connection?.then((browser) => browser.close()).catch(() => undefined);
    },
    kill: () => killApp(child, electron),
  };
}

/**
 * @param {string} line
 * @returns {AuthView | null}
 */
function parseView(line) {
  if (!line.startsWith('{')) return null;
  try {
    const value = /** @type {unknown} */ (JSON.parse(line));
    return typeof value === 'object' && value !== null && 'status' in value
      ? /** @type {AuthView} */ (value)
      : null;
  } catch {
    return null;
  }
}

/** @param {string} output */
function lastOf(output) {
  return output.length > 0 ? `its output ended with:\n${output.slice(-1500)}` : 'it wrote nothing';
}
