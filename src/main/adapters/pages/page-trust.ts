// Decides which pages may use Latchkey: by the address of the document and by its origin. May not
// log, and may not remember an answer: a page that reloads can lose its origin.
import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import path, { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PageTrust {
  /** `https://app.example.com`, or `app://main` of a standard scheme. */
  readonly trustedOrigins: readonly string[];
  /** `app.getAppPath()`. `file:` pages are trusted inside of it. */
  readonly appPath: string;
}

/** What Electron says of a frame. `origin` is "null" if the document has none of its own. */
export interface Page {
  readonly url: string;
  readonly origin: string;
}

/**
 * True if the document has the origin that its address says, and that origin is trusted. A document
 * without an origin of its own (a CSP `sandbox`, `data:`, a failed load, a scheme that is not
 * standard) or with another one (a popup or a `blob:` that inherits it) is never trusted.
 */
export function isTrustedPage(page: Page, trust: PageTrust): boolean {
  const { origin } = page;
  // First, for it is short: an address may have two megabytes, which take milliseconds to read.
  if (origin !== 'file://' && !trust.trustedOrigins.includes(origin)) return false;
  const { url } = page;
  if (origin !== originOf(url)) return false;
  return origin !== 'file://' || isInApp(url, trust.appPath);
}

/** `scheme://host`, without path and query. */
export function originOf(url: string): string {
  if (!URL.canParse(url)) return 'unknown';
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

function isInApp(url: string, appPath: string): boolean {
  try {
    return isBelow(real(fileURLToPath(url)), real(appFolder(appPath)));
  } catch {
    return false;
  }
}

/**
 * Electron names the folder of the script if an app was started by a file (`electron
 * dist/main.js`). The app is then everything below the nearest package.json.
 */
function appFolder(appPath: string): string {
  const home = followed(resolve('/', homedir()));
  for (let folder = appPath; folder !== dirname(folder); folder = dirname(folder)) {
    // A stray package.json there must not make every download a page of the app.
    if (followed(folder) === home) break;
    if (existsSync(join(folder, 'package.json'))) return folder;
  }
  return appPath;
}

/** The home folder may be on a disk that cannot be read now: the app's pages stay what they are. */
function followed(folder: string): string {
  try {
    return real(folder);
  } catch {
    return folder;
  }
}

/** Links followed. An update may have removed the file of a page that is still shown. */
function real(file: string): string {
  try {
    return realpathSync.native(file);
  } catch (thrown) {
    const folder = dirname(file);
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT' || folder === file) throw thrown;
    return join(real(folder), basename(file));
  }
}

/** On Windows without case, as `relative` is there. Exported for its unit test. */
export function isBelow(
  file: string,
  folder: string,
  paths: Pick<path.PlatformPath, 'relative' | 'isAbsolute' | 'sep'> = path,
): boolean {
  const way = paths.relative(folder, file);
  return way !== '' && way !== '..' && !way.startsWith(`..${paths.sep}`) && !paths.isAbsolute(way);
}
