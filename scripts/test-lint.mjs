// @ts-check
// Lints what may be judged otherwise than by the last run: each file whose text, or the text of
// anything that it imports, has changed. Rules that know types look into the imports, which ESLint's
// own cache forgets. Only a run without a finding is remembered; `npm run check` and CI remember
// nothing.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runMain } from './shared/say.mjs';

const ESLINT = 'node_modules/eslint/bin/eslint.js';
const CACHE = 'node_modules/.cache/latchkey/lint.json';
const LINTED = /\.[cm]?[jt]s$/;
/** They decide how every file is judged. */
const COMMON = /^(eslint\.config\.js|package(-lock)?\.json|tsconfig.*\.json)$/;
/** What such a file declares, others see without an import. */
const AMBIENT = /declare\s+(global|module)|\/\/\/\s*<reference/;
const MODULE = /^\s*(import|export)\b/m;
const SPECIFIER = /\b(?:from|import|require)\s*\(?\s*['"](\.[^'"]+)['"]/g;

/**
 * @param {ReadonlyMap<string, string>} texts by path from the root, with slashes
 * @returns {Map<string, string>} for each file that is linted, a digest of all that its judgement
 *   follows from
 */
export function lintKeys(texts) {
  /** @type {Map<string, { own: string, imports: readonly string[] }>} */
  const files = new Map();
  for (const [path, text] of texts) {
    const specifiers = [...text.matchAll(SPECIFIER)].map(([, specifier = '']) => specifier);
    const imports = specifiers.flatMap((specifier) => candidates(path, specifier));
    files.set(path, { own: digest(text), imports: imports.filter((one) => texts.has(one)) });
  }
  const common = [...texts].filter(
    ([path, text]) =>
      COMMON.test(path) || (LINTED.test(path) && (AMBIENT.test(text) || !MODULE.test(text))),
  );
  const always = common.map(([path, text]) => `${path} ${digest(text)}`);

  /** @param {string} start */
  const key = (start) => {
    const reached = new Set([start]);
    for (const path of reached)
      for (const next of files.get(path)?.imports ?? []) reached.add(next);
    const parts = [...reached].map((path) => `${path} ${files.get(path)?.own ?? ''}`);
    return digest([process.version, ...always, ...parts].sort().join('\n'));
  };
  return new Map([...texts.keys()].filter((path) => LINTED.test(path)).map((p) => [p, key(p)]));
}

/**
 * Every file that the compiler may find there.
 * @param {string} importer
 * @param {string} specifier
 */
function candidates(importer, specifier) {
  const path = posix.join(posix.dirname(importer), specifier);
  const bare = path.replace(/\.([cm]?)js$/, '');
  const [, kind = ''] = /\.([cm]?)js$/.exec(path) ?? [];
  return [path, `${bare}.${kind}ts`, `${bare}.d.${kind}ts`];
}

/** @param {string} text */
function digest(text) {
  return createHash('sha256').update(text).digest('base64url');
}

/** @returns {Map<string, string> | null} null: git does not tell what there is */
function readTexts() {
  const { status, stdout } = spawnSync('git', ['ls-files', '-coz', '--exclude-standard'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) return null;
  const paths = new Set(stdout.split('\0').filter((path) => /\.([cm]?[jt]s|json)$/.test(path)));
  return new Map(
    [...paths].filter((path) => existsSync(path)).map((p) => [p, readFileSync(p, 'utf8')]),
  );
}

/** @returns {Record<string, unknown>} */
function readKnown() {
  try {
    const known = /** @type {unknown} */ (JSON.parse(readFileSync(CACHE, 'utf8')));
    return { .../** @type {object} */ (known) };
  } catch {
    return {};
  }
}

async function main() {
  const texts = process.env['CI'] === 'true' ? null : readTexts();
  const keys = texts === null ? null : lintKeys(texts);
  const known = readKnown();
  const changed = [...(keys ?? [])].filter(([path, key]) => known[path] !== key);
  if (keys !== null && changed.length === 0) return 0;
  const paths = keys === null ? ['.'] : changed.map(([path]) => path);
  const { status, stdout } = spawnSync(
    process.execPath,
    [ESLINT, '--no-warn-ignored', '--', ...paths],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 26 },
  );
  process.stdout.write(stdout);
  if (status === 0 && stdout === '' && keys !== null) {
    mkdirSync(dirname(CACHE), { recursive: true });
    writeFileSync(CACHE, JSON.stringify(Object.fromEntries(keys)));
  }
  return status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) runMain(main);
