// What a page and a host may ask of a sign-in, and nothing that could become another parameter.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import {
  parseSignInOptions,
  parseSignInRequest,
  withAccount,
} from '../../../src/main/core/authorization/sign-in-request.js';

const MAY = {
  scopes: ['write', 'send'],
  acrValues: ['strong'],
  maxAge: true,
  claims: [{ id_token: { acr: { essential: true, values: ['strong'] }, name: null } }],
};

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
    [{ account: 'a' }],
    [{ open: 'copy' }],
  ])('refuses %j', (argument) => {
    expect(() => parseSignInRequest(argument)).toThrow(AuthError);
  });

  it('throws nothing but invalid-options, and never a value', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.record({ prompt: fc.anything(), loginHint: fc.anything() }),
          fc.record({ scopes: fc.anything(), acrValues: fc.anything() }, { requiredKeys: [] }),
          fc.record({ maxAge: fc.anything(), claims: fc.anything() }, { requiredKeys: [] }),
        ),
        (argument) => {
          try {
            for (const value of Object.values(parseSignInRequest(argument)))
              expect(typeof value).toBe('string');
          } catch (error) {
            expect(error instanceof AuthError && error.code).toMatch(
              /^(?:invalid-options|page-refused)$/,
            );
          }
        },
      ),
    );
  });
});

describe('a page', () => {
  it.each([
    [{ scopes: ['send'], acrValues: ['strong'], maxAge: 0 }],
    [{ scopes: ['write', 'send', 'write'] }],
    [{ claims: { id_token: { name: null, acr: { values: ['strong'], essential: true } } } }],
  ])('gets %j, which the option lists', (argument) => {
    expect(parseSignInRequest(argument, MAY)).toMatchObject(
      'scopes' in argument ? { scopes: [...new Set(argument.scopes)] } : argument,
    );
  });

  it.each<[object, object]>([
    [{ scopes: ['write', 'admin'] }, MAY],
    [{ acrValues: ['strong', 'weak'] }, MAY],
    [{ claims: { id_token: {} } }, MAY],
    [{ claims: { id_token: { acr: { essential: true, values: ['strong'] } } } }, MAY],
    [{ claims: { ...MAY.claims[0], userinfo: { email: null } } }, MAY],
    [{ maxAge: 0 }, { ...MAY, maxAge: false }],
    [{ maxAge: 0 }, {}],
    [{ scopes: ['write'] }, {}],
    [{ acrValues: ['strong'] }, {}],
    [{ claims: MAY.claims[0] }, {}],
  ])('is refused %j when the option is %j', (argument, may) => {
    expect(() => parseSignInRequest(argument, may)).toThrow(
      expect.objectContaining({ code: 'page-refused' }),
    );
  });
});

describe('a host', () => {
  it('may ask for everything, without an option', () => {
    const asked = { scopes: ['a'], acrValues: ['b'], maxAge: 7, claims: { x: 1 }, account: 'c' };
    expect(parseSignInOptions({ ...asked, prompt: 'login', open: 'copy' })).toEqual({
      request: { ...asked, prompt: 'login' },
      opener: 'copy',
    });
  });

  const circle: Record<string, unknown> = {};
  circle['circle'] = circle;
  it.each<[string, object]>([
    ['scopes', { scopes: [] }],
    ['scopes', { scopes: 'a b' }],
    ['scopes', { scopes: ['a b'] }],
    ['scopes', { scopes: Array.from({ length: 101 }, (_, index) => `s${index}`) }],
    ['acrValues', { acrValues: ['"'] }],
    ['acrValues', { acrValues: Array.from({ length: 33 }, (_, index) => `s${index}`) }],
    ['maxAge', { maxAge: -1 }],
    ['maxAge', { maxAge: 1.5 }],
    ['maxAge', { maxAge: '7' }],
    ['maxAge', { maxAge: 1e9 }],
    ['claims', { claims: '{}' }],
    ['claims', { claims: [] }],
    ['claims', { claims: null }],
    ['claims', { claims: circle }],
    ['claims', { claims: { long: 'x'.repeat(8_192) } }],
    ['account', { account: '' }],
    ['account', { account: 7 }],
  ])('is told that "%s" is wrong: case %#', (name, argument) => {
    expect(() => parseSignInOptions(argument)).toThrow(
      expect.objectContaining({
        code: 'invalid-options',
        message: expect.stringContaining(`"${name}"`) as string,
      }),
    );
  });
});

describe('withAccount', () => {
  const account = { id: 'a', issuer: 'https://i.example', subject: '1', email: 'ada@i.example' };
  const alone = (): Parameters<typeof withAccount>[1] => () => ({
    account,
    scope: 'openid read "',
    isAlone: true,
  });

  it('leaves an ordinary sign-in as it is', () => {
    for (const request of [{}, { prompt: 'login' as const }, { loginHint: 'x' }])
      expect(withAccount(request, alone())).toBe(request);
  });

  it('leaves a step-up as it is when nobody is signed in, or the person is to choose', () => {
    const nobody = { maxAge: 0 };
    expect(withAccount(nobody, () => null)).toBe(nobody);
    const choose = { maxAge: 0, prompt: 'select_account' as const };
    expect(withAccount(choose, alone())).toBe(choose);
  });

  it('names the account, keeps what is granted, and gives a hint', () => {
    expect(withAccount({ maxAge: 0 }, alone())).toEqual({
      maxAge: 0,
      account: 'a',
      scopes: ['openid', 'read'],
      loginHint: 'ada@i.example',
    });
    expect(withAccount({ account: 'a', scopes: ['x'], loginHint: 'me' }, alone())).toEqual({
      account: 'a',
      scopes: ['x', 'openid', 'read'],
      loginHint: 'me',
    });
  });

  it('asks for the name again where several are signed in', () => {
    const several: Parameters<typeof withAccount>[1] = () => ({
      account,
      scope: null,
      isAlone: false,
    });
    expect(withAccount({ maxAge: 0 }, several)).toMatchObject({ prompt: 'login' });
    expect(withAccount({ maxAge: 0, prompt: 'consent' }, several).prompt).toBe('consent');
  });
});
