// WWW-Authenticate as APIs send it, and as nobody should: every challenge of a header, or none.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../src/main/core/requests/challenges.js';
import { challengeOf } from '../../../src/main/core/requests/step-up-challenge.js';

const read = (header: string): unknown =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('parseChallenges', () => {
  it.each<[string, unknown]>([
    ['', []],
    ['Bearer', [['bearer', {}]]],
    [
      ' , Bearer ,, Basic , ',
      [
        ['bearer', {}],
        ['basic', {}],
      ],
    ],
    ['Bearer realm="a, b=\\"c\\""', [['bearer', { realm: 'a, b="c"' }]]],
    ['Bearer REALM = x ,error="y"', [['bearer', { realm: 'x', error: 'y' }]]],
    ['Bearer realm="", a=1, , b="2",', [['bearer', { realm: '', a: '1', b: '2' }]]],
    [
      'Negotiate YII+/._~-a==, Bearer a=1',
      [
        ['negotiate', {}],
        ['bearer', { a: '1' }],
      ],
    ],
    [
      'Negotiate, Bearer a=1, Basic realm=x',
      [
        ['negotiate', {}],
        ['bearer', { a: '1' }],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
      [
        ['newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
        ['basic', { realm: 'simple' }],
      ],
    ],
    [
      'DPoP algs="ES256 PS256", Bearer error="insufficient_scope", scope="a b"',
      [
        ['dpop', { algs: 'ES256 PS256' }],
        ['bearer', { error: 'insufficient_scope', scope: 'a b' }],
      ],
    ],
  ])('reads %j', (header, challenges) => {
    expect(read(header)).toEqual(challenges);
  });

  it.each([
    'Bearer realm="open',
    'Bearer realm="a" error="b"',
    'Bearer realm=a b=c',
    'Bearer a=1, a=2',
    'Bearer a=1, A=2',
    'Bearer YII=, a=1',
    'Bearer =x',
    'Bearer a=, b=1',
    'Bearer "a"',
    '"Bearer"',
    'a=1',
    'Bearer a="\u0000"',
    'Bearer realm="a"x',
    'Bearer a=1; b=2',
    `Bearer ${Array.from({ length: 33 }, (_, index) => `a${index}=1`).join(', ')}`,
    Array.from({ length: 17 }, (_, index) => `S${index}`).join(', '),
    `Bearer a="${'x'.repeat(16_384)}"`,
  ])('finds none in %j', (header) => {
    expect(read(header)).toEqual([]);
  });

  it('ends soon and never throws, whatever comes', () => {
    const pieces = fc.constantFrom(
      'Bearer',
      ' ',
      ',',
      '=',
      '"',
      '\\',
      'a',
      'error="x"',
      'a=1',
      '\t',
      '==',
      'é',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((parts) => parts.join('')),
        ),
        (header) => {
          expect(parseChallenges(header).length).toBeLessThanOrEqual(16);
        },
      ),
      { numRuns: 1_000 },
    );
    const began = performance.now();
    for (const piece of [' ', ',', '"', 'a', '\\"', 'a=', 'a ', 'a,', '=', '"a" ', 'a="b",'])
      parseChallenges(`Bearer ${piece.repeat(16_000 / piece.length)}`);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it('reads back what was written', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    const text = fc.stringMatching(/^[ -~]{0,20}$/);
    const written = fc.array(
      fc.tuple(
        name,
        fc.uniqueArray(fc.tuple(name, text), {
          selector: ([key]) => key,
          minLength: 1,
          maxLength: 8,
        }),
      ),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(written, (challenges) => {
        const header = challenges
          .map(
            ([scheme, parameters]) =>
              `${scheme} ${parameters.map(([key, value]) => `${key}="${value.replace(/["\\]/g, '\\$&')}"`).join(', ')}`,
          )
          .join(', ');
        expect(read(header)).toEqual(
          challenges.map(([scheme, parameters]) => [scheme, Object.fromEntries(parameters)]),
        );
      }),
    );
  });
});

const CLAIMS = { access_token: { acrs: { essential: true, value: 'é?>~' } } };
const answer = (header: string | null, status = 401): Response =>
  new Response(null, { status, headers: header === null ? {} : { 'www-authenticate': header } });
const entra = (claims: string): string =>
  `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="${claims}"`;
const base64 = (value: unknown, form: BufferEncoding = 'base64'): string =>
  Buffer.from(JSON.stringify(value)).toString(form);

describe('challengeOf', () => {
  it.each<[string, object, number?]>([
    [
      'Bearer error="insufficient_user_authentication", acr_values="a b", max_age="5"',
      { acrValues: ['a', 'b'], maxAge: 5 },
    ],
    ['Bearer error="insufficient_user_authentication", max_age=0', { maxAge: 0 }],
    [
      'Basic realm=x, Bearer error="insufficient_user_authentication", acr_values=a',
      { acrValues: ['a'] },
    ],
    ['Bearer error="insufficient_scope", scope="write send"', { scopes: ['write', 'send'] }, 403],
    ['bearer scope="write", error=insufficient_scope', { scopes: ['write'] }],
    [entra(base64(CLAIMS)), { claims: CLAIMS }],
    [entra(base64(CLAIMS, 'base64url')), { claims: CLAIMS }],
  ])('understands %s', (header, challenge, status) => {
    expect(challengeOf(answer(header, status))).toEqual(challenge);
  });

  it.each<[string | null, number?]>([
    [null],
    ['Bearer'],
    ['Bearer error="invalid_token"'],
    ['Bearer error="insufficient_user_authentication"'],
    ['Bearer error="insufficient_user_authentication", max_age="-1"'],
    ['Bearer error="insufficient_user_authentication", max_age="soon", acr_values=a'],
    ['Bearer error="insufficient_user_authentication", acr_values=""'],
    ['Bearer error="insufficient_scope"'],
    [`Bearer error="insufficient_scope", scope="${'x'.repeat(513)}"`],
    [entra('%%%')],
    [entra(base64('text'))],
    [entra(base64([1]))],
    [entra(base64({ long: 'x'.repeat(8_192) }))],
    [entra(Buffer.from([123, 0xff, 125]).toString('base64'))],
    ['Basic error="insufficient_scope", scope="a"'],
    ['Bearer error="insufficient_scope", scope="a"', 200],
    ['Bearer error="insufficient_scope", scope="a"', 500],
    ['Bearer error="insufficient_scope", scope="a", garbage'.replace(', garbage', ' garbage')],
  ])('finds none in %s', (header, status) => {
    expect(challengeOf(answer(header, status))).toBeNull();
  });
});
