// Key sets as servers really publish them: with odd members, with a key twice, with and without
// `kid`. What is not understood is skipped, each key that fits is tried, and no forgery passes.
import { createHmac } from 'node:crypto';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { keysFor, readKeySet } from '../../../src/main/core/oauth/key-set.js';
import { createRequestSecrets } from '../../../src/main/core/oauth/request-secrets.js';
import { type Wire, createWire } from '../../support/wire.js';

const ISSUER = 'https://id.example';
interface Pair {
  readonly privateKey: Parameters<SignJWT['sign']>[0];
  readonly jwk: JWK;
}
let signer: Pair;
let others: readonly Pair[];
let edwards: Pair;
let rsa: Pair;

async function pair(alg: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, jwk: await exportJWK(publicKey) };
}

beforeAll(async () => {
  signer = await pair('ES256');
  others = await Promise.all(Array.from({ length: 20 }, () => pair('ES256')));
  edwards = await pair('EdDSA');
  rsa = await pair('RS256');
});

let wire: Wire;
beforeEach(async () => {
  wire = await createWire({ issuer: ISSUER });
  wire.answer(`${ISSUER}/.well-known/openid-configuration`, () =>
    Response.json({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      jwks_uri: `${ISSUER}/keys`,
    }),
  );
});

interface Signed {
  readonly by?: Pair;
  readonly header?: { readonly alg: string; readonly kid?: string };
  readonly forge?: (input: string) => string;
}

/** Signs in with this key set, and says `resolved` or the message of the refusal. */
async function signIn(
  keySet: string | object,
  { by = signer, header = { alg: 'ES256', kid: 'k' }, forge }: Signed = {},
): Promise<string> {
  wire.answer(`${ISSUER}/keys`, () =>
    typeof keySet === 'string' ? new Response(keySet) : Response.json(keySet),
  );
  const secrets = createRequestSecrets();
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: ISSUER, aud: 'me', sub: 'ada', nonce: secrets.nonce, iat: now };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part(header)}.${part({ ...claims, exp: now + 300 })}`;
  const idToken =
    forge === undefined
      ? await new SignJWT({ ...claims, exp: now + 300 })
          .setProtectedHeader(header)
          .sign(by.privateKey)
      : `${input}.${forge(input)}`;
  wire.answer(`${ISSUER}/token`, () =>
    Response.json({ access_token: 'a', token_type: 'Bearer', id_token: idToken }),
  );
  try {
    await wire.protocol.redeem(
      new URLSearchParams({ code: 'c', state: secrets.state }),
      secrets,
      'com.example.app:/callback',
    );
    return 'resolved';
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    expect(error.code).toBe('id-token-invalid');
    return error.message;
  }
}

const set = (...keys: readonly unknown[]): { readonly keys: readonly unknown[] } => ({ keys });
const right = (more: object = { kid: 'k', alg: 'ES256', use: 'sig' }): object => ({
  ...signer.jwk,
  ...more,
});

describe('a key set', () => {
  it('that lists the same key twice under one kid verifies', async () => {
    expect(await signIn(set(right(), right()))).toBe('resolved');
  });

  it('that lists two different keys under one kid verifies with the one that fits', async () => {
    const [other] = others;
    expect(await signIn(set({ ...other?.jwk, kid: 'k' }, right()))).toBe('resolved');
    expect(await signIn(set(right(), { ...other?.jwk, kid: 'k' }))).toBe('resolved');
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a number', 7],
    ['a text', 'key'],
    ['a list', [1]],
    ['an empty object', {}],
    ['an unknown type', { kty: 'AKP', kid: 'k', alg: 'ML-DSA-44', pub: 'AAAA' }],
    ['a type that objects have by birth', { kty: 'constructor', kid: 'k' }],
    ['a type that is no text', { kty: ['EC'], kid: 'k', crv: 'P-256', x: 'AA', y: 'AA' }],
    ['a symmetric key', { kty: 'oct', kid: 'k', alg: 'HS256', k: 'c2VjcmV0' }],
    ['a key of another curve', { kty: 'EC', kid: 'k', crv: 'secp256k1', x: 'AA', y: 'AA' }],
    ['a key without its numbers', { kty: 'EC', kid: 'k', crv: 'P-256' }],
    ['a key whose numbers are none', { kty: 'EC', kid: 'k', crv: 'P-256', x: 'AA', y: '!' }],
    ['a key for encryption', { kty: 'EC', kid: 'k', use: 'enc', crv: 'P-256', x: 'A', y: 'A' }],
    ['operations that are no list', { kty: 'EC', kid: 'k', key_ops: 7, crv: 'P-256' }],
  ])('with %s beside the right key verifies', async (_what, odd) => {
    expect(await signIn(set(odd, right()))).toBe('resolved');
    expect(await signIn(set(right(), odd))).toBe('resolved');
  });

  it('whose optional members are null verifies, as if they were left out', async () => {
    const nothing = { kid: 'k', alg: null, use: null, key_ops: null, x5c: null };
    expect(await signIn(set(right(nothing)))).toBe('resolved');
  });

  it('whose key brings members of the private key, a prototype or a certificate verifies with its public numbers', async () => {
    const text = JSON.stringify(set(right({ kid: 'k', d: 'AAAA', ext: false, x5c: 7 })));
    expect(await signIn(text.replace('"kty"', '"__proto__":{"kty":"oct"},"kty"'))).toBe('resolved');
  });

  it('without a kid verifies a token that has one', async () => {
    expect(await signIn(set(others[0]?.jwk, right({})))).toBe('resolved');
  });

  it('verifies with the key of its kid, however many keys without one come first', async () => {
    const many = others.slice(0, LIMITS.keysTried).map(({ jwk }) => jwk);
    expect(await signIn(set(...many, right()))).toBe('resolved');
  });

  it('has no key for another curve, none for an algorithm that only objects know, and none without its numbers', () => {
    const keys = readKeySet(set(right({})))!;
    expect(keysFor(keys, { alg: 'ES256' })).toHaveLength(1);
    for (const alg of ['ES384', 'RS256', 'none', 'HS256', 'toString', '__proto__', 'constructor'])
      expect(keysFor(keys, { alg })).toEqual([]);
    const { x, ...incomplete } = signer.jwk;
    expect(readKeySet(set(incomplete, { ...incomplete, x: [x] }))).toEqual([]);
  });

  it('verifies a token without a kid with each key that fits, and no more than 16', async () => {
    const header = { alg: 'ES256' };
    const after = (count: number): object =>
      set(...others.slice(0, count).map(({ jwk }, at) => ({ ...jwk, kid: `${at}` })), right());
    expect(await signIn(after(LIMITS.keysTried - 1), { header })).toBe('resolved');
    expect(await signIn(after(LIMITS.keysTried), { header })).toBe(
      'ID token: the signature does not verify',
    );
  });

  it('of keys for other algorithms leaves the tries to those that fit', async () => {
    const foreign = others.map(({ jwk }) => ({ ...jwk, alg: 'ES384' }));
    const keySet = set(...foreign, ...foreign.map(() => edwards.jwk), rsa.jwk, right());
    expect(await signIn(keySet, { header: { alg: 'ES256' } })).toBe('resolved');
    expect(await signIn(keySet, { by: edwards, header: { alg: 'EdDSA' } })).toBe('resolved');
    expect(await signIn(keySet, { by: rsa, header: { alg: 'RS256' } })).toBe('resolved');
  });

  it('that names its Ed25519 key by the old name or the new one verifies (RFC 9864)', async () => {
    for (const alg of ['EdDSA', 'Ed25519'])
      expect(
        await signIn(set({ ...edwards.jwk, kid: 'k', alg }), {
          by: edwards,
          header: { alg: 'EdDSA', kid: 'k' },
        }),
      ).toBe('resolved');
  });

  it.each<[string, string | object, string]>([
    ['is empty', set(), 'no key of the issuer fits'],
    ['has the key under another kid', { keys: [{ kid: 'other' }] }, 'no key of the issuer fits'],
    ['has no list', { keys: {} }, 'the key set has no list "keys" (RFC 7517 §5)'],
    ['is a list', '[]', 'the key set has no list "keys" (RFC 7517 §5)'],
    ['is no JSON', '<html>', 'the key set has no list "keys" (RFC 7517 §5)'],
  ])('that %s is refused, and the message says so', async (_what, keySet, why) => {
    expect(await signIn(keySet)).toBe(`ID token: ${why}`);
  });

  it('never verifies with a key that is for something else', async () => {
    for (const purpose of [{ use: 'enc' }, { key_ops: ['encrypt'] }, { alg: 'ES384' }, { alg: 7 }])
      expect(await signIn(set(right({ kid: 'k', ...purpose })))).toBe(
        'ID token: no key of the issuer fits',
      );
  });

  it('never verifies with the right key under another kid', async () => {
    expect(await signIn(set(right({ kid: 'other' })))).toBe('ID token: no key of the issuer fits');
  });

  it('that answers with an error status is refused, and the message names the status', async () => {
    wire.answer(`${ISSUER}/keys`, () => Response.json({}, { status: 404 }));
    const answer = wire.answer;
    wire = {
      ...wire,
      answer: (url, run) => (url.endsWith('/keys') ? undefined : answer(url, run)),
    };
    expect(await signIn(set(right()))).toBe('ID token: the key set answered with status 404');
  });
});

describe('a forged token', () => {
  const publicText = (): string => JSON.stringify(signer.jwk);

  it('signed by HS256 with the public key, or with a symmetric key of the set, is refused', async () => {
    const secret = 'c2VjcmV0';
    for (const key of [publicText(), Buffer.from(secret, 'base64url')])
      for (const kid of ['k', undefined])
        expect(
          await signIn(set({ kty: 'oct', kid: 'k', k: secret }, right()), {
            header: kid === undefined ? { alg: 'HS256' } : { alg: 'HS256', kid },
            forge: (input) => createHmac('sha256', key).update(input).digest('base64url'),
          }),
        ).not.toBe('resolved');
  });

  it.each(['none', 'None', 'constructor', 'RS256', 'ES384', 'EdDSA'])(
    'that says %s of a signature by nobody is refused',
    async (alg) => {
      for (const forge of [() => '', () => Buffer.alloc(64).toString('base64url')])
        expect(
          await signIn(set(right({}), rsa.jwk, edwards.jwk), { header: { alg }, forge }),
        ).not.toBe('resolved');
    },
  );

  it('signed by a key that is not in the set is refused', async () => {
    const stranger = others[0];
    if (stranger === undefined) throw new Error('no stranger');
    for (const header of [{ alg: 'ES256' }, { alg: 'ES256', kid: 'k' }])
      expect(await signIn(set(right(), right({})), { by: stranger, header })).toBe(
        'ID token: the signature does not verify',
      );
  });
});

describe('a key set as large as an answer may be', () => {
  const limitMs = 5_000;

  it.each<[string, () => string]>([
    [
      'of one key again and again',
      () => JSON.stringify(set(...Array<object>(4_096).fill(right()))),
    ],
    ['of nulls', () => `{"keys":[${'null,'.repeat(200_000)}${JSON.stringify(right())}]}`],
    [
      'with a number of half a megabyte',
      () =>
        JSON.stringify(set({ kty: 'RSA', kid: 'k', n: 'u'.repeat(500_000), e: 'AQAB' }, right())),
    ],
  ])('%s verifies within seconds', async (_what, text) => {
    const startedAt = performance.now();
    expect(await signIn(text())).toBe('resolved');
    expect(performance.now() - startedAt).toBeLessThan(limitMs);
  });

  it('with RSA numbers of half a megabyte is refused within seconds', async () => {
    const startedAt = performance.now();
    const huge = { kty: 'RSA', kid: 'k', n: 'u'.repeat(500_000), e: 'u'.repeat(500_000) };
    expect(await signIn(set(huge), { by: rsa, header: { alg: 'RS256', kid: 'k' } })).toBe(
      'ID token: the signature does not verify',
    );
    expect(performance.now() - startedAt).toBeLessThan(limitMs);
  });

  it('costs no signature check for a key that stands there before', () => {
    const [other] = others;
    const many = Array<object>(4_096).fill({ ...other?.jwk, kid: 'k' });
    const known = readKeySet(set(...many, right())) ?? [];
    expect(keysFor(known, { alg: 'ES256', kid: 'k' })).toHaveLength(2);
  });
});
