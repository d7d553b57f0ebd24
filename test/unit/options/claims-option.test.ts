// The option "claims": names that the view may show, and never one that could hold a secret or turn
// an object into another one.
import { describe, expect, it } from 'vitest';
import type { AuthOptions } from '../../../src/main/core/options/auth-options.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { parseOptions } from '../../../src/main/core/options/options.js';

const GOOD = {
  issuer: 'https://login.example.com',
  clientId: 'notes-desktop',
  redirects: ['http://127.0.0.1/callback'],
};
const names = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `claim-${index}`);

/** Types end where a host writes JavaScript. */
function refusal(claims: unknown): string {
  try {
    parseOptions({ ...GOOD, claims } as AuthOptions);
  } catch (error) {
    if (error instanceof AuthError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('the option "claims"', () => {
  it.each([
    [[]],
    [['roles', 'groups']],
    [['https://notes.example/roles', '_claim_names', 'hasgroups', 'email_verified']],
    [['amr', 'acr', 'auth_time']],
    [['subject', 'expires', 'nonces']],
    [names(32)],
  ])('takes %j as it is, and freezes it', (claims) => {
    const { claims: taken } = parseOptions({ ...GOOD, claims });
    expect(taken).toEqual(claims);
    expect(taken).not.toBe(claims);
    expect(Object.isFrozen(taken)).toBe(true);
  });

  it.each([
    ['no list', 'roles'],
    ['an object with a length', { length: 1, 0: 'roles' }],
    ['null', null],
    ['33 names', names(33)],
    ['a name twice', ['roles', 'groups', 'roles']],
    ['a number', [7]],
    ['an object that reads like a name', [{ toString: () => 'roles' }]],
    ['a gap', ['roles', , 'groups']],
    ['an empty name', ['']],
    ['a name with a line break', ['roles\n']],
    ['a name that is not ASCII', ['r\u00f4les']],
    ['a name of 257 characters', ['x'.repeat(257)]],
  ])('refuses %s', (_what, claims) => {
    expect(refusal(claims)).toBe(
      'invalid-options: option "claims" must be a list of at most 32 claims, each once, none of the protocol',
    );
  });

  it.each(
    'iss sub aud exp nbf iat jti azp nonce sid at_hash c_hash s_hash _claim_sources'.split(' '),
  )('refuses "%s", which belongs to the protocol', (name) => {
    expect(refusal(['roles', name])).toMatch(/^invalid-options: option "claims"/);
  });

  it.each(['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf'])(
    'refuses "%s", which every object has by birth',
    (name) => {
      expect(refusal([name])).toMatch(/^invalid-options: option "claims"/);
    },
  );
});

describe('the option "keepIdToken"', () => {
  it('is off unless it is true, and nothing but true or false', () => {
    expect(parseOptions(GOOD).keepIdToken).toBe(false);
    expect(parseOptions({ ...GOOD, keepIdToken: true }).keepIdToken).toBe(true);
    expect(() => parseOptions({ ...GOOD, keepIdToken: 'yes' } as unknown as AuthOptions)).toThrow(
      'option "keepIdToken" must be true or false',
    );
  });
});
