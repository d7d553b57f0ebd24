// @ts-check
// Builds dist/: tsc over src, the modules of latchkey/main bundled, the HTML and CSS beside the
// scripts that go with them, keytar's binaries, and the one package that the demo's page imports.
// Built aside and swapped in whole, so a build that fails leaves the old one. `--if-needed`: only
// when a source is newer.
//
// The bundle: an app that starts reads three small files before its window, and one more while it
// comes up, instead of a hundred. Not minified; no source map is shipped, and names stay. The
// modules themselves stay where they are, for `latchkey doctor`, for types, and for tools of this
// repository.
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { bringKeytar } from './package/keytar-binaries.mjs';
import { closed } from './shared/processes.mjs';
import { Stop, runMain, say } from './shared/say.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
const INPUTS = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package.json'];
const COPIED = /\.(html|css|svg|png|ico)$/;

/** Finds its neighbours by its own place and notices when it was bundled: it must stay a file. */
const OWN_FILES = /(^|\/)package-files\.js$/;

/** What the first file loads at once goes into one more file. */
const START = 'start';

/** And so does what comes with the second one. */
const LATER = 'assembly';

/**
 * @param {{ ifNeeded?: boolean }} [options]
 * @returns {Promise<void>} throws `Stop` with the compiler's errors
 */
export async function build(options = {}) {
  if (options.ifNeeded && isFresh()) return;
  const startedAt = Date.now();
  say('building dist/ …');
  const next = join(ROOT, 'node_modules', '.cache', `latchkey-build-${process.pid}`);
  rmSync(next, { recursive: true, force: true });
  try {
    await compile(next);
    await bundleMain(next);
    await bundleRenderer(next);
    copy(join(ROOT, 'src', 'renderer'), join(next, 'renderer'));
    copy(join(ROOT, 'src', 'testing'), join(next, 'testing'));
    bringPackage(join(next, 'renderer', 'demo'), 'qr.js', 'qr');
    bringKeytar(next);
    writeFileSync(join(next, 'package.json'), demoManifest());
    const old = `${next}-old`;
    if (existsSync(DIST)) renameSync(DIST, old);
    renameSync(next, DIST);
    rmSync(old, { recursive: true, force: true });
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
  say(`built dist/ in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** @param {string} target */
async function compile(target) {
  const tsc = join(
    dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin',
    'tsc',
  );
  const child = spawn(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', target], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let output = '';
  child.stdout.on('data', (/** @type {Buffer} */ chunk) => {
    output += chunk.toString();
  });
  const code = await closed(child);
  process.removeListener('exit', kill);
  if (code !== 0) throw new Stop(`the build failed\n${output}`);
}

/**
 * Replaces `main/index.js` and the keychain's worker in a folder that tsc has filled. Packages and
 * Electron stay outside.
 * @param {string} dist
 */
async function bundleMain(dist) {
  const main = join(dist, 'main');
  /** @type {import('rolldown').OutputOptions} */
  const shape = {
    dir: main,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'parts/[name].js',
    comments: false,
  };
  await withBundle(dist, { index: join(main, 'index.js') }, async (bundle) => {
    // Once to learn what is loaded at once, and once with all of that in one file; the same for
    // what comes after the window.
    const plain = (await bundle.generate(shape)).output;
    const [first, second] = [modulesOf(plain, 'index.js'), modulesOf(plain, `parts/${LATER}.js`)];
    const { output } = await bundle.write({
      ...shape,
      codeSplitting: {
        groups: [
          { name: START, test: (id) => first.has(id) && !id.endsWith(`${sep}index.js`) },
          { name: LATER, test: (id) => second.has(id) && !first.has(id) },
        ],
      },
    });
    for (const part of [START, LATER])
      if (!output.some(({ fileName }) => fileName === `parts/${part}.js`))
        throw new Stop(`the bundle of latchkey/main has no part "${part}"`);
  });
  await withBundle(
    dist,
    { 'adapters/secrets/keychain-worker': join(main, 'adapters', 'secrets', 'keychain-worker.js') },
    (bundle) => bundle.write(shape),
  );
}

/**
 * One file: a page without a bundler may get it by any name.
 * @param {string} dist
 */
async function bundleRenderer(dist) {
  const renderer = join(dist, 'renderer');
  await withBundle(dist, { index: join(renderer, 'index.js') }, (bundle) =>
    bundle.write({ dir: renderer, format: 'esm', entryFileNames: '[name].js', comments: false }),
  );
  for (const kind of ['.js', '.d.ts']) rmSync(join(renderer, `page-fetch${kind}`));
}

/**
 * @param {string} dist
 * @param {Record<string, string>} input
 * @param {(bundle: import('rolldown').RolldownBuild) => Promise<unknown>} run
 */
async function withBundle(dist, input, run) {
  const bundle = await rolldown({
    input,
    cwd: dist,
    platform: 'node',
    external: (id) => OWN_FILES.test(id) || !/^[./\\]|^[A-Za-z]:/.test(id),
  });
  try {
    await run(bundle);
  } finally {
    await bundle.close();
  }
}

/**
 * The modules of a chunk and of all that it imports at its top.
 * @param {readonly (import('rolldown').OutputChunk | import('rolldown').OutputAsset)[]} output
 * @param {string} entry
 */
function modulesOf(output, entry) {
  const chunks = new Map(
    output.flatMap((part) => (part.type === 'chunk' ? [[part.fileName, part]] : [])),
  );
  const names = new Set([entry]);
  /** @type {Set<string>} */
  const modules = new Set();
  for (const name of names) {
    const chunk = chunks.get(name);
    if (chunk === undefined) continue;
    for (const module of chunk.moduleIds) modules.add(module);
    for (const imported of chunk.imports) names.add(imported);
  }
  return modules;
}

/**
 * Only the files that a page or server reads; folders without any are not made.
 * @param {string} from
 * @param {string} to
 */
function copy(from, to) {
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !COPIED.test(entry.name)) continue;
    const source = join(entry.parentPath, entry.name);
    const target = join(to, source.slice(from.length));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(source, target);
  }
}

/**
 * The demo's page has no bundler, and its policy allows the app's own files only: a package becomes
 * a file beside the script that imports it. It has to be one file without imports, and its first
 * lines say whose it is.
 * @param {string} folder
 * @param {string} importer
 * @param {string} name
 */
function bringPackage(folder, importer, name) {
  const own = `demo-package-${name}.js`;
  const script = join(folder, importer);
  const wanted = `from '${name}'`;
  const parts = readFileSync(script, 'utf8').split(wanted);
  if (parts.length !== 2)
    throw new Stop(`the build failed: ${importer} does not import "${name}" once`);
  writeFileSync(script, parts.join(`from './${own}'`));
  cpSync(createRequire(import.meta.url).resolve(name), join(folder, own));
}

/**
 * dist/ is the demo's app folder; the package itself leads to the login module, and npm would pack
 * whatever its `main` names.
 */
function demoManifest() {
  /** @type {unknown} */
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { name, version, productName, desktopName, type } = /** @type {Record<string, unknown>} */ (
    manifest
  );
  return JSON.stringify({ name, version, productName, desktopName, type, main: 'main/demo.js' });
}

function isFresh() {
  if (!existsSync(DIST)) return false;
  return newest(INPUTS.map((name) => join(ROOT, name))) < statSync(DIST).mtimeMs;
}

/**
 * @param {readonly string[]} paths
 * @returns {number} the latest change; a folder's own time tells of removed files
 */
function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    if (!existsSync(path)) continue;
    const status = statSync(path);
    latest = Math.max(latest, status.mtimeMs);
    if (status.isDirectory())
      latest = Math.max(latest, newest(readdirSync(path).map((name) => join(path, name))));
  }
  return latest;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  runMain(async () => {
    await build({ ifNeeded: process.argv.includes('--if-needed') });
    return 0;
  });
}
