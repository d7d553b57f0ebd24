// @ts-check
// What a run tells at its end, read from the runners' JSON reports: the slowest tests, and each
// failed test with the first line of its error, because CI shows only the tail of the output.

/** @typedef {{ title: string, ms: number, error: string | null }} Test `error`: of a failed one. */
/** @typedef {{ tests?: readonly Test[], failed: number, note: string, said?: string }} Layer */
/** @typedef {Record<string, unknown>} Json */

/**
 * @param {Json} report of Vitest
 * @returns {Test[]}
 */
export function testsOfVitest(report) {
  return list(report['testResults']).flatMap((file) => {
    const name = baseName(file['name']);
    const cases = list(file['assertionResults']).map((one) => ({
      title: `${name} › ${text(one['fullName'])}`,
      ms: Number(one['duration'] ?? 0),
      error: one['status'] === 'failed' ? firstLine(strings(one['failureMessages'])[0]) : null,
    }));
    // A file that breaks outside its tests has a message of its own and no failed test.
    const broken = file['status'] === 'failed' && cases.every((one) => one.error === null);
    return broken ? [...cases, { title: name, ms: 0, error: firstLine(file['message']) }] : cases;
  });
}

/**
 * @param {Json} report of Playwright
 * @returns {Test[]}
 */
export function testsOfPlaywright(report) {
  const outside = list(report['errors']).map((error) => ({
    title: 'outside every test',
    ms: 0,
    error: firstLine(error['message']),
  }));
  return [...outside, ...list(report['suites']).flatMap((suite) => testsOfSuite(suite, []))];
}

/**
 * @param {Json} suite
 * @param {readonly string[]} above
 * @returns {Test[]}
 */
function testsOfSuite(suite, above) {
  const path = [...above, text(suite['title'])];
  const own = list(suite['specs']).flatMap((spec) =>
    list(spec['tests']).map((test) => {
      const results = list(test['results']);
      const failed = test['status'] === 'unexpected' || test['status'] === 'flaky';
      const errors = results.flatMap((result) => list(result['errors']));
      return {
        title: [...path, text(spec['title'])].join(' › '),
        ms: results.reduce((sum, result) => sum + Number(result['duration'] ?? 0), 0),
        error: failed ? firstLine(errors[0]?.['message']) : null,
      };
    }),
  );
  return [...own, ...list(suite['suites']).flatMap((inner) => testsOfSuite(inner, path))];
}

/**
 * @param {ReadonlyMap<string, Layer>} layers
 * @returns {string} empty when no test ran
 */
export function slowestTests(layers, count = 10) {
  const all = [...layers].flatMap(([layer, { tests = [] }]) =>
    tests.map((test) => ({ layer, ...test })),
  );
  const slowest = all.sort((a, b) => b.ms - a.ms).slice(0, count);
  if (slowest.length === 0) return '';
  const lines = slowest.map(
    ({ layer, title, ms }) => `${(ms / 1000).toFixed(1).padStart(6)} s  ${layer}: ${title}\n`,
  );
  return `\nslowest tests\n${lines.join('')}`;
}

/**
 * @param {ReadonlyMap<string, Layer>} layers
 * @returns {string} empty when nothing failed
 */
export function failedTests(layers) {
  const lines = [...layers].flatMap(([layer, { tests = [], failed, note, said }]) => {
    const named = tests.flatMap(({ title, error }) =>
      error === null ? [] : [`${layer}: ${title}\n    ${error}\n`],
    );
    if (named.length > 0 || failed === 0) return named;
    return [`${layer}\n    ${note || firstLine(said)}\n`];
  });
  return lines.length === 0 ? '' : `\nfailed\n${lines.join('')}`;
}

/** @param {unknown} value */
function firstLine(value) {
  const plain = text(value).replace(/\u001b\[[0-9;]*m/g, '');
  const line = plain.split('\n').find((one) => one.trim() !== '');
  return (line ?? 'no message').trim().slice(0, 300);
}

/** @param {unknown} value */
function baseName(value) {
  return text(value).split(/[\\/]/).at(-1) ?? '';
}

/** @param {unknown} value */
function text(value) {
  return typeof value === 'string' ? value : '';
}

/** @param {unknown} value */
function strings(value) {
  const values = /** @type {unknown[]} */ (Array.isArray(value) ? value : []);
  return values.map(text);
}

/**
 * @param {unknown} value
 * @returns {Json[]}
 */
function list(value) {
  if (!Array.isArray(value)) return [];
  const values = /** @type {Json[]} */ (value);
  return values;
}
