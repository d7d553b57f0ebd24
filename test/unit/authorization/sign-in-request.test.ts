// What a page may ask of a sign-in: two members, and nothing that could become another parameter.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { parseSignInRequest } from '../../../src/main/core/authorization/sign-in-request.js';

describe('parseSignInRequest', () => {
  it.each([
    [undefined, {}],
    [null, {}],
    [{}, {}],
    [{ prompt: 'login' }, { prompt: 'login' }],
    [
      { prompt: 'consent', loginHint: 'ada' },
      { prompt: 'consent', loginHint: 'ada' },
    ],
    [{ prompt: undefined, loginHint: undefined }, {}],
    [{ loginHint: 'x'.repeat(320) }, { loginHint: 'x'.repeat(320) }],
  ])('reads %j', (argument, request) => {
    expect(parseSignInRequest(argument)).toEqual(request);
  });

  it.each([
    [7],
    ['login'],
    [[]],
    [true],
    [{ prompt: 'none' }],
    [{ prompt: 'login consent' }],
    [{ prompt: ['login'] }],
    [{ loginHint: 7 }],
    [{ loginHint: 'x'.repeat(321) }],
    [{ loginHint: null }],
    [{ scope: 'admin' }],
    [{ redirect_uri: 'https://evil.example' }],
    [{ prompt: 'login', acr_values: '1' }],
  ])('refuses %j', (argument) => {
    expect(() => parseSignInRequest(argument)).toThrow(AuthError);
  });

  it('throws nothing but invalid-options, and never a value', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.record({ prompt: fc.anything(), loginHint: fc.anything() })),
        (argument) => {
          try {
            for (const value of Object.values(parseSignInRequest(argument)))
              expect(typeof value).toBe('string');
          } catch (error) {
            expect(error instanceof AuthError && error.code).toBe('invalid-options');
          }
        },
      ),
    );
  });
});
