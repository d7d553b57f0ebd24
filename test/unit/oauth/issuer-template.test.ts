// One address, many issuers: which issuer metadata, callbacks and ID tokens may name.
import { describe, expect, it } from 'vitest';
import {
  fillsTemplate,
  isIssuerOfTemplate,
} from '../../../src/main/core/options/issuer-template.js';
import { issuerOfIdToken } from '../../../src/main/core/oauth/id-token.js';
import { base64url } from '../../../src/main/core/base/digest.js';

const TENANT = '11111111-2222-3333-4444-555555555555';
const PATTERN = 'https://login.microsoftonline.com/{tenantid}/v2.0';
const FILLED = `https://login.microsoftonline.com/${TENANT}/v2.0`;
const MANY = { pattern: PATTERN, metadata: 'pattern' } as const;
const ONE = { pattern: PATTERN, metadata: 'filled' } as const;

const idToken = (claims: unknown): string =>
  `e30.${base64url(new TextEncoder().encode(JSON.stringify(claims)))}.c2ln`;

describe('isIssuerOfTemplate', () => {
  it.each([
    [MANY, PATTERN, true],
    [MANY, FILLED, false],
    [MANY, 'https://login.microsoftonline.com/common/v2.0', false],
    [ONE, FILLED, true],
    [ONE, PATTERN, false],
    [ONE, 'https://login.microsoftonline.com/contoso.com/v2.0', false],
    [ONE, `https://evil.example/${TENANT}/v2.0`, false],
    [ONE, `${FILLED}/`, false],
    [ONE, `https://login.microsoftonline.com/${TENANT}/x/${TENANT}/v2.0`, false],
    [ONE, '', false],
  ])('of %j and %s is %s', (template, issuer, expected) => {
    expect(isIssuerOfTemplate(template, issuer)).toBe(expected);
  });
});

describe('issuerOfIdToken', () => {
  it('puts the claim tid into the pattern', () => {
    expect(issuerOfIdToken(MANY, idToken({ tid: TENANT, iss: FILLED }))).toBe(FILLED);
  });

  it('takes the tenant from iss where the scope "profile" and with it tid was not asked for', () => {
    expect(issuerOfIdToken(MANY, idToken({ iss: FILLED }))).toBe(FILLED);
  });

  it('answers another issuer than the token names when tid and iss differ, so that the check of iss fails', () => {
    expect(
      issuerOfIdToken(MANY, idToken({ tid: '99999999-2222-3333-4444-555555555555', iss: FILLED })),
    ).not.toBe(FILLED);
  });

  it.each<[string, string]>([
    ['a tid that is no GUID', idToken({ tid: 'contoso.com', iss: FILLED })],
    ['a tid with a path in it', idToken({ tid: `${TENANT}/../evil` })],
    ['a tid that is a number', idToken({ tid: 7 })],
    ['the placeholder itself', idToken({ iss: PATTERN })],
    ['neither tid nor iss', idToken({ sub: 'x' })],
    ['claims that are null', idToken(null)],
    ['what is no JWT', 'a.b'],
  ])('answers null for %s', (_what, token) => {
    expect(issuerOfIdToken(MANY, token)).toBeNull();
  });
});

describe('fillsTemplate', () => {
  it('is true of the pattern with a GUID, and of nothing else', () => {
    expect(
      [FILLED, PATTERN, 'https://login.microsoftonline.com//v2.0', `${FILLED}?x`].map((issuer) =>
        fillsTemplate(MANY, issuer),
      ),
    ).toEqual([true, false, false, false]);
  });
});
