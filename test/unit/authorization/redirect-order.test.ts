// The redirect ladder as a pure order: which entries may be tried, and which failure leaves the
// others a chance.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RedirectKind } from '../../../src/contract.js';
import { ERROR_CODES } from '../../../src/main/core/base/error-codes.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import {
  leavesOtherRedirects,
  nextKind,
  redirectsFrom,
} from '../../../src/main/core/authorization/redirect-order.js';
import { requireRedirects } from '../../../src/main/core/options/redirect-option.js';

const REDIRECTS = requireRedirects([
  'com.example.app:/callback',
  'http://127.0.0.1:8400/cb',
  'http://127.0.0.1:8401/cb',
  'device-code',
  'http://localhost/cb',
  'paste:https://login.example.com/done',
]);
const uris = (position: number, open: readonly RedirectKind[]): readonly string[] =>
  redirectsFrom(REDIRECTS, position, open).map(({ option }) => option.uri);

describe('rungsFrom', () => {
  it('gives the whole list at the start, in its order', () => {
    expect(uris(0, [])).toEqual(REDIRECTS.map(({ uri }) => uri));
  });

  it('goes on behind the entry that is open, and never back', () => {
    expect(uris(1, ['custom-scheme'])).toEqual(REDIRECTS.slice(1).map(({ uri }) => uri));
  });

  it('takes no second port and no other name of this computer for another way', () => {
    expect(uris(2, ['loopback'])).toEqual(['device-code', 'paste:https://login.example.com/done']);
    expect(uris(3, ['custom-scheme', 'loopback'])).toEqual([
      'device-code',
      'paste:https://login.example.com/done',
    ]);
  });

  it('takes a later port when the one before could not be opened', () => {
    expect(uris(2, ['custom-scheme'])[0]).toBe('http://127.0.0.1:8401/cb');
  });

  it('never gives a kind that is open, nor an entry before the position', () => {
    const kinds = fc.subarray<RedirectKind>(['custom-scheme', 'loopback', 'device-code', 'paste']);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), kinds, (position, open) => {
        for (const rung of redirectsFrom(REDIRECTS, position, open))
          expect([
            rung.position >= position,
            open.includes(rung.option.kind),
            REDIRECTS[rung.position],
          ]).toEqual([true, false, rung.option]);
      }),
    );
  });
});

describe('nextKind', () => {
  it.each<[number, readonly RedirectKind[], boolean, RedirectKind | null]>([
    [0, [], true, 'custom-scheme'],
    [1, ['custom-scheme'], true, 'loopback'],
    [2, ['custom-scheme', 'loopback'], true, 'device-code'],
    [2, ['custom-scheme', 'loopback'], false, 'paste'],
    [4, ['custom-scheme', 'loopback', 'device-code'], true, 'paste'],
    [6, ['paste'], true, null],
  ])(
    'from entry %s with %j open, device codes offered: %s, is %s',
    (position, open, offered, expected) => {
      expect(nextKind(REDIRECTS, position, open, offered)).toBe(expected);
    },
  );
});

describe('leavesOtherWays', () => {
  it('says yes to what belongs to one way, and no to what spoils every way', () => {
    const codes = Object.keys(ERROR_CODES) as (keyof typeof ERROR_CODES)[];
    expect(codes.filter((code) => leavesOtherRedirects(new AuthError(code, 'x'))).sort()).toEqual([
      'browser-failed',
      'redirect-unavailable',
      'response-invalid',
      'sign-in-refused',
    ]);
  });
});
