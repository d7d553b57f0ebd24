// @ts-check Looks for the system's programs and libraries that a task needs. As root on Debian and
// Ubuntu, installs what is missing; otherwise prints the one command to run. On other systems it
// changes nothing and says what is missing.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { closed, which } from './processes.mjs';
import { Stop, runMain, say } from './say.mjs';

const INSTALL_LIMIT_SECONDS = 900;

/**
 * `packages`: the first name that this system's apt knows is taken (names differ between releases).
 * @typedef {{ what: string, packages: readonly string[], present: () => boolean }} Need
 */

/** @type {Record<string, readonly Need[]>} */
const GROUPS = {
  unpack: [program('unzip', 'unzip')],
  electron: [
    library('libgtk-3.so.0', 'libgtk-3-0t64', 'libgtk-3-0'),
    library('libnss3.so', 'libnss3'),
    library('libasound.so.2', 'libasound2t64', 'libasound2'),
    library('libgbm.so.1', 'libgbm1'),
    library('libXss.so.1', 'libxss1'),
    library('libatk-bridge-2.0.so.0', 'libatk-bridge2.0-0t64', 'libatk-bridge2.0-0'),
    library('libsecret-1.so.0', 'libsecret-1-0'),
    program('xdg-mime', 'xdg-utils'),
    program('update-desktop-database', 'desktop-file-utils'),
  ],
  display: [
    program('Xvfb', 'xvfb'),
    { what: 'a font', packages: ['fonts-dejavu-core'], present: () => hasFont('/usr/share/fonts') },
  ],
  desktop: [
    program('dbus-daemon', 'dbus', 'dbus-daemon'),
    program('gnome-keyring-daemon', 'gnome-keyring'),
    { what: 'gcr-prompter', packages: ['gcr', 'gcr4'], present: hasPrompter },
    program('gdbus', 'libglib2.0-bin'),
    program('xdg-open', 'xdg-utils'),
    { what: 'chromium', packages: ['chromium'], present: () => findBrowser() !== null },
  ],
  dialogs: [program('xdotool', 'xdotool')],
  archives: [program('7zz', '7zip')],
  deb: [program('dpkg-deb', 'dpkg')],
  squashfs: [
    program('mksquashfs', 'squashfs-tools'),
    program('desktop-file-validate', 'desktop-file-utils'),
  ],
};

/** @typedef {'unpack' | 'electron' | 'display' | 'desktop' | 'dialogs' | 'archives' | 'deb' | 'squashfs'} PackageGroup */

/**
 * The Chromium (or Chrome) that plays the system browser, or null. LATCHKEY_BROWSER names another.
 */
export function findBrowser() {
  const given = process.env['LATCHKEY_BROWSER'];
  if (given) return given;
  for (const name of ['chromium', 'google-chrome-stable', 'google-chrome', 'chromium-browser']) {
    const path = which(name);
    if (path !== null) return path;
  }
  return null;
}

/**
 * Resolves when everything is there; throws `Stop` with what to do otherwise.
 * @param {readonly PackageGroup[]} groups
 */
export async function ensureSystemPackages(groups) {
  if (process.platform !== 'linux') return;
  const missing = groups.flatMap((group) => GROUPS[group] ?? []).filter((need) => !need.present());
  if (missing.length === 0) return;
  const list = missing.map((need) => need.what).join(', ');
  if (which('apt-get') === null) {
    throw new Stop(
      `Missing on this system: ${list}. Install them with your system's package manager and try again.`,
    );
  }
  const root = process.getuid?.() === 0;
  if (root) {
    say(`installing with apt what is missing (${list}) …`);
    await apt(['update']);
  }
  const names = [
    ...new Set(missing.map((need) => need.packages.find(aptKnows) ?? need.packages.at(-1) ?? '')),
  ];
  if (!root) {
    throw new Stop(
      `Missing on this system: ${list}. Run this line and try again:\n\n` +
        `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(' ')}\n`,
    );
  }
  say(`apt-get install ${names.join(' ')} (may take a minute or two) …`);
  await apt(['install', '-y', '--no-install-recommends', ...names]);
  const still = missing.filter((need) => !need.present());
  if (still.length > 0)
    throw new Stop(
      `Still missing after apt-get install: ${still.map((need) => need.what).join(', ')}`,
    );
  say('system packages are there');
}

/** @param {readonly string[]} args */
async function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const child = spawn('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (/** @type {Buffer} */ chunk) => {
      tail = (tail + chunk.toString()).slice(-3000);
    });
  }
  const startedAt = Date.now();
  const ticker = setInterval(
    () =>
      say(`… still at it (apt-get ${args[0]}, ${Math.round((Date.now() - startedAt) / 1000)} s)`),
    15_000,
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), INSTALL_LIMIT_SECONDS * 1000);
  const code = await closed(child);
  clearInterval(ticker);
  clearTimeout(timer);
  if (code !== 0) throw new Stop(`apt-get ${args[0]} failed:\n${tail}`);
}

/** @param {string} name */
function aptKnows(name) {
  try {
    return /Candidate: (?!\(none\))/.test(
      execFileSync('apt-cache', ['policy', name], {
        encoding: 'utf8',
        env: { ...process.env, LC_ALL: 'C' },
      }),
    );
  } catch {
    return false;
  }
}

/**
 * @param {string} name
 * @param {...string} packages
 * @returns {Need}
 */
function program(name, ...packages) {
  return { what: name, packages, present: () => which(name) !== null };
}

/**
 * @param {string} soname
 * @param {...string} packages
 * @returns {Need}
 */
function library(soname, ...packages) {
  return { what: soname, packages, present: () => loaderKnows(soname) };
}

/** @param {string} soname */
function loaderKnows(soname) {
  try {
    const listed = execFileSync(
      existsSync('/sbin/ldconfig') ? '/sbin/ldconfig' : 'ldconfig',
      ['-p'],
      { encoding: 'utf8' },
    );
    return listed.includes(`\t${soname} `);
  } catch {
    return false;
  }
}

function hasPrompter() {
  return existsSync('/usr/share/dbus-1/services/org.gnome.keyring.SystemPrompter.service');
}

/**
 * @param {string} folder
 * @returns {boolean}
 */
function hasFont(folder) {
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { recursive: true }).some((name) =>
    /\.(ttf|otf|ttc)$/i.test(String(name)),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  runMain(async () => {
    await ensureSystemPackages(['unpack', 'electron', 'display', 'desktop', 'dialogs']);
    say('nothing is missing');
    return 0;
  });
}
