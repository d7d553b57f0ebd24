// Finds what Electron was started on in development, so that a link can start the same again. Only
// reads. A packaged app needs no target: its executable is the app.
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { RegistrationFacts } from './registration-facts.js';

/**
 * The whole path of the folder or file that was named on the command line. Null if a link cannot
 * repeat this start: then neither the command line nor the app's folder names something to start.
 */
export function findStartTarget({
  appPath,
  argv,
  workingFolder,
}: Pick<RegistrationFacts, 'appPath' | 'argv' | 'workingFolder'>): string | null {
  const word = targetWord(argv);
  const named = word === null ? null : resolve(workingFolder, word);
  // A wrapper may have other words than Electron's own default app.
  if (named !== null && leadsTo(named, appPath)) return named;
  return ['package.json', 'index.js'].some((name) => existsSync(join(appPath, name)))
    ? appPath
    : null;
}

/** As Electron's default app finds it. */
function targetWord(argv: readonly string[]): string | null {
  for (let at = 1; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '-r' || word === '--require') at += 1;
    else if (word.startsWith('--app=')) return word.slice('--app='.length);
    else if (!word.startsWith('-')) return word;
  }
  return null;
}

/** The app's folder is the named folder, or the one in which the named file lies. */
function leadsTo(named: string, appPath: string): boolean {
  try {
    const folder = realpathSync.native(appPath);
    if (isFolder(named)) return realpathSync.native(named) === folder;
    const file = ['', '.js', '.json', '.node'].map((end) => named + end).find(existsSync);
    return (
      file !== undefined &&
      [dirname(realpathSync.native(file)), realpathSync.native(dirname(file))].includes(folder)
    );
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
