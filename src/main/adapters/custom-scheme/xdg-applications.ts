// Finds a Linux desktop's .desktop files and the programs that may open a scheme (XDG Base
// Directory and MIME Applications Associations Specifications). Only reads; returns the one changed
// text, mimeapps.list, as a string.
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { type ReadEntry, readDesktopEntry, readLauncher } from './desktop-entry.js';
import type { Environment } from '../run-tool.js';
import { readWhole } from '../whole-file.js';

/** A .desktop file of an application, with its final command. */
export interface InstalledEntry extends ReadEntry {
  /** The name by which mimeapps.list and xdg-mime know it. */
  readonly id: string;
  readonly path: string;
  /** The command behind a launcher of Latchkey's; else that of the file. */
  readonly command: readonly string[];
}

/** A .desktop file or launcher has a few kilobytes; the cache of a full desktop some hundred. */
const FILE_MAX_BYTES = 65_536;
const CACHE_MAX_BYTES = 4_194_304;
const CLAIMS_MAX = 16;

/** `$XDG_DATA_HOME`; a relative path counts as not set. */
export function dataHome(env: Environment): string {
  return absolute(env['XDG_DATA_HOME']) ?? join(env['HOME'] || homedir(), '.local', 'share');
}

/** `$XDG_CONFIG_HOME`; a relative path counts as not set. */
export function configHome(env: Environment): string {
  return absolute(env['XDG_CONFIG_HOME']) ?? join(env['HOME'] || homedir(), '.config');
}

/** The folders of .desktop files, the user's own first. */
function applicationFolders(env: Environment): readonly string[] {
  const system = (env['XDG_DATA_DIRS'] || '/usr/local/share:/usr/share')
    .split(':')
    .flatMap((folder) => absolute(folder) ?? []);
  return [dataHome(env), ...system].map((folder) => join(folder, 'applications'));
}

/**
 * Finds the file of an id: the first folder that has it counts. Null when there is none that can be
 * read.
 */
export async function findEntry(id: string, env: Environment): Promise<InstalledEntry | null> {
  if (!/^[^/\0]+\.desktop$/.test(id) || id.includes('..')) return null;
  for (const folder of applicationFolders(env)) {
    for (const name of fileNames(id)) {
      const entry = await readEntry(id, join(folder, name));
      if (entry !== null) return entry;
    }
  }
  return null;
}

/**
 * Every .desktop file that claims to open the scheme, according to the caches of
 * `update-desktop-database`.
 */
export async function findClaims(
  scheme: string,
  env: Environment,
): Promise<readonly InstalledEntry[]> {
  const type = `x-scheme-handler/${scheme}`;
  const ids = new Set<string>();
  for (const folder of applicationFolders(env)) {
    const cache = await readText(join(folder, 'mimeinfo.cache'), CACHE_MAX_BYTES);
    for (const id of handlersIn(cache ?? '', type)) ids.add(id);
  }
  const entries: InstalledEntry[] = [];
  for (const id of [...ids].slice(0, CLAIMS_MAX)) {
    const entry = await findEntry(id, env);
    if (entry?.mimeTypes.includes(type) === true) entries.push(entry);
  }
  return entries;
}

/** The executable file that a command starts, links followed; null when there is none. */
export async function programOf(
  [program = '']: readonly string[],
  env: Environment,
): Promise<string | null> {
  const candidates = program.includes('/')
    ? [program]
    : (env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program));
  for (const candidate of candidates) {
    if (program === '' || !isAbsolute(candidate)) continue;
    try {
      await access(candidate, constants.X_OK);
      const file = await realpath(candidate);
      if ((await stat(file)).isFile()) return file;
    } catch {
      // Not here.
    }
  }
  return null;
}

/**
 * The text of a mimeapps.list without `id` as a handler of the scheme; everything else stays as it
 * is.
 */
export function withoutHandler(text: string, scheme: string, id: string): string {
  const prefix = `x-scheme-handler/${scheme}=`;
  return text
    .split('\n')
    .flatMap((line) => {
      if (!line.startsWith(prefix)) return [line];
      const all = line
        .slice(prefix.length)
        .split(';')
        .filter((handler) => handler.trim() !== '');
      const left = all.filter((handler) => handler.trim() !== id);
      if (left.length === all.length) return [line];
      return left.length === 0 ? [] : [`${prefix}${left.join(';')};`];
    })
    .join('\n');
}

/**
 * A text file up to a limit. Null if it does not exist, cannot be read or is larger. Does not wait
 * for a pipe in its place.
 */
export async function readText(
  path: string,
  maxBytes: number = FILE_MAX_BYTES,
): Promise<string | null> {
  return (await readWhole(path, maxBytes, false).catch(() => null))?.toString('utf8') ?? null;
}

async function readEntry(id: string, path: string): Promise<InstalledEntry | null> {
  const text = await readText(path);
  if (text === null) return null;
  const entry = readDesktopEntry(text);
  return { ...entry, id, path, command: await behindLauncher(entry) };
}

async function behindLauncher({ isOurs, words }: ReadEntry): Promise<readonly string[]> {
  const [launcher] = words;
  if (!isOurs || words.length !== 1 || launcher === undefined) return words;
  return readLauncher((await readText(launcher)) ?? '') ?? words;
}

/** `a-b-c.desktop` may be `a/b-c.desktop`, or deeper. */
function fileNames(id: string): readonly string[] {
  const names = [id];
  for (let name = id; name.includes('-') && names.length < 8; names.push(name))
    name = name.replace('-', '/');
  return names;
}

function handlersIn(cache: string, type: string): readonly string[] {
  const line = cache.split('\n').find((one) => one.startsWith(`${type}=`));
  return line === undefined
    ? []
    : line
        .slice(type.length + 1)
        .split(';')
        .filter((id) => id !== '');
}

function absolute(path: string | undefined): string | null {
  return path !== undefined && isAbsolute(path) ? path : null;
}
