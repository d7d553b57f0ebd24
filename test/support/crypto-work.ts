// WebCrypto works on other threads: an event loop that stands still does not mean that it is done.
// A test that lets virtual time pass asks here first whether something is still under way.
const METHODS = ['importKey', 'exportKey', 'generateKey', 'sign', 'verify', 'digest'] as const;

const { subtle } = globalThis.crypto;
let underWay = 0;

for (const name of METHODS) {
  const work = subtle[name].bind(subtle) as (...args: unknown[]) => Promise<unknown>;
  const value = async (...args: unknown[]): Promise<unknown> => {
    underWay += 1;
    try {
      return await work(...args);
    } finally {
      underWay -= 1;
    }
  };
  Object.defineProperty(subtle, name, { configurable: true, writable: true, value });
}

/**
 * True while a signature is checked, a key is read, or a digest is made, anywhere in this file's
 * tests.
 */
export function isCryptoUnderWay(): boolean {
  return underWay > 0;
}
