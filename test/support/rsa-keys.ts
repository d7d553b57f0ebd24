// RSA keys for the providers of a flow run. One takes a processor a quarter of a second to make, and
// a run would need hundreds: so a few are made once, and each process hands them out in turn. No
// key comes back before all others, so a rotation always brings another one.
// The providers of test/contract and test/e2e make their own.
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    readonly rsaKeys: readonly JsonWebKey[];
  }
}

/** More than any test has at a time. */
const COUNT = 8;

/** The four flow projects of a run share them. */
let keys: Promise<readonly JsonWebKey[]> | undefined;

export default async function setup(project: TestProject): Promise<void> {
  keys ??= Promise.all(Array.from({ length: COUNT }, makeKey));
  project.provide('rsaKeys', await keys);
}

async function makeKey(): Promise<JsonWebKey> {
  const { subtle } = globalThis.crypto;
  const { privateKey } = await subtle.generateKey(
    {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256',
    },
    true,
    ['sign', 'verify'],
  );
  return subtle.exportKey('jwk', privateKey);
}
