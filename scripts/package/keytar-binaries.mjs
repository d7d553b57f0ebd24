// @ts-check
// Puts keytar's binaries into dist/keytar/, with their licence and where they come from, byte for
// byte as GitHub publishes them. A host then has no package with a binding.gyp, which packagers
// would compile (ADR 0014). The names are those of electron-builder's macros ${os} and ${arch}, so
// that one line of a host leaves the other systems' out.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Ours, and the folder under keytar's `prebuilds`. Its linux-arm and linuxmusl-arm* hold the code
 * of another processor; Electron itself has no build for musl, nor for Linux on ia32.
 */
export const KEYTAR_BINARIES = Object.freeze({
  'linux-x64.node': 'linux-x64',
  'linux-arm64.node': 'linux-arm64',
  'linux-armv7l.node': 'linux-armv7l',
  'mac-arm64.node': 'darwin-arm64',
  'mac-x64.node': 'darwin-x64',
  'win-arm64.node': 'win32-arm64',
  'win-ia32.node': 'win32-ia32',
  'win-x64.node': 'win32-x64',
});

/**
 * Fills the folder `keytar` inside another one.
 * @param {string} target
 */
export function bringKeytar(target) {
  const from = dirname(createRequire(import.meta.url).resolve('keytar/package.json'));
  const to = join(target, 'keytar');
  mkdirSync(to, { recursive: true });
  for (const [name, prebuild] of Object.entries(KEYTAR_BINARIES))
    cpSync(join(from, 'prebuilds', prebuild, 'keytar.node'), join(to, name));
  cpSync(join(from, 'LICENSE.md'), join(to, 'LICENSE.md'));
  writeFileSync(join(to, 'package.json'), provenance(join(from, 'package.json')));
}

/**
 * What says to a person and to a scanner of packages what this is: no script, no dependency, no
 * entry.
 * @param {string} manifest
 */
function provenance(manifest) {
  /** @type {unknown} */
  const parsed = JSON.parse(readFileSync(manifest, 'utf8'));
  const { name, version, license, repository, homepage } = /** @type {Record<string, unknown>} */ (
    parsed
  );
  return `${JSON.stringify({ name, version, license, repository, homepage }, null, 2)}\n`;
}
