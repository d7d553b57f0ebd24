// The option "migrateFrom": what a host may name, and what its "read" may answer.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { parseLegacySession } from '../../../src/main/core/migration/legacy-session.js';
import { parseOptions } from '../../../src/main/core/options/options.js';
import type { AuthOptions, GivenOptions } from '../../../src/main/core/options/auth-options.js';

const read = (): null => null;
const load = async (): Promise<null> => null;
const GOOD: AuthOptions = {
  issuer: 'https://id.example',
  clientId: 'me',
  redirects: ['com.example.app:/callback'],
};
const parse = (takeOver: unknown, more: Partial<GivenOptions> = {}): unknown =>
  parseOptions({ ...GOOD, ...more, migrateFrom: takeOver as AuthOptions['migrateFrom'] & {} })
    .migrateFrom;

describe('the option "migrateFrom"', () => {
  it('is empty when it is not given', () => {
    expect(parseOptions(GOOD).migrateFrom).toEqual([]);
  });

  it('takes entries of keytar, whatever their names, and functions of the host', () => {
    const remove = async (): Promise<void> => {};
    expect(
      parse([
        { service: 'Ärger & Söhne', account: '漢字', read },
        { load, read, keep: true },
        { load, remove, read },
      ]),
    ).toEqual([
      { service: 'Ärger & Söhne', account: '漢字', read, keep: false },
      { load, read, keep: true },
      { load, remove, read, keep: false },
    ]);
  });

  it.each<[string, unknown, RegExp]>([
    ['an object', {}, /option "migrateFrom" must be a list of at most 16 entries/],
    [
      'too many',
      Array.from({ length: 17 }, () => ({ load, read })),
      /option "migrateFrom" must be a list of at most 16/,
    ],
    ['a text', ['hunter2'], /option "migrateFrom\[0\]" must be an object/],
    [
      'an unknown member',
      [{ service: 's', account: 'a', read, password: 'hunter2' }],
      /unknown option "password" in "migrateFrom\[0\]"/,
    ],
    [
      'no service',
      [{ account: 'hunter2', read }],
      /option "migrateFrom\[0\].service" must be a text/,
    ],
    [
      'an empty account',
      [
        { load, read },
        { service: 'hunter2', account: '', read },
      ],
      /option "migrateFrom\[1\].account" must be a text/,
    ],
    [
      'NUL, which keytar cuts at',
      [{ service: 'hunter2\0', account: 'a', read }],
      /option "migrateFrom\[0\].service" must be a text/,
    ],
    [
      'no read',
      [{ service: 'hunter2', account: 'a' }],
      /option "migrateFrom\[0\].read" must be a function/,
    ],
    [
      'a read that is none',
      [{ service: 'hunter2', account: 'a', read: 'x' }],
      /option "migrateFrom\[0\].read" must be a function/,
    ],
    [
      'both ways',
      [{ service: 'hunter2', account: 'a', load, read }],
      /option "migrateFrom\[0\].load" must be given without "service" and "account"/,
    ],
    [
      'remove for an entry of keytar',
      [{ service: 'hunter2', account: 'a', remove: load, read }],
      /option "migrateFrom\[0\].remove" must be given with "load" only/,
    ],
    [
      'load that is no function',
      [{ load: 'hunter2', read }],
      /option "migrateFrom\[0\].load" must be a function/,
    ],
    [
      'keep that is a text',
      [{ load, read, keep: 'hunter2' }],
      /option "migrateFrom\[0\].keep" must be true or false/,
    ],
  ])('refuses %s', (_what, value, expected) => {
    const refusal = ((): unknown => {
      try {
        parse(value);
        return null;
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(AuthError);
    expect((refusal as AuthError).message).toMatch(expected);
    expect((refusal as AuthError).message).not.toContain('hunter2');
  });

  it('refuses to take over what it would keep in memory only', () => {
    expect(() => parse([{ load, read }], { secretStore: 'memory' })).toThrow(
      /option "migrateFrom" must be left out if "secretStore" is "memory"/,
    );
    expect(parse([], { secretStore: 'memory' })).toEqual([]);
  });
});

describe('what "read" answers', () => {
  it('is a session with a refresh token, and perhaps more', () => {
    expect(parseLegacySession({ refreshToken: 'a b~!', odd: 1 })).toEqual({
      refreshToken: 'a b~!',
    });
    expect(parseLegacySession({ refreshToken: 'r', subject: 's', scope: 'a b' })).toEqual({
      refreshToken: 'r',
      subject: 's',
      scope: 'a b',
    });
  });

  it.each([
    [null],
    [undefined],
    ['r'],
    [{}],
    [{ refreshToken: '' }],
    [{ refreshToken: 7 }],
    [{ refreshToken: 'a\nb' }],
    [{ refreshToken: 'ä' }],
    [{ refreshToken: 'x'.repeat(16_385) }],
    [{ refreshToken: 'r', subject: 7 }],
    [{ refreshToken: 'r', scope: '' }],
  ])('is none: %j', (value) => {
    expect(parseLegacySession(value)).toBeNull();
  });

  it('is never anything else, and nothing throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const session = parseLegacySession(value);
        if (session !== null) expect(session.refreshToken).toMatch(/^[\x20-\x7e]+$/);
      }),
    );
  });
});
