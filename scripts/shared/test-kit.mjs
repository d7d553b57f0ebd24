// @ts-check
// latchkey/testing as it was built, with the types of its source: dist/ need not be there when
// types are checked.

/** @typedef {typeof import('../../src/testing/index.js')} TestKit */

/** @returns {Promise<TestKit>} */
export async function testKit() {
  const built = /** @type {unknown} */ (
    await import(new URL('../../dist/testing/index.js', import.meta.url).href)
  );
  return /** @type {TestKit} */ (built);
}
