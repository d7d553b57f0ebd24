// @ts-check
// `npm test`: every layer, each with its time limit, then a table, the slowest and the failed tests,
// and the line "N passed, N failed, N skipped". `npm test -- unit flow` runs only these, `quick` all
// but contract and e2e; further words go to the runner when one layer is chosen (`-- e2e -g
// cancel`). With CI=true a skipped test or a layer without tests fails the run: there, nothing may
// be missing.
import { build } from './build.mjs';
import { resolveElectron } from './electron/electron.mjs';
import { startLab } from './lab/lab.mjs';
import { runMain, say } from './shared/say.mjs';
import { ensureSystemPackages } from './shared/system-packages.mjs';
import { runCheck, runPlaywright, runVitest, stopRunning } from './test-layers.mjs';
import { failedTests, slowestTests } from './test-summary.mjs';

/** @typedef {import('./test-layers.mjs').LayerResult} LayerResult */

/** What the checks found good in earlier runs, by content. `npm ci` removes it. */
const CACHE = 'node_modules/.cache/latchkey';

/** @type {Record<string, (extra: readonly string[]) => Promise<LayerResult>>} */
const LAYERS = {
  types: () =>
    runCheck(
      [
        'node_modules/typescript/bin/tsc',
        '--noEmit',
        '--pretty',
        'false',
        '--incremental',
        '--tsBuildInfoFile',
        `${CACHE}/types.tsbuildinfo`,
      ],
      300,
    ),
  format: () =>
    runCheck(
      [
        'node_modules/prettier/bin/prettier.cjs',
        '--check',
        '--log-level',
        'warn',
        '--cache',
        '--cache-strategy',
        'content',
        '--cache-location',
        `${CACHE}/format.json`,
        '.',
      ],
      300,
    ),
  lint: () => runCheck(['scripts/test-lint.mjs'], 600),
  unit: (extra) => runVitest('unit', extra, 600, process.env),
  contract: runContract,
  flow: (extra) => runVitest('flow*', extra, 900, process.env),
  project: (extra) => runVitest('project', extra, 600, process.env),
  e2e: (extra) => runPlaywright(extra, 2700, process.env),
};
/**
 * One after the other, beside the layers of tests, so that every core is busy: beside contract, whose
 * files run one after the other, or in a run without it from the beginning.
 */
const CHECKS = ['lint', 'types', 'format'];
const QUICK = ['types', 'format', 'lint', 'unit', 'flow', 'project'];
const NEEDS_BUILD = ['project', 'e2e'];
const NEEDS_ELECTRON = ['contract', 'e2e', 'project'];

/** The cases on the genuine keyring and on xdg run on a private desktop.
 * @param {readonly string[]} extra
 */
async function runContract(extra) {
  if (process.platform !== 'linux') return runVitest('contract', extra, 900, process.env);
  const lab = await startLab();
  try {
    return await runVitest('contract', extra, 900, { ...lab.env, LATCHKEY_REAL_PARTS: '1' });
  } finally {
    await lab.stop();
  }
}

/** @param {readonly string[]} words */
async function main(words) {
  const named = words.includes('quick') ? [...words, ...QUICK] : words;
  const chosen = Object.keys(LAYERS).filter((name) => named.includes(name));
  const names = chosen.length > 0 ? chosen : Object.keys(LAYERS);
  const extra = chosen.length === 1 ? words.filter((word) => !(word in LAYERS)) : [];
  const inCi = process.env['CI'] === 'true';

  for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.once(name, () => {
      stopRunning();
      process.exit(130);
    });
  }
  if (names.some((name) => NEEDS_ELECTRON.includes(name))) {
    await ensureSystemPackages([
      'unpack',
      'electron',
      'display',
      'desktop',
      'dialogs',
      ...(names.includes('e2e') ? /** @type {const} */ (['deb', 'squashfs']) : []),
    ]);
    await resolveElectron();
  }
  /** @type {Map<string, LayerResult>} */
  const results = new Map();
  // A build that fails must not hide what the other layers say.
  const built = names.some((name) => NEEDS_BUILD.includes(name))
    ? build().then(
        () => '',
        (/** @type {unknown} */ error) => String(error instanceof Error ? error.message : error),
      )
    : Promise.resolve('');
  /** @type {ReturnType<typeof runChecks> | null} */
  let checks = null;
  const startChecks = () =>
    (checks ??= built.then(() => runChecks(CHECKS.filter((name) => names.includes(name)))));
  if (!names.includes('contract')) void startChecks();
  for (const name of names.filter((one) => !CHECKS.includes(one))) {
    const run = LAYERS[name];
    if (run === undefined) continue;
    const buildError = NEEDS_BUILD.includes(name) ? await built : '';
    process.stdout.write(heading(name));
    if (name === 'contract') void startChecks();
    if (buildError) {
      process.stdout.write(`${buildError}\n`);
      results.set(name, {
        passed: 0,
        failed: 1,
        skipped: 0,
        seconds: 0,
        note: 'not run: the build failed',
      });
      continue;
    }
    const result = await run(extra);
    if ((inCi || extra.length > 0) && result.passed + result.failed === 0) {
      results.set(name, { ...result, failed: 1, note: 'no test ran' });
    } else {
      results.set(name, result);
    }
  }
  for (const [check, checked] of await startChecks()) {
    process.stdout.write(`${heading(check)}${checked.said ?? ''}`);
    results.set(check, checked);
  }
  const leftOut = words.includes('quick')
    ? Object.keys(LAYERS).filter((name) => !names.includes(name))
    : [];
  return report(results, inCi, leftOut);
}

/** @param {readonly string[]} names */
async function runChecks(names) {
  /** @type {[string, LayerResult][]} */
  const results = [];
  for (const name of names) {
    const result = await LAYERS[name]?.([]);
    if (result !== undefined) results.push([name, result]);
  }
  return results;
}

/** @param {string} name */
function heading(name) {
  return `\n── ${name} ${'─'.repeat(60 - name.length)}\n`;
}

/**
 * @param {Map<string, LayerResult>} results
 * @param {boolean} inCi
 * @param {readonly string[]} leftOut layers of which the person must know that they did not run
 */
function report(results, inCi, leftOut) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  process.stdout.write(`\n${'layer'.padEnd(10)} passed  failed  skipped  seconds\n`);
  for (const [name, result] of results) {
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
    const columns = [
      String(result.passed).padStart(6),
      String(result.failed).padStart(7),
      String(result.skipped).padStart(8),
      result.seconds.toFixed(1).padStart(8),
    ];
    process.stdout.write(
      `${name.padEnd(10)} ${columns.join(' ')}${result.note ? `  ${result.note}` : ''}\n`,
    );
  }
  process.stdout.write(slowestTests(results));
  process.stdout.write(failedTests(results));
  if (leftOut.length > 0)
    process.stdout.write(`\nquick left out: ${leftOut.join(', ')}; "npm test" runs them too\n`);
  if (inCi && total.skipped > 0)
    process.stdout.write('\na skipped test fails the run in CI: every real part must be there\n');
  process.stdout.write(
    `\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`,
  );
  return total.failed > 0 || (inCi && total.skipped > 0) ? 1 : 0;
}

runMain(() => {
  say(`npm test: ${Object.keys(LAYERS).join(', ')}`);
  return main(process.argv.slice(2));
});
