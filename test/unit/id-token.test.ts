// The checks of an ID token that the OAuth engine leaves to us: azp, iat, at_hash, and who is meant by a renewed one.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../src/main/core/errors.js';
import { assertRemainingClaims, personIn } from '../../src/main/core/id-token.js';
import { LIMITS } from '../../src/main/core/limits.js';

const NOW_MS = Date.UTC(2026, 0, 1);
const NOW = NOW_MS / 1000;
const ACCESS_TOKEN = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y';
const expected = { clientId: 'me', accessToken: ACCESS_TOKEN, nowMs: NOW_MS };

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (header: unknown, claims: unknown): string => `${part(header)}.${part(claims)}.signature`;
const hash = (digest: string, token = ACCESS_TOKEN): string => {
  const bytes = createHash(digest).update(token).digest();
  return bytes.subarray(0, bytes.length / 2).toString('base64url');
};

async function verdict(claims: Record<string, unknown>, alg = 'RS256'): Promise<string> {
  try {
    await assertRemainingClaims(jwt({ alg }, claims), claims, expected);
    return 'valid';
  } catch (error) {
    return error instanceof AuthError ? `${error.code}: ${error.message}` : 'thrown';
  }
}

describe('azp', () => {
  it.each([[undefined, 'valid'], ['me', 'valid'], ['other', 'azp'], ['', 'azp'], [['me'], 'azp'], [null, 'azp']])('of %j is %s', async (azp, expectedVerdict) => {
    expect(await verdict({ iat: NOW, ...(azp === undefined ? {} : { azp }) })).toContain(expectedVerdict);
  });
});

describe('iat', () => {
  it.each([[NOW, 'valid'], [NOW - 86_400, 'valid'], [NOW + LIMITS.clockToleranceSeconds, 'valid'], [NOW + LIMITS.clockToleranceSeconds + 1, 'future'], [NOW_MS, 'future'], [undefined, 'future'], [`${NOW}`, 'future']])('of %j is %s', async (iat, expectedVerdict) => {
    expect(await verdict({ iat })).toContain(expectedVerdict);
  });
});

describe('at_hash', () => {
  it.each([
    ['RS256', 'sha256'], ['PS256', 'sha256'], ['ES256', 'sha256'], ['RS384', 'sha384'], ['ES384', 'sha384'], ['PS512', 'sha512'], ['ES512', 'sha512'], ['EdDSA', 'sha512'], ['Ed25519', 'sha512'],
  ])('with %s is half of %s', async (alg, digest) => {
    expect(await verdict({ iat: NOW, at_hash: hash(digest) }, alg)).toBe('valid');
    expect(await verdict({ iat: NOW, at_hash: hash(digest, 'another token') }, alg)).toContain('at_hash');
  });

  it('is not checked against the digest of another algorithm', async () => {
    expect(await verdict({ iat: NOW, at_hash: hash('sha256') }, 'ES384')).toContain('at_hash');
  });

  it('equals the example of OpenID Connect Core A.3', async () => {
    expect(await verdict({ iat: NOW, at_hash: '77QmUPtjPfzWtF2AnpK9RQ' })).toBe('valid');
  });

  it.each([[''], [7], [null], [[]]])('of %j is refused', async (atHash) => {
    expect(await verdict({ iat: NOW, at_hash: atHash })).toContain('id-token-invalid');
  });

  it('may be absent', async () => {
    expect(await verdict({ iat: NOW })).toBe('valid');
  });
});

describe('an ID token that comes with a renewal', () => {
  const who = { issuer: 'https://id.example', subject: 'ada' };
  const says = (token: unknown): string => personIn(token, who);

  it('is of the same person, however old it is', () => {
    expect(says(jwt({ alg: 'RS256' }, { iss: who.issuer, sub: who.subject, exp: 1 }))).toBe('same');
  });

  it.each([
    ['another subject', { iss: 'https://id.example', sub: 'eve' }], ['another issuer', { iss: 'https://evil.example', sub: 'ada' }],
    ['an issuer with a slash more', { iss: 'https://id.example/', sub: 'ada' }], ['no subject', { iss: 'https://id.example' }], ['no claims', 'ada'],
  ])('is of another person with %s', (_what, claims) => {
    expect(says(jwt({ alg: 'RS256' }, claims))).toBe('another');
  });

  it('reads names beyond ASCII', () => {
    expect(says(jwt({ alg: 'RS256' }, { iss: who.issuer, sub: who.subject, name: 'Ada ✓ 山' }))).toBe('same');
  });

  it.each([[undefined], [null], [7], [{}]])('that is %j says nothing', (token) => {
    expect(says(token)).toBe('unsaid');
  });

  it('that cannot be read is nobody\'s, and never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (token) => {
      expect(says(token)).toBe('another');
      expect(says(`a.${token}.c`)).toBe('another');
    }));
  });
});
