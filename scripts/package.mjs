// @ts-check
// `npm run package [-- targets]`: packages the demo app with electron-builder.yml into release/. Without targets: a
// folder that runs (`dir`). Uses the Electron that resolveElectron() finds, so that nothing is downloaded.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT_FOLDER } from './app-process.mjs';
import { build } from './build.mjs';
import { resolveElectron } from './electron.mjs';
import { runMain, say } from './say.mjs';
import { ensureSystemPackages } from './system-packages.mjs';

/** @typedef {{ executable: string, folder: string }} PackagedApp only for the target `dir` on Linux is `executable` known */

/**
 * @param {readonly string[]} targets names of electron-builder's targets for this platform
 * @param {string} [output] default: release/
 * @returns {Promise<PackagedApp>}
 */
export async function packageApp(targets, output = join(ROOT_FOLDER, 'release')) {
  await ensureSystemPackages(['unpack', 'electron']);
  const electron = await resolveElectron();
  await build({ ifNeeded: true });
  rmSync(output, { recursive: true, force: true });
  // Its downloads need a network; Debian's archiver does as well where it is there.
  if (existsSync('/usr/bin/7zz')) process.env['ELECTRON_BUILDER_7ZIP_PATH'] ??= '/usr/bin/7zz';
  const { Platform, build: electronBuild } = await import('electron-builder');
  await electronBuild({
    projectDir: ROOT_FOLDER,
    publish: 'never',
    targets: Platform.current().createTarget(targets.length > 0 ? [...targets] : ['dir']),
    config: {
      extends: join(ROOT_FOLDER, 'electron-builder.yml'),
      electronDist: electron.folder,
      electronVersion: electron.version,
      directories: { output },
    },
  });
  const folder = join(output, 'linux-unpacked');
  return { folder, executable: join(folder, 'latchkey-demo') };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  runMain(async () => {
    const startedAt = Date.now();
    await packageApp(process.argv.slice(2));
    say(`packaged into release/ in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
    return 0;
  });
}
