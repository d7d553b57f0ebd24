// @ts-check
// The examples, as a person would get them going: their shared install from its lock file, Latchkey
// from a packed tarball (never from the sources), then each one's own build. `node
// scripts/examples.mjs` does it for all of them.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT_FOLDER } from './lab/app-process.mjs';
import { build } from './build.mjs';
import { closed } from './shared/processes.mjs';
import { Stop, runMain, say } from './shared/say.mjs';

export const EXAMPLES_FOLDER = join(ROOT_FOLDER, 'examples');
const TARBALL = join(EXAMPLES_FOLDER, 'node_modules', '.latchkey.tgz');
const INSTALLED_MARK = join(EXAMPLES_FOLDER, 'node_modules', '.latchkey-installed');
const NPM_FLAGS = [
  '--no-audit',
  '--no-fund',
  '--ignore-scripts',
  '--prefer-offline',
  '--loglevel=error',
];
const LIMIT_SECONDS = 240;

/** The examples that are apps, each in a folder with a package.json. */
export function exampleNames() {
  return readdirSync(EXAMPLES_FOLDER, { withFileTypes: true })
    .filter(
      (entry) =>
        entry.isDirectory() &&
        existsSync(join(EXAMPLES_FOLDER, entry.name, 'package.json')) &&
        entry.name !== 'node_modules',
    )
    .map((entry) => entry.name);
}

/**
 * Installs what the lock file says, when that has changed, and this Latchkey in any case. Resolves
 * with the tarball.
 */
export async function installExamples() {
  await build({ ifNeeded: true });
  const lock = createHash('sha256')
    .update(readFileSync(join(EXAMPLES_FOLDER, 'package-lock.json')))
    .digest('hex');
  if (!existsSync(INSTALLED_MARK) || readFileSync(INSTALLED_MARK, 'utf8') !== lock) {
    say('installing what the examples are built with …');
    await run('npm', ['ci', ...NPM_FLAGS], EXAMPLES_FOLDER);
    writeFileSync(INSTALLED_MARK, lock);
  }
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-examples-'));
  try {
    // Not by "prepack": that would swap dist/ under whatever runs beside this.
    await run('npm', ['pack', '--pack-destination', folder, ...NPM_FLAGS], ROOT_FOLDER);
    const [name = ''] = readdirSync(folder);
    rmSync(TARBALL, { force: true });
    copyFileSync(join(folder, name), TARBALL);
    rmSync(join(EXAMPLES_FOLDER, 'node_modules', 'latchkey'), { recursive: true, force: true });
    await run('npm', ['install', '--no-save', join(folder, name), ...NPM_FLAGS], EXAMPLES_FOLDER);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return TARBALL;
}

/**
 * Runs the example's own build, if it has one.
 * @param {string} name
 */
export async function buildExample(name) {
  const folder = join(EXAMPLES_FOLDER, name);
  /** @type {unknown} */
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (
    /** @type {{ scripts?: Record<string, string> }} */ (manifest).scripts?.['build'] !== undefined
  )
    await run('npm', ['run', 'build', '--silent'], folder);
}

/**
 * Runs a program in a folder; throws with its output when it fails. Resolves with the end of what
 * it wrote.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} [env]
 */
export async function run(program, args, cwd, env = process.env) {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString()).slice(-4_000);
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_SECONDS * 1000);
  const code = await closed(child);
  clearTimeout(timer);
  if (code !== 0) throw new Stop(`"${program} ${args[0]}" failed in examples\n${output}`);
  return output;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  runMain(async () => {
    await installExamples();
    for (const name of exampleNames()) {
      say(`building ${name} …`);
      await buildExample(name);
    }
    say('built; "npm start" in one of the folders starts it');
    return 0;
  });
}
