// @ts-check
// latchkey/testing as it was built, with the types of its source: dist/ need not be there when types are checked.

/** @returns {Promise<typeof import('../src/testing/index.js')>} */
export async function testKit() {
  const built = new URL('../dist/testing/index.js', import.meta.url).href;
  return /** @type {Promise<typeof import('../src/testing/index.js')>} */ (import(built));
}
