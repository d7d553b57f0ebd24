// Scheme registration on Linux. Writes a .desktop file to the user's data folder, makes it the
// default with the xdg tools, and removes it again. If a package has installed a file that starts
// this very app, uses that one instead. May not block: every tool runs off the main thread, within
// one time limit.
import { rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { desktopEntryText, execValue, launcherText, needsLauncher } from './desktop-entry.js';
import { type Environment, type Ran, runTool } from '../run-tool.js';
import { makeFolder, writeWhole } from '../whole-file.js';
import {
  type InstalledEntry,
  configHome,
  dataHome,
  findClaims,
  findEntry,
  programOf,
  readText,
  withoutHandler,
} from './xdg-applications.js';

export type Registration = { readonly ok: true } | { readonly ok: false; readonly detail: string };

/** `detail` says what happened to the scheme, or what blocks it. */
export interface Unregistration {
  readonly ok: boolean;
  readonly detail: string;
}

export interface LinuxRegistration {
  readonly scheme: string;
  readonly appName: string;
  /** The command that reaches the running instance, without the URL. */
  readonly words: readonly string[];
  readonly env: Environment;
  readonly timeoutMs: number;
  /**
   * True: a start of the program without arguments reaches the running instance, too. Then a
   * package's .desktop file for it works as well as our own, and stays in use.
   */
  readonly bareStartWorks?: boolean;
  /**
   * Called with the other build's command if Latchkey's file for this scheme belonged to another
   * build.
   */
  readonly onDisplaced?: (command: readonly string[]) => void;
}

/**
 * Writes the files that differ, makes them the scheme's handler, and asks the system who the
 * handler is.
 */
export async function registerOnLinux(registration: LinuxRegistration): Promise<Registration> {
  const { scheme, env, timeoutMs } = registration;
  const deadline = performance.now() + timeoutMs;
  const run = (program: string, args: readonly string[]): Promise<Ran> =>
    runTool(program, args, env, deadline - performance.now());

  const installed =
    registration.bareStartWorks === true
      ? await installedEntry(scheme, registration.words, env)
      : null;
  if (installed === null && needsLauncher(registration.words) && !canStartLauncher(scheme, env))
    return {
      ok: false,
      detail:
        'xdg-open of this desktop cannot start a path with such characters as quotes or blanks, and the data folder of this user has one: let XDG_DATA_HOME name another folder, or use a loopback redirect',
    };
  if (/\d/.test(scheme) && !hasOwnOpener(env)) {
    const version = await run('xdg-open', ['--version']);
    if (version.state === 'ended' && /^xdg-open (?:0|1\.[01])\./.test(version.output))
      return {
        ok: false,
        detail:
          'xdg-open before 1.2 takes a URL whose scheme has a digit for the name of a file: use a scheme without digits, or a loopback redirect',
      };
  }
  const changed = installed === null && (await writeOwnFiles(registration));
  const fileName = installed?.id ?? ownFileName(scheme);

  const before = changed ? null : await queryHandler(scheme, run);
  if (before?.state === 'ended' && before.output === fileName) return { ok: true };

  // Missing on small systems. On some desktops xdg-mime alone is enough; the query below shows it.
  if (installed === null) await run('update-desktop-database', [applicationsFolder(env)]);
  const made = await run('xdg-mime', ['default', fileName, `x-scheme-handler/${scheme}`]);
  if (made.state === 'missing')
    return { ok: false, detail: 'xdg-mime is missing (Debian package: xdg-utils)' };
  const after = await queryHandler(scheme, run);
  if (after.state === 'late' || made.state === 'late')
    return { ok: false, detail: 'xdg-mime does not answer in time' };
  if (after.state === 'ended' && after.output === fileName) return { ok: true };
  return { ok: false, detail: 'the scheme leads to another program, or to none' };
}

/**
 * Removes our .desktop file and launcher, and the lines that made them the default. Another program
 * that can open the scheme gets it back. Leaves files of another build or of a package alone.
 */
export async function unregisterOnLinux({
  scheme,
  words,
  env,
  timeoutMs,
}: Pick<LinuxRegistration, 'scheme' | 'words' | 'env' | 'timeoutMs'>): Promise<Unregistration> {
  const deadline = performance.now() + timeoutMs;
  const run = (program: string, args: readonly string[]): Promise<Ran> =>
    runTool(program, args, env, deadline - performance.now());
  const fileName = ownFileName(scheme);
  const path = join(applicationsFolder(env), fileName);
  const own = await findEntry(fileName, env);
  if (own === null || own.path !== path)
    return {
      ok: true,
      detail:
        'nothing was registered by this app; a file that its package has installed goes with the package',
    };
  if (!isSameCommand(own.command, words))
    return {
      ok: false,
      detail: 'the scheme was registered by another build of the app, and is left to it',
    };

  await rm(path, { force: true });
  await rm(launcherPath(scheme, env), { force: true });
  for (const list of [
    join(configHome(env), 'mimeapps.list'),
    join(applicationsFolder(env), 'mimeapps.list'),
    join(applicationsFolder(env), 'defaults.list'),
  ]) {
    await dropHandler(list, scheme, fileName);
  }
  await run('update-desktop-database', [applicationsFolder(env)]);
  const after = await queryHandler(scheme, run);
  if (after.state !== 'ended')
    return { ok: true, detail: 'removed; who opens the scheme now could not be asked' };
  return {
    ok: true,
    detail:
      after.output === ''
        ? 'removed; nobody opens the scheme now'
        : `removed; the scheme leads to ${after.output} again`,
  };
}

/** The id that the system names as the handler of a scheme; empty when there is none. */
export function queryHandler(
  scheme: string,
  run: (program: string, args: readonly string[]) => Promise<Ran>,
): Promise<Ran> {
  return run('xdg-mime', ['query', 'default', `x-scheme-handler/${scheme}`]);
}

/**
 * True if a command starts the same program as `words` and has no arguments that keep it from the
 * instance with the default userData folder. Files of packages are like that.
 */
export async function startsBare(
  command: readonly string[],
  words: readonly string[],
  env: Environment,
): Promise<boolean> {
  if (command.slice(1).some((word) => !word.startsWith('-') || word.startsWith('--user-data-dir')))
    return false;
  const program = await programOf(words, env);
  return program !== null && program === (await programOf(command, env));
}

async function installedEntry(
  scheme: string,
  words: readonly string[],
  env: Environment,
): Promise<InstalledEntry | null> {
  for (const entry of await findClaims(scheme, env)) {
    // xdg-mime 1.1.3 does not find a file whose command needs quotes, because it looks for the
    // first word of Exec. Its xdg-open does not start it either.
    if (
      !entry.isOurs &&
      entry.takesUrl &&
      !needsLauncher(entry.words) &&
      (await startsBare(entry.command, words, env))
    )
      return entry;
  }
  return null;
}

async function writeOwnFiles({
  scheme,
  appName,
  words,
  env,
  onDisplaced,
}: LinuxRegistration): Promise<boolean> {
  const path = join(applicationsFolder(env), ownFileName(scheme));
  const before = await findEntry(ownFileName(scheme), env);
  if (before?.path === path && !isSameCommand(before.command, words)) onDisplaced?.(before.command);
  let command = words;
  let changed = false;
  if (needsLauncher(words)) {
    command = [launcherPath(scheme, env)];
    changed = await writeIfDifferent(launcherPath(scheme, env), launcherText(words), 0o700);
  }
  return (
    (await writeIfDifferent(
      path,
      desktopEntryText({ name: appName, scheme, words: command }),
      0o600,
    )) || changed
  );
}

/** Word by word. */
export function isSameCommand(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((word, index) => word === other[index]);
}

function ownFileName(scheme: string): string {
  return `latchkey-${scheme}.desktop`;
}

function applicationsFolder(env: Environment): string {
  return join(dataHome(env), 'applications');
}

/** False if the launcher's own path needs quotes, and xdg-open itself would read them. */
function canStartLauncher(scheme: string, env: Environment): boolean {
  const path = launcherPath(scheme, env);
  return execValue([path]) === path || hasOwnOpener(env);
}

/** True if xdg-open leaves links to an opener of the desktop. It reads them by itself elsewhere. */
function hasOwnOpener(env: Environment): boolean {
  return (env['XDG_CURRENT_DESKTOP'] ?? '')
    .split(':')
    .some((name) => /^(?:GNOME.*|KDE|XFCE|MATE|(?:X-)?Cinnamon|Deepin)$/i.test(name));
}

function launcherPath(scheme: string, env: Environment): string {
  return join(dataHome(env), 'latchkey', scheme);
}

async function dropHandler(list: string, scheme: string, fileName: string): Promise<void> {
  const text = await readText(list, 1_048_576);
  if (text === null) return;
  const without = withoutHandler(text, scheme, fileName);
  if (without !== text) await writeWhole(list, without, (await stat(list)).mode & 0o777);
}

/** Only if it changes: a desktop watches the folder and reads it again each time. */
async function writeIfDifferent(path: string, text: string, mode: number): Promise<boolean> {
  if ((await readText(path)) === text) return false;
  await makeFolder(dirname(path));
  await writeWhole(path, text, mode);
  return true;
}
