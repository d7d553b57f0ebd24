// @ts-check `npm run package [-- targets]`: packages the demo app with electron-builder.yml into
// release/. Without targets: everything that this system can build without a download from outside
// the registries. Says what is left out, and why. Uses the Electron that resolveElectron() finds,
// Debian's 7zz for archives and dpkg-deb for debs.
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT_FOLDER } from './lab/app-process.mjs';
import { build } from './build.mjs';
import { resolveElectron } from './electron/electron.mjs';
import { which } from './shared/processes.mjs';
import { runMain, say } from './shared/say.mjs';
import { ensureSystemPackages } from './shared/system-packages.mjs';

const CONFIG = join(ROOT_FOLDER, 'electron-builder.yml');
const DEB_BUILDER = fileURLToPath(new URL('./package/deb-by-dpkg.mjs', import.meta.url));
const EXECUTABLE = 'latchkey-demo';

/** @typedef {{ executable: string, folder: string, files: string[] }} PackagedApp `files`: the artifacts. `executable` and `folder` are right on Linux only */
/** @typedef {{ output?: string, quick?: boolean }} PackageOptions `output`: default release/. `quick`: compresses as little as can be, for tests */
/** @typedef {{ build: string[], leave: [target: string, reason: string][] }} Plan */

/**
 * @param {readonly string[]} targets names of electron-builder's targets for this platform
 * @param {PackageOptions} [options]
 * @returns {Promise<PackagedApp>}
 */
export async function packageApp(
  targets,
  { output = join(ROOT_FOLDER, 'release'), quick = false } = {},
) {
  await ensureSystemPackages(['unpack', 'electron', ...groupsFor(targets)]);
  const electron = await resolveElectron();
  await build({ ifNeeded: true });
  rmSync(output, { recursive: true, force: true });
  // Without these electron-builder downloads its own.
  const archiver = which('7zz');
  if (archiver !== null) process.env['ELECTRON_BUILDER_7ZIP_PATH'] ??= archiver;
  // Level 9 takes minutes for a few hundredths less.
  process.env['ELECTRON_BUILDER_COMPRESSION_LEVEL'] ??= '5';
  if (which('dpkg-deb') !== null) process.env['CUSTOM_FPM_PATH'] ??= DEB_BUILDER;
  const { Platform, build: electronBuild } = await import('electron-builder');
  await electronBuild({
    projectDir: ROOT_FOLDER,
    publish: 'never',
    targets: Platform.current().createTarget([...targets]),
    config: {
      extends: CONFIG,
      electronDist: electron.folder,
      electronVersion: electron.version,
      directories: { output },
      ...(quick ? { compression: 'store', deb: { fpm: ['--deb-compression', 'none'] } } : {}),
    },
  });
  const folder = join(output, 'linux-unpacked');
  return { folder, executable: join(folder, EXECUTABLE), files: artifacts(output) };
}

/** @param {readonly string[]} targets */
function groupsFor(targets) {
  /** @type {import('./shared/system-packages.mjs').PackageGroup[]} */
  const groups = [];
  if (targets.includes('deb')) groups.push('deb');
  if (targets.includes('AppImage')) groups.push('squashfs');
  if (targets.some((target) => /^(tar\.|zip$|7z$)/.test(target))) groups.push('archives');
  return groups;
}

/** What is built when nothing is asked for. */
export function planTargets(platform = process.platform, env = process.env) {
  /** @type {Record<'linux' | 'darwin' | 'win32', Plan>} */
  const plans = {
    linux: {
      build: ['dir', 'deb', 'tar.gz', ...(env['APPIMAGE_TOOLS_PATH'] ? ['AppImage'] : [])],
      leave: [
        ...(env['APPIMAGE_TOOLS_PATH']
          ? []
          : [
              /** @type {[string, string]} */ ([
                'AppImage',
                'its runtime is a download of electron-builder from GitHub; ask for it by name, or set APPIMAGE_TOOLS_PATH',
              ]),
            ]),
        ['nsis', 'needs Windows, or wine and a download'],
        ['dmg, zip', 'a signed app for macOS is built on macOS'],
      ],
    },
    darwin: {
      build: ['dmg', 'zip'],
      leave: [['deb, tar.gz, AppImage, nsis', 'built on Linux and Windows']],
    },
    win32: {
      build: ['nsis'],
      leave: [['deb, tar.gz, AppImage, dmg, zip', 'built on Linux and macOS']],
    },
  };
  return plans[platform === 'darwin' || platform === 'win32' ? platform : 'linux'];
}

/** @param {string} output */
function artifacts(output) {
  if (!existsSync(output)) return [];
  return readdirSync(output)
    .filter((name) => /\.(deb|tar\.gz|AppImage|exe|dmg|zip|rpm|snap|flatpak)$/.test(name))
    .map((name) => join(output, name));
}

/** @param {readonly string[]} asked */
async function main(asked) {
  const startedAt = Date.now();
  const plan = asked.length > 0 ? { build: [...asked], leave: [] } : planTargets();
  const { files, folder } = await packageApp(plan.build);
  say(`packaged in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  if (existsSync(folder)) say(`  ${folder}: runs as it is`);
  for (const file of files) say(`  ${file}: ${(statSync(file).size / 1e6).toFixed(0)} MB`);
  for (const [target, reason] of plan.leave) say(`  not built here: ${target}: ${reason}`);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) runMain(() => main(process.argv.slice(2)));
