// @ts-check
// How one layer of tests is run: streamed, under a time limit that ends all it started, and counted
// from the runner's own JSON report. A runner that fails without a failed test counts as one
// failure.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closed } from './shared/processes.mjs';
import { testsOfPlaywright, testsOfVitest } from './test-summary.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** @typedef {import('./test-summary.mjs').Test} Test */
/** @typedef {Counts & { seconds: number, note: string, said?: string }} LayerResult */
/** @typedef {{ passed: number, failed: number, skipped: number, tests?: Test[] }} Counts */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Ends the layers that run now and all that they started. */
export function stopRunning() {
  for (const child of running) end(child);
}

/** @param {import('node:child_process').ChildProcess} child */
function end(child) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // it has just ended
  }
}

/**
 * A check that passes or fails as a whole. Keeps its output, because it may run beside a layer.
 * @param {readonly string[]} args of node
 * @param {number} limitSeconds
 * @returns {Promise<LayerResult>}
 */
export async function runCheck(args, limitSeconds) {
  let said = '';
  const { code, seconds, note } = await run(args, limitSeconds, process.env, {
    hear: (text) => {
      said += text;
    },
  });
  return {
    passed: code === 0 ? 1 : 0,
    failed: code === 0 ? 0 : 1,
    skipped: 0,
    seconds,
    note,
    said,
  };
}

/**
 * @param {string} project
 * @param {readonly string[]} extra
 * @param {number} limitSeconds
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<LayerResult>}
 */
export function runVitest(project, extra, limitSeconds, env) {
  return withReport(
    async (report) => {
      const args = [
        'node_modules/vitest/vitest.mjs',
        'run',
        '--project',
        project,
        // One fewer is the default, but Vitest's own process only waits while they run.
        `--maxWorkers=${availableParallelism()}`,
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
        ...extra,
      ];
      return run(args, limitSeconds, env);
    },
    (json) => ({
      passed: number(json['numPassedTests']),
      failed: number(json['numFailedTests']),
      skipped: number(json['numPendingTests']) + number(json['numTodoTests']),
      tests: testsOfVitest(json),
    }),
  );
}

/**
 * @param {readonly string[]} extra
 * @param {number} limitSeconds
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<LayerResult>}
 */
export function runPlaywright(extra, limitSeconds, env) {
  return withReport(
    async (report) => {
      const args = [
        'node_modules/@playwright/test/cli.js',
        'test',
        '--reporter=list,json',
        '--pass-with-no-tests',
        ...extra,
      ];
      return run(
        args,
        limitSeconds,
        { ...env, PLAYWRIGHT_JSON_OUTPUT_FILE: report, PLAYWRIGHT_JSON_OUTPUT_NAME: report },
        { contained: true },
      );
    },
    (json) => {
      const stats = /** @type {Record<string, unknown>} */ (json['stats'] ?? {});
      return {
        passed: number(stats['expected']),
        failed: number(stats['unexpected']) + number(stats['flaky']),
        skipped: number(stats['skipped']),
        tests: testsOfPlaywright(json),
      };
    },
  );
}

/**
 * @param {(report: string) => Promise<{ code: number | null, seconds: number, note: string }>}
 *   start
 * @param {(json: Record<string, unknown>) => Counts} count
 * @returns {Promise<LayerResult>}
 */
async function withReport(start, count) {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-report-'));
  const report = join(folder, 'report.json');
  try {
    const { code, seconds, note } = await start(report);
    /** @type {Counts} */
    let counts = { passed: 0, failed: 0, skipped: 0 };
    try {
      const json = /** @type {unknown} */ (JSON.parse(readFileSync(report, 'utf8')));
      counts = count(/** @type {Record<string, unknown>} */ (json));
    } catch {
      // no report: the runner died, as its exit code shows
    }
    if (code !== 0 && counts.failed === 0)
      return { ...counts, failed: 1, seconds, note: note || 'the run itself failed' };
    return { ...counts, seconds, note };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {readonly string[]} args of node
 * @param {number} limitSeconds
 * @param {NodeJS.ProcessEnv} env
 * @param {{ contained?: boolean, hear?: (text: string) => void }} [how] `contained`: in a process
 *   namespace of its own, where the system lets us. `hear`: gets what it writes, which else goes
 *   straight on.
 */
async function run(args, limitSeconds, env, { contained = false, hear } = {}) {
  const startedAt = Date.now();
  const command = [process.execPath, ...args];
  const [program = '', ...rest] = contained && canContain() ? [...CONTAINER, ...command] : command;
  const output = hear === undefined ? 'inherit' : 'pipe';
  const child = spawn(program, rest, {
    cwd: ROOT,
    env,
    stdio: ['ignore', output, output],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (/** @type {string} */ text) => hear?.(text));
  running.add(child);
  let note = '';
  const timer = setTimeout(() => {
    note = `ended after its limit of ${limitSeconds} s`;
    process.stdout.write(`${note}\n`);
    end(child);
  }, limitSeconds * 1000);
  const code = await closed(child);
  clearTimeout(timer);
  running.delete(child);
  return { code, seconds: (Date.now() - startedAt) / 1000, note };
}

/** All processes started inside end with it; the shell is there to collect orphans. */
const CONTAINER = [
  'unshare',
  '--pid',
  '--fork',
  '--mount-proc',
  '--kill-child=KILL',
  '--',
  'sh',
  '-c',
  '"$@"; exit $?',
  'sh',
];

function canContain() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  return (
    spawnSync('unshare', ['--pid', '--fork', '--mount-proc', '--kill-child=KILL', '--', 'true'])
      .status === 0
  );
}

/** @param {unknown} value */
function number(value) {
  return typeof value === 'number' ? value : 0;
}
