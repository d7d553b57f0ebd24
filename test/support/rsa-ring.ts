// Once in each process of a flow run: a provider that asks for an RSA key gets the next of those
// that rsa-keys.ts made. Everything else is made as ever.
import { inject } from 'vitest';

const { subtle } = globalThis.crypto;
const make = subtle.generateKey.bind(subtle) as (...args: unknown[]) => Promise<unknown>;
const keys = inject('rsaKeys');
let given = 0;

async function generateKey(
  algorithm: RsaHashedKeyGenParams,
  extractable: boolean,
  usages: readonly KeyUsage[],
): Promise<unknown> {
  const key = keys[given % keys.length];
  if (algorithm.name !== 'RSASSA-PKCS1-v1_5' || algorithm.modulusLength !== 2048 || !key)
    return make(algorithm, extractable, usages);
  given += 1;
  const { kty = '', n = '', e = '' } = key;
  const publicJwk = { kty, n, e };
  return {
    privateKey: await subtle.importKey('jwk', key, algorithm, extractable, ['sign']),
    publicKey: await subtle.importKey('jwk', publicJwk, algorithm, true, ['verify']),
  };
}

const NAME = 'generateKeyFromRing';
// A process runs many files, and this file before each.
if (subtle.generateKey.name !== NAME) {
  Object.defineProperty(generateKey, 'name', { value: NAME });
  Object.defineProperty(subtle, 'generateKey', {
    configurable: true,
    writable: true,
    value: generateKey,
  });
}
