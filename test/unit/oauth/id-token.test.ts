// The checks of an ID token that the OAuth engine leaves to us: azp, iat, at_hash, and who is meant
// by a renewed one.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { assertRemainingClaims, personIn } from '../../../src/main/core/oauth/id-token.js';
import type { SignInDemand } from '../../../src/main/core/options/sign-in-demand.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import type { ArrivalTimes } from '../../../src/main/core/oauth/arrival-times.js';
import {
  type AskedAge,
  askedAge,
  nowByServer,
} from '../../../src/main/core/oauth/id-token-times.js';

const NOW_MS = Date.UTC(2026, 0, 1);
const NOW = NOW_MS / 1000;
const ACCESS_TOKEN = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y';
const right: ArrivalTimes = { computer: [NOW_MS - 200, NOW_MS], server: NOW_MS };

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (header: unknown, claims: unknown): string =>
  `${part(header)}.${part(claims)}.signature`;
const hash = (digest: string, token = ACCESS_TOKEN): string => {
  const bytes = createHash(digest).update(token).digest();
  return bytes.subarray(0, bytes.length / 2).toString('base64url');
};

async function verdict(
  claims: Record<string, unknown>,
  alg = 'RS256',
  times = right,
  asked: AskedAge | null = null,
  demand: SignInDemand = {},
): Promise<string> {
  const whole = { iat: NOW, exp: NOW + 300, ...claims };
  try {
    await assertRemainingClaims(jwt({ alg }, whole), whole, {
      clientId: 'me',
      accessToken: ACCESS_TOKEN,
      times,
      asked,
      demand,
    });
    return 'valid';
  } catch (error) {
    return error instanceof AuthError ? `${error.code}: ${error.message}` : 'thrown';
  }
}

describe('azp', () => {
  it.each([
    [undefined, 'valid'],
    ['me', 'valid'],
    ['other', 'azp'],
    ['', 'azp'],
    [['me'], 'azp'],
    [null, 'azp'],
  ])('of %j is %s', async (azp, expectedVerdict) => {
    expect(await verdict({ iat: NOW, ...(azp === undefined ? {} : { azp }) })).toContain(
      expectedVerdict,
    );
  });
});

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;
/**
 * The clocks as the answer came, in seconds from the truth; `server` null: no `Date` of its own.
 */
const clocks = (
  computer: number | readonly [number, number],
  server: number | null,
): ArrivalTimes => {
  const [asked, answered] = typeof computer === 'number' ? [computer, computer] : computer;
  return {
    computer: [NOW_MS + asked * 1000, NOW_MS + answered * 1000],
    server: server === null ? null : NOW_MS + server * 1000,
  };
};
const OFFSETS = [
  0,
  61,
  -61,
  10 * MINUTE,
  -10 * MINUTE,
  HOUR,
  -HOUR,
  DAY,
  -DAY,
  30 * DAY,
  -30 * DAY,
  20_000 * DAY,
  -20_000 * DAY,
];
const absurd = [Date.parse('1970-01-01'), Date.parse('9999-12-31'), NOW_MS + 9 * DAY * 1000].map(
  (date) => (date - NOW_MS) / 1000,
);

describe('a right ID token', () => {
  it.each(OFFSETS)('is taken on a computer whose clock is %i s off', async (off) => {
    for (const server of [0, -1, null, ...absurd])
      expect(await verdict({ nbf: NOW }, 'RS256', clocks(off, server))).toBe('valid');
  });

  it.each(OFFSETS)(
    'is taken when the clock of the computer jumps by %i s between request and answer',
    async (jump) => {
      for (const server of [0, null])
        for (const from of OFFSETS)
          expect(await verdict({ nbf: NOW }, 'RS256', clocks([from, from + jump], server))).toBe(
            'valid',
          );
    },
  );

  it.each(OFFSETS)(
    'is taken with a Date that is %i s off, as a proxy may write it',
    async (off) => {
      for (const computer of [0, 2 * MINUTE, -2 * MINUTE, 10 * -MINUTE])
        expect(await verdict({ nbf: NOW, exp: NOW + 1_000 }, 'RS256', clocks(computer, off))).toBe(
          'valid',
        );
    },
  );

  it('is taken though its time lies ahead of the Date, on a computer whose clock goes back meanwhile: then no two clocks agree', async () => {
    expect(
      await verdict({ iat: NOW + HOUR, exp: NOW + 2 * HOUR }, 'RS256', clocks([0, -HOUR], 0)),
    ).toBe('valid');
    expect(
      await verdict({ iat: NOW + HOUR, exp: NOW + 2 * HOUR }, 'RS256', clocks(0, 0)),
    ).toContain('"iat" lies in the future');
  });

  it('may have been made some minutes ago, or name a later time than the Date beside it', async () => {
    for (const iat of [NOW - 240, NOW + 240, NOW + LIMITS.clockAgreementSeconds])
      expect(await verdict({ iat, exp: iat + 300 })).toBe('valid');
  });
});

describe('exp', () => {
  const over = { iat: NOW - 2 * HOUR, exp: NOW - HOUR };

  it.each(OFFSETS)(
    'that is over by the server is refused on a computer whose clock is %i s off',
    async (off) => {
      expect(await verdict(over, 'RS256', clocks(off, 0))).toContain('"exp" has passed');
      expect(await verdict(over, 'RS256', clocks([off, off + HOUR], 0))).toContain(
        '"exp" has passed',
      );
    },
  );

  it('has the tolerance of a minute', async () => {
    const { clockToleranceSeconds } = LIMITS;
    expect(await verdict({ iat: NOW - 300, exp: NOW - clockToleranceSeconds + 1 })).toBe('valid');
    expect(await verdict({ iat: NOW - 300, exp: NOW - clockToleranceSeconds })).toContain(
      '"exp" has passed',
    );
  });

  it('that is over by more than a day is refused when both clocks say so', async () => {
    expect(await verdict({ iat: 1, exp: 2 })).toContain('"exp" has passed');
  });

  it.each([[NOW], [NOW - 1], [0], [undefined], [`${NOW + 300}`], [null], [Infinity]])(
    'of %j is no time after iat',
    async (exp) => {
      for (const server of [0, null])
        expect(await verdict({ exp }, 'RS256', clocks(0, server))).toContain('"exp"');
    },
  );

  it('without a Date is judged by iat alone', async () => {
    expect(await verdict(over, 'RS256', clocks(0, null))).toBe('valid');
  });
});

describe('iat', () => {
  it.each([
    [NOW - 86_400, 'valid'],
    [NOW + LIMITS.clockAgreementSeconds + 1, 'future'],
    [NOW_MS, 'future'],
    [undefined, 'not a time'],
    [`${NOW}`, 'not a time'],
  ])('of %j is %s', async (iat, expectedVerdict) => {
    expect(await verdict({ iat, exp: NOW_MS * 2 })).toContain(expectedVerdict);
  });

  it('in the future of this computer is no reason, nor is one in the future of the Date alone', async () => {
    const later = { iat: NOW + DAY, exp: NOW + DAY + 300 };
    for (const [computer, server] of [
      [0, null],
      [0, DAY],
      [DAY, 0],
      [0, -HOUR],
      [-HOUR, 0],
    ] as const)
      expect(await verdict(later, 'RS256', clocks(computer, server))).toBe('valid');
  });
});

describe('nbf', () => {
  it.each([
    [NOW, 'valid'],
    [NOW - DAY, 'valid'],
    [NOW + LIMITS.clockToleranceSeconds, 'valid'],
    [NOW + LIMITS.clockToleranceSeconds + 1, 'nbf'],
    [null, 'nbf'],
    ['now', 'nbf'],
  ])('of %j is %s', async (nbf, expectedVerdict) => {
    expect(await verdict({ nbf })).toContain(expectedVerdict);
  });

  it('is of no weight once any clock has reached it', async () => {
    expect(await verdict({ nbf: NOW + HOUR }, 'RS256', clocks(0, HOUR))).toBe('valid');
    expect(await verdict({ nbf: NOW + HOUR }, 'RS256', clocks(HOUR, 0))).toBe('valid');
  });
});

describe('the time by the server', () => {
  const now = (times: ArrivalTimes): unknown => nowByServer({ iat: NOW, exp: NOW + 300 }, times);

  it('is its Date, or the time at which it issued the token where that Date is not believed', () => {
    expect(now(clocks(DAY, 5))).toBe(NOW_MS + 5_000);
    expect(now(clocks(DAY, null))).toBe(NOW_MS);
    expect(now(clocks(0, HOUR))).toBe(NOW_MS);
    expect(nowByServer({}, right)).toBeNull();
  });
});

describe('auth_time', () => {
  const LEEWAY = LIMITS.clockToleranceSeconds;
  const age = (authTime: unknown, maxAgeSeconds: number, waitedMs = 0): Promise<string> => {
    const claims = authTime === undefined ? {} : { auth_time: authTime };
    return verdict(claims, 'RS256', right, { maxAgeSeconds, waitedMs });
  };

  it.each<[string, unknown, number, number, string]>([
    ['now', NOW, 0, 0, 'valid'],
    ['as long ago as a clock may be off', NOW - LEEWAY, 0, 0, 'valid'],
    ['a second longer ago', NOW - LEEWAY - 1, 0, 0, 'longer ago'],
    ['as long ago as was asked for', NOW - 3_600 - LEEWAY, 3_600, 0, 'valid'],
    ['longer ago than was asked for', NOW - 3_600 - LEEWAY - 1, 3_600, 0, 'longer ago'],
    ['four minutes ago, after as long a stay in the browser', NOW - 240, 0, 240_000, 'valid'],
    ['before the browser opened', NOW - 240 - LEEWAY - 1, 0, 240_000, 'longer ago'],
    ["later than now by a clock's error", NOW + LEEWAY, 0, 0, 'valid'],
    ['later than now', NOW + LEEWAY + 1, 3_600, 0, 'future'],
    ['in milliseconds', NOW_MS, 999_999_999, 0, 'future'],
    ['missing', undefined, 3_600, 0, 'missing'],
    ['null', null, 3_600, 0, 'missing'],
    ['a text', `${NOW}`, 3_600, 0, 'missing'],
    ['no number', Number.NaN, 3_600, 0, 'id-token-invalid'],
  ])(
    'that is %s: %j, with max_age=%i after %i ms is %s',
    async (_what, authTime, maxAgeSeconds, waitedMs, verdictText) => {
      expect(await age(authTime, maxAgeSeconds, waitedMs)).toContain(verdictText);
    },
  );

  it('may be anything, or absent, when no age was asked for', async () => {
    for (const authTime of [undefined, 0, NOW_MS])
      expect(await verdict({ iat: NOW, auth_time: authTime })).toBe('valid');
  });

  it('is asked for by the option, and counted from when the browser opened', () => {
    const options = (maxAge?: string) => ({
      authorizationParameters: maxAge === undefined ? {} : { max_age: maxAge },
      attemptTimeoutSeconds: 300,
    });
    expect(askedAge(options(), NOW_MS, NOW_MS)).toBeNull();
    expect(askedAge(options('0'), NOW_MS - 61_000, NOW_MS)).toEqual({
      maxAgeSeconds: 0,
      waitedMs: 61_000,
    });
    expect(askedAge(options('600'), NOW_MS, NOW_MS)).toEqual({ maxAgeSeconds: 600, waitedMs: 0 });
  });

  it('is never asked of a longer time than an attempt may take, when the clock was set meanwhile', () => {
    const options = (attemptTimeoutSeconds: number) => ({
      authorizationParameters: { max_age: '0' },
      attemptTimeoutSeconds,
    });
    for (const startedAt of [NOW_MS - 86_400_000, NOW_MS + 1]) {
      expect(askedAge(options(300), startedAt, NOW_MS)).toEqual({
        maxAgeSeconds: 0,
        waitedMs: LIMITS.deviceCodeMaxMs,
      });
      expect(askedAge(options(3_600), startedAt, NOW_MS)).toEqual({
        maxAgeSeconds: 0,
        waitedMs: 3_600_000,
      });
    }
  });
});

describe('at_hash', () => {
  it.each([
    ['RS256', 'sha256'],
    ['PS256', 'sha256'],
    ['ES256', 'sha256'],
    ['RS384', 'sha384'],
    ['ES384', 'sha384'],
    ['PS512', 'sha512'],
    ['ES512', 'sha512'],
    ['EdDSA', 'sha512'],
    ['Ed25519', 'sha512'],
  ])('with %s is half of %s', async (alg, digest) => {
    expect(await verdict({ iat: NOW, at_hash: hash(digest) }, alg)).toBe('valid');
    expect(await verdict({ iat: NOW, at_hash: hash(digest, 'another token') }, alg)).toContain(
      'at_hash',
    );
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
  const right = { iss: who.issuer, sub: who.subject, aud: 'me' };
  const says = (token: unknown): string => personIn(token, who, 'me');
  const ofClaims = (claims: unknown): string => says(jwt({ alg: 'RS256' }, claims));

  it('is of the same person, however old it is, and whenever the person authenticated', () => {
    expect(ofClaims({ ...right, exp: 1, iat: 9e12, auth_time: 1 })).toBe('same');
  });

  it.each([
    ['another subject', { ...right, sub: 'eve' }],
    ['another issuer', { ...right, iss: 'https://evil.example' }],
    ['an issuer with a slash more', { ...right, iss: 'https://id.example/' }],
    ['no subject', { iss: who.issuer, aud: 'me' }],
    ['no claims', 'ada'],
  ])('is of another person with %s', (_what, claims) => {
    expect(ofClaims(claims)).toBe('another');
  });

  it.each<[string, unknown, unknown, string]>([
    ['this client', 'me', undefined, 'same'],
    ['this client in a list', ['me'], undefined, 'same'],
    ['this client, named twice', 'me', 'me', 'same'],
    ['several, and this client as the one that may use it', ['api', 'me'], 'me', 'same'],
    ['several, and nobody says which may use it', ['api', 'me'], undefined, 'another'],
    ['several, and another client may use it', ['me', 'other'], 'other', 'another'],
    ['another client', 'other', undefined, 'another'],
    ['other clients', ['other', 'third'], 'me', 'another'],
    ['this client, for another one', 'me', 'other', 'another'],
    ['this client, for no text', 'me', null, 'another'],
    ['a text that only contains this client', 'some', undefined, 'another'],
    ['nobody', undefined, undefined, 'another'],
    ['an empty list', [], undefined, 'another'],
    ['an object', { me: true }, undefined, 'another'],
  ])('whose audience is %s: aud %j, azp %j is %s', (_what, aud, azp, verdict) => {
    expect(ofClaims({ ...right, aud, azp })).toBe(verdict);
  });

  it('reads names beyond ASCII', () => {
    expect(ofClaims({ ...right, name: 'Ada ✓ 山' })).toBe('same');
  });

  it.each([[undefined], [null], [7], [{}], ['']])('that is %j says nothing', (token) => {
    expect(says(token)).toBe('unsaid');
  });

  it("that cannot be read is nobody's, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (token) => {
        expect(says(token)).toBe('another');
        expect(says(`a.${token}.c`)).toBe('another');
      }),
    );
  });

  it('that is deeper than any stack is read like any other', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const payload = (members: string): string =>
      `x.${Buffer.from(`{${members},"deep":${deep}}`).toString('base64url')}.y`;
    expect(says(payload('"iss":"https://id.example","sub":"ada","aud":"me"'))).toBe('same');
    expect(says(payload('"iss":"https://id.example","sub":"ada","aud":[[[["me"]]]]'))).toBe(
      'another',
    );
  });
});

describe('what a sign-in demanded', () => {
  const acr = (request: object): SignInDemand => ({ claims: { id_token: { acr: request } } });
  it.each<[SignInDemand, Record<string, unknown>, string]>([
    [{ acrValues: ['a', 'b'] }, { acr: 'b' }, 'valid'],
    [{ acrValues: ['a', 'b'] }, { acr: 'c' }, '"acr"'],
    [{ acrValues: ['a', 'b'] }, {}, '"acr"'],
    [{ acrValues: ['a', 'b'] }, { acr: ['a'] }, '"acr"'],
    [{ acrValues: ['a', 'b'] }, { acr: 'a b' }, '"acr"'],
    [acr({ essential: true, values: ['a', 'b'] }), { acr: 'b' }, 'valid'],
    [acr({ essential: true, values: ['a', 'b'] }), {}, '"acr"'],
    [acr({ essential: true, value: 'a' }), { acr: 'b' }, '"acr"'],
    [acr({ essential: true }), {}, 'valid'],
    [acr({ values: ['a'] }), { acr: 'b' }, 'valid'],
    [{ ...acr({ essential: true, value: 'a' }), acrValues: ['b'] }, { acr: 'b' }, '"acr"'],
    [{ claims: { id_token: { sub: { value: 'me' } } } }, { sub: 'me' }, 'valid'],
    [{ claims: { id_token: { sub: { value: 'me' } } } }, { sub: 'you' }, '"sub"'],
    [{ claims: { id_token: null, access_token: { acrs: { value: 'c1' } } } }, {}, 'valid'],
    [{ claims: { id_token: { acr: null, sub: 'odd' } } }, {}, 'valid'],
  ])('%j of an ID token with %j is %s', async (demand, claims, expected) => {
    const said = await verdict(claims, 'RS256', right, null, demand);
    expect(said).toContain(expected);
    if (expected !== 'valid') expect(said).toMatch(/^id-token-invalid/);
  });

  it('is the stricter age of the option and the sign-in', () => {
    const of = (usual: string | undefined, demanded: number | undefined): number | undefined =>
      askedAge(
        {
          authorizationParameters: usual === undefined ? {} : { max_age: usual },
          attemptTimeoutSeconds: 300,
        },
        NOW_MS,
        NOW_MS,
        demanded,
      )?.maxAgeSeconds;
    expect([of(undefined, 7), of('7', undefined), of('7', 5), of('5', 7), of('9', 0)]).toEqual([
      7, 7, 5, 5, 0,
    ]);
    expect(of(undefined, undefined)).toBeUndefined();
  });
});
