// What is known of the provider: exact about the issuer, strict about where tokens may be sent.
import { describe, expect, it } from 'vitest';
import { checkMetadata, membersByHand } from '../../../src/main/core/oauth/discovery.js';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { parseOptions } from '../../../src/main/core/options/options.js';
import type { GivenOptions, Settings } from '../../../src/main/core/options/auth-options.js';

const settingsOf = (options: Partial<GivenOptions> = {}): Settings =>
  parseOptions({ issuer: 'https://id.example', clientId: 'me', redirects: ['a.b:/c'], ...options });
const PUBLISHED = {
  issuer: 'https://id.example',
  authorization_endpoint: 'https://id.example/a',
  token_endpoint: 'https://id.example/t',
  jwks_uri: 'https://id.example/k',
};

function refusal(published: Record<string, unknown>, settings = settingsOf()): AuthError {
  try {
    checkMetadata(settings, published);
  } catch (error) {
    if (error instanceof AuthError) return error;
  }
  throw new Error('the metadata was accepted');
}

/** The members of which `checkMetadata` says that it does without them. */
function ignoredOf(published: Record<string, unknown>, settings = settingsOf()): string[] {
  const members: string[] = [];
  checkMetadata(settings, published, (member) => members.push(member));
  return members;
}

const NO_ENDPOINTS = [
  'http://id.example/x',
  'http://127.0.0.1/x',
  'ftp://id.example/x',
  'javascript:alert(1)',
  'file:///etc/passwd',
  '/relative',
  '',
  7,
  {},
  'https://ada:pw@id.example/x',
  `https://id.example/${'x'.repeat(2048)}`,
];

describe('checkMetadata', () => {
  it('takes what a provider publishes, and nothing that Latchkey does not use', () => {
    const published = {
      ...PUBLISHED,
      userinfo_endpoint: 'https://id.example/u',
      revocation_endpoint: 'https://id.example/r',
      authorization_response_iss_parameter_supported: true,
      claims_supported: ['sub'],
    };
    expect(checkMetadata(settingsOf(), published)).toMatchObject({
      userinfo_endpoint: 'https://id.example/u',
      revocation_endpoint: 'https://id.example/r',
      authorization_response_iss_parameter_supported: true,
    });
    expect(checkMetadata(settingsOf(), published)).not.toHaveProperty('claims_supported');
  });

  it('takes an endpoint for pushed requests that nobody must use, and drops a wrong one', () => {
    const name = 'pushed_authorization_request_endpoint';
    const known = (value: unknown): unknown =>
      checkMetadata(settingsOf(), { ...PUBLISHED, [name]: value })[name];
    expect(known('https://id.example/p')).toBe('https://id.example/p');
    for (const wrong of ['', '/p', 'http://id.example/p', 'https://u@id.example/', 7, null, {}])
      expect(known(wrong)).toBeUndefined();
    const demanded = { ...PUBLISHED, require_pushed_authorization_requests: true };
    for (const wrong of [undefined, '', 'http://id.example/p'])
      expect(refusal({ ...demanded, [name]: wrong }).code).toBe('discovery-failed');
  });

  it.each([
    ['a slash more', 'https://id.example/'],
    ['other case', 'https://ID.example'],
    ['another host', 'https://evil.example'],
    ['a port', 'https://id.example:443'],
    ['no text', 7],
    ['nothing', undefined],
  ])('refuses an issuer with %s', (_what, issuer) => {
    expect(refusal({ ...PUBLISHED, issuer }).code).toBe('issuer-mismatch');
  });

  it('says when only the slash at the end differs, for that is what people copy wrong', () => {
    expect(refusal({ ...PUBLISHED, issuer: 'https://id.example/' }).message).toContain(
      'slash at the end',
    );
    expect(refusal({ ...PUBLISHED, issuer: 'https://evil.example' }).message).not.toContain(
      'slash',
    );
    expect(refusal({ ...PUBLISHED, issuer: 'https://evil.example' }).message).not.toContain('evil');
  });

  it('looks at the endpoint for device codes only when the host uses them', () => {
    const odd = { ...PUBLISHED, device_authorization_endpoint: 'http://id.example/device' };
    const right = { ...odd, device_authorization_endpoint: 'https://id.example/device' };
    const withCodes = settingsOf({ redirects: ['device-code'] });
    expect(ignoredOf(odd)).toEqual([]);
    expect(checkMetadata(settingsOf(), right)).not.toHaveProperty('device_authorization_endpoint');
    expect(ignoredOf(odd, withCodes)).toEqual(['device_authorization_endpoint']);
    expect(checkMetadata(withCodes, right)).toMatchObject({
      device_authorization_endpoint: 'https://id.example/device',
    });
  });

  it.each(['authorization_endpoint', 'token_endpoint', 'jwks_uri'])('demands %s', (name) => {
    const error = refusal({ ...PUBLISHED, [name]: undefined });
    expect([error.code, error.message]).toEqual([
      'discovery-failed',
      `metadata member "${name}" missing`,
    ]);
  });

  it('demands no key set of a plain OAuth 2.0 server', () => {
    expect(
      checkMetadata(settingsOf({ scopes: ['read'] }), { ...PUBLISHED, jwks_uri: undefined }),
    ).not.toHaveProperty('jwks_uri');
  });

  describe.each(['authorization_endpoint', 'token_endpoint', 'jwks_uri'])('%s', (name) => {
    it.each(NO_ENDPOINTS)('is refused as %j', (value) => {
      const error = refusal({ ...PUBLISHED, [name]: value });
      expect([error.code, error.message]).toEqual([
        'discovery-failed',
        `metadata member "${name}" must be an "https:" URL`,
      ]);
    });
  });

  describe.each([
    ['userinfo_endpoint', settingsOf()],
    ['revocation_endpoint', settingsOf()],
    ['pushed_authorization_request_endpoint', settingsOf()],
    ['device_authorization_endpoint', settingsOf({ redirects: ['device-code'] })],
    ['jwks_uri', settingsOf({ scopes: ['read'] })],
  ])('%s, which is optional,', (name, settings) => {
    it.each(NO_ENDPOINTS)('costs only itself as %j', (value) => {
      const published = { ...PUBLISHED, [name]: value };
      expect(checkMetadata(settings, published)).not.toHaveProperty(name);
      expect(ignoredOf(published, settings)).toEqual([name]);
    });

    it.each([[null], [undefined]])('is left out as %j, and nothing is said', (value) => {
      expect(ignoredOf({ ...PUBLISHED, [name]: value }, settings)).toEqual([]);
    });
  });

  it.each(NO_ENDPOINTS)(
    'refuses a pushed authorization endpoint of %j where requests must be pushed',
    (value) => {
      const error = refusal({
        ...PUBLISHED,
        pushed_authorization_request_endpoint: value,
        require_pushed_authorization_requests: true,
      });
      expect(error.message).toContain('pushed_authorization_request_endpoint');
    },
  );

  it('accepts http on loopback for an issuer on loopback, and nowhere else', () => {
    const local = settingsOf({ issuer: 'http://127.0.0.1:8080' });
    const published = {
      issuer: 'http://127.0.0.1:8080',
      authorization_endpoint: 'http://127.0.0.1:8080/a',
      token_endpoint: 'http://localhost:8080/t',
      jwks_uri: 'https://keys.example/k',
    };
    expect(checkMetadata(local, published).token_endpoint).toBe('http://localhost:8080/t');
    expect(refusal({ ...published, token_endpoint: 'http://id.example/t' }, local).code).toBe(
      'discovery-failed',
    );
  });

  it.each([
    [
      'keeps the asymmetric ones',
      ['none', 'HS256', 'RS256', 'ES384', 'EdDSA'],
      ['RS256', 'ES384', 'EdDSA'],
    ],
    ['drops unknown ones', ['RS256', 'XX999', 7], ['RS256']],
  ])('of the announced algorithms %s', (_what, announced, expected) => {
    expect(
      checkMetadata(settingsOf(), {
        ...PUBLISHED,
        id_token_signing_alg_values_supported: announced,
      }).id_token_signing_alg_values_supported,
    ).toEqual(expected);
  });

  it.each([[undefined], ['RS256'], [[]], [['none']], [['HS256', 'HS512']], [[null]]])(
    'allows every asymmetric algorithm, but never none or HS256, where %j is announced',
    (announced) => {
      const allowed = checkMetadata(settingsOf(), {
        ...PUBLISHED,
        id_token_signing_alg_values_supported: announced,
      }).id_token_signing_alg_values_supported;
      expect(allowed).toEqual(expect.arrayContaining(['RS256', 'PS256', 'ES256', 'EdDSA']));
      expect(allowed.filter((alg) => alg === 'none' || alg.startsWith('HS'))).toEqual([]);
    },
  );

  it.each([['true'], [1], [null], [undefined], [false]])(
    'reads a promise of "iss" only where it is true, not %j',
    (promise) => {
      expect(
        checkMetadata(settingsOf(), {
          ...PUBLISHED,
          authorization_response_iss_parameter_supported: promise,
        }).authorization_response_iss_parameter_supported,
      ).toBe(false);
    },
  );
});

describe('endpoints given by hand', () => {
  it('become metadata of the issuer', () => {
    const endpoints = {
      authorization: 'https://id.example/a',
      token: 'https://id.example/t',
      jwks: 'https://id.example/k',
      issParameterSupported: true,
    };
    const settings = { ...settingsOf({ endpoints }), endpoints };
    expect(checkMetadata(settings, membersByHand(settings))).toMatchObject({
      issuer: 'https://id.example',
      authorization_endpoint: 'https://id.example/a',
      authorization_response_iss_parameter_supported: true,
    });
  });
});
