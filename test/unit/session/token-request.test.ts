// What getAccessToken may be asked for.
import { describe, expect, it } from 'vitest';
import {
  type TokenRequest,
  parseTokenRequest,
} from '../../../src/main/core/session/token-request.js';

describe('parseTokenRequest', () => {
  it('takes the token of the sign-in when nothing is said', () => {
    expect([parseTokenRequest(undefined), parseTokenRequest({})]).toEqual([
      { account: null, target: null, refused: null },
      { account: null, target: null, refused: null },
    ]);
  });

  it('makes one target of the same scopes in any order', () => {
    const [first, second] = [
      parseTokenRequest({ scopes: ['b', 'a', 'b'] }),
      parseTokenRequest({ scopes: ['a', 'b'] }),
    ];
    expect(first).toEqual(second);
    expect(first.target).toMatchObject({ resource: null, scope: 'a b' });
  });

  it('tells resource, scopes, and both apart', () => {
    const keys = [
      { resource: 'https://a.example/' },
      { resource: 'https://b.example/' },
      { scopes: ['https://a.example/'] },
      { resource: 'https://a.example/', scopes: ['read'] },
    ].map((request) => parseTokenRequest(request).target?.key);
    expect(new Set(keys).size).toBe(4);
  });

  it.each<[string, unknown]>([
    ['no object', 'token'],
    ['null', null],
    ['an unknown member', { audience: 'x' }],
    ['an account that is no text', { account: 7 }],
    ['an empty account', { account: '' }],
    ['a resource that is no URI', { resource: 'mail' }],
    ['a resource with a fragment', { resource: 'https://a.example/#b' }],
    ['a resource with a blank', { resource: 'https://a.example/ b' }],
    ['a resource that is too long', { resource: `https://a.example/${'x'.repeat(2048)}` }],
    ['no scopes', { scopes: [] }],
    ['a scope with a blank', { scopes: ['a b'] }],
    ['a scope that is no text', { scopes: [1] }],
    ['too many scopes', { scopes: Array.from({ length: 101 }, (_, index) => `s${index}`) }],
    ['a refused token that is no text', { refused: 1 }],
  ])('refuses %s, and repeats no value', (_name, request) => {
    expect(() => parseTokenRequest(request as TokenRequest)).toThrow(
      expect.objectContaining({ code: 'invalid-options' }),
    );
  });
});
