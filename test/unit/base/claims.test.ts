// The claims of the option "claims": picked, cut, copied and frozen, whatever a provider sends.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import {
  NO_CLAIMS,
  claimsNamed,
  pickClaims,
  renewedClaims,
  shownClaims,
} from '../../../src/main/core/base/claims.js';

/** A value that is nested so many levels deep. */
const deep = (levels: number): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 'x');
/** A text claim that takes so many bytes, with name, quotes, colon and comma. */
const long = (bytes: number, name: string): string => 'x'.repeat(bytes - name.length - 6);

describe('what is picked', () => {
  it('is what the names say, in the type of JSON, and nothing else', () => {
    const from = {
      sub: 'u-1',
      roles: ['admin'],
      level: 7,
      vip: false,
      org: { id: 'o-1', units: [{ id: 1 }] },
      empty: '',
      none: [],
    };
    expect(pickClaims(['roles', 'level', 'vip', 'org', 'empty', 'none', 'other'], from)).toEqual({
      claims: {
        roles: ['admin'],
        level: 7,
        vip: false,
        org: { id: 'o-1', units: [{ id: 1 }] },
        empty: '',
        none: [],
      },
      leftOut: [],
    });
  });

  it.each([[null], ['text'], [7], [[]], [undefined], [{ roles: null }], [{ roles: undefined }]])(
    'is nothing in %j',
    (from) => {
      expect(pickClaims(['roles', 'length'], from)).toEqual({
        claims: from instanceof Array ? { length: 0 } : {},
        leftOut: [],
      });
    },
  );

  it('is no member that an object has by birth', () => {
    expect(pickClaims(['toString', 'constructor', '__proto__'], {}).claims).toEqual({});
  });

  it('is a frozen copy, however deep, and not what came', () => {
    const org = { units: [{ id: 1 }] };
    const { claims } = pickClaims(['org'], { org });
    const copy = claims['org'] as typeof org;
    expect(copy).not.toBe(org);
    for (const part of [claims, copy, copy.units, copy.units[0]])
      expect(Object.isFrozen(part)).toBe(true);
    expect(Object.isFrozen(org)).toBe(false);
  });

  it('holds no member that could become the prototype of a copy', () => {
    const from: unknown = JSON.parse(
      '{"org":{"__proto__":{"admin":true},"id":1,"in":[{"__proto__":1}]}}',
    );
    const { claims } = pickClaims(['org'], from);
    expect(JSON.stringify(claims)).toBe('{"org":{"id":1,"in":[{}]}}');
  });

  it('leaves out whole what does not fit any more, and says which', () => {
    const from = {
      groups: long(LIMITS.claimsBytes - 20, 'groups'),
      roles: ['admin', 'editor'],
      vip: true,
    };
    expect(pickClaims(['groups', 'roles', 'vip'], from)).toEqual({
      claims: { groups: from.groups, vip: true },
      leftOut: ['roles'],
    });
    expect(pickClaims(['roles', 'vip', 'groups'], from)).toEqual({
      claims: { roles: ['admin', 'editor'], vip: true },
      leftOut: ['groups'],
    });
  });

  it('fits to the byte, and a character counts with its bytes in UTF-8', () => {
    const fits = long(LIMITS.claimsBytes, 'groups');
    expect(pickClaims(['groups'], { groups: fits }).leftOut).toEqual([]);
    expect(pickClaims(['groups'], { groups: `${fits}x` }).leftOut).toEqual(['groups']);
    expect(pickClaims(['groups'], { groups: `${fits.slice(1)}é` }).leftOut).toEqual(['groups']);
  });

  it('is not nested deeper than a bridge to a page can carry, even by a hundred thousand', () => {
    const { claimLevels } = LIMITS;
    const from = { flat: deep(claimLevels), deep: deep(claimLevels + 1), abyss: deep(100_000) };
    const { claims, leftOut } = pickClaims(['flat', 'deep', 'abyss'], from);
    expect(Object.keys(claims)).toEqual(['flat']);
    expect(leftOut).toEqual(['deep', 'abyss']);
  });

  it('is the same when it is picked again, and never more than the limit, whatever JSON comes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (from) => {
        const names = [...new Set(Object.keys(from))].filter((name) => !(name in {}));
        const { claims } = pickClaims(names, JSON.parse(JSON.stringify(from)));
        expect(pickClaims(names, claims)).toEqual({ claims, leftOut: [] });
        expect(JSON.stringify(claims).length).toBeLessThanOrEqual(LIMITS.claimsBytes + 2);
      }),
    );
  });
});

describe('a newer ID token', () => {
  const before = { idToken: { roles: ['admin'], vip: true }, userinfo: { groups: ['a'] } };

  it('replaces what the last one said: what it does not have is gone', () => {
    expect(renewedClaims(before, { roles: [] })).toEqual({
      idToken: { roles: [] },
      userinfo: { groups: ['a'] },
    });
    expect(renewedClaims(before, {})).toEqual({ idToken: {}, userinfo: { groups: ['a'] } });
  });

  it('wins over userinfo for good: what userinfo said about its names never comes back', () => {
    const after = renewedClaims(before, { groups: ['b'] });
    expect(shownClaims(after)).toEqual({ groups: ['b'] });
    expect(shownClaims(renewedClaims(after, {}))).toEqual({});
  });
});

describe('what a page gets', () => {
  it('is both sources in one frozen object, the ID token first', () => {
    const shown = shownClaims({ idToken: { a: 1 }, userinfo: { a: 2, b: 3 } });
    expect(shown).toEqual({ a: 1, b: 3 });
    expect(Object.isFrozen(shown)).toBe(true);
  });
});

describe('what a record holds', () => {
  it('is only what the option names now', () => {
    const kept = {
      idToken: { roles: ['a'], old: 1 },
      userinfo: { groups: [] },
      more: { roles: 1 },
    };
    expect(claimsNamed(['roles', 'groups'], kept)).toEqual({
      idToken: { roles: ['a'] },
      userinfo: { groups: [] },
    });
  });

  it.each([[undefined], [null], ['x'], [{ idToken: 'x', userinfo: [] }]])(
    'is nothing where it is damaged: %j',
    (kept) => {
      expect(claimsNamed(['roles'], kept)).toEqual({ idToken: NO_CLAIMS, userinfo: NO_CLAIMS });
    },
  );
});
