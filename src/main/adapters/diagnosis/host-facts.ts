// Facts about this process: versions, operating system, and how the app is packaged. Reads only the
// environment. Does not import Electron, so that `latchkey doctor` can use it.
import { readFileSync } from 'node:fs';
import { arch, release, type, version } from 'node:os';
import type { HostFacts, Packaging } from '../../diagnosis/facts.js';
import { ownFile } from '../package-files.js';
import type { Environment } from '../run-tool.js';

/** What the process knows about itself. In an app Electron says more. */
export interface ProcessFacts {
  readonly electron: string | undefined;
  readonly isPackaged: boolean;
  readonly execPath: string;
  readonly windowsStore: boolean;
  readonly macAppStore: boolean;
  readonly env: Environment;
}

export function readHostFacts(
  facts: ProcessFacts,
  instanceLock: HostFacts['instanceLock'],
): HostFacts {
  return {
    latchkey: ownVersion(),
    electron: facts.electron ?? null,
    node: process.versions.node,
    // `version()` names the distribution's kernel build on Linux, and the edition on Windows.
    system: `${type()} ${release()} ${arch()}${process.platform === 'win32' ? ` (${version()})` : ''}`,
    packaging: findPackaging(facts),
    instanceLock,
  };
}

/** How the app is packaged. Pure. */
export function findPackaging({
  electron,
  isPackaged,
  execPath,
  windowsStore,
  macAppStore,
  env,
}: ProcessFacts): Packaging {
  if (electron === undefined) return 'plain-node';
  if (env['FLATPAK_ID'] !== undefined) return 'flatpak';
  if (env['SNAP'] !== undefined && execPath.startsWith(env['SNAP'])) return 'snap';
  if (!isPackaged) return 'development';
  if (windowsStore) return 'msix';
  if (macAppStore) return 'mac-app-store';
  return env['APPIMAGE'] === undefined ? 'packaged' : 'appimage';
}

/** Of the package that this file is part of. */
export function ownVersion(): string {
  try {
    const manifest = JSON.parse(readFileSync(ownFile('manifest'), 'utf8')) as {
      version?: unknown;
    };
    return typeof manifest.version === 'string' ? manifest.version : 'unknown';
  } catch {
    return 'unknown';
  }
}
