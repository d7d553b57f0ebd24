// Finds the files of Latchkey that are not loaded by an import: the preload and the keychain
// worker. They are beside its modules. This file detects, at the first start, a bundler that moved
// the modules away from them. May import nothing of Latchkey: it stays a file of its own in dist/,
// where a second AuthError would be another class.
import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Each with its path from this module. */
const FILES = {
  preload: '../../preload.cjs',
  'keychain-worker': './secrets/keychain-worker.js',
  manifest: '../../../package.json',
} as const;

export type OwnFile = keyof typeof FILES;

/**
 * webpack and rspack put it into what they bundle, even where `import.meta.url` still names the
 * source on the developer's disk.
 */
declare const __webpack_require__: unknown;

/** Gives the file's path. Ask `whyFilesMissing` first. */
export function ownFile(name: OwnFile): string {
  return resolve(folderOf(import.meta.url) ?? '', FILES[name]);
}

/**
 * The error text if one of the files is missing, or if this module itself was bundled. Otherwise a
 * session would silently not be remembered, or a page would silently have no bridge. Null if all is
 * well.
 */
export function whyFilesMissing(
  names: readonly OwnFile[],
  {
    moduleUrl = import.meta.url,
    bundled = typeof __webpack_require__ !== 'undefined',
  }: { moduleUrl?: string | undefined; bundled?: boolean } = {},
): string | null {
  if (names.length === 0) return null;
  const folder = folderOf(moduleUrl);
  if (bundled || folder === null)
    return 'latchkey was bundled into the main process: declare "latchkey" as external (docs/bundlers.md)';
  // Next to a source file there is a source file.
  const inOwnForm = (path: string): string =>
    moduleUrl.endsWith('.ts') ? path.replace(/js$/, 'ts') : path;
  const missing = names.map((name) => resolve(folder, inOwnForm(FILES[name]))).find(isAbsent);
  return missing === undefined
    ? null
    : `the file "${basename(missing)}" is missing beside latchkey: ship the whole package with the app (docs/bundlers.md)`;
}

/**
 * Only this error counts: with too many open files, or with a scanner in the way, the file still
 * exists.
 */
function isAbsent(file: string): boolean {
  try {
    statSync(file);
    return false;
  } catch (thrown) {
    return ['ENOENT', 'ENOTDIR'].includes((thrown as NodeJS.ErrnoException).code ?? '');
  }
}

/**
 * Null when the module does not run from its own file. Bundlers for CommonJS leave
 * `import.meta.url` empty.
 */
function folderOf(moduleUrl: string | undefined): string | null {
  if (moduleUrl?.startsWith('file:') !== true) return null;
  const file = fileURLToPath(moduleUrl);
  return /^package-files\.[jt]s$/.test(basename(file)) ? dirname(file) : null;
}
