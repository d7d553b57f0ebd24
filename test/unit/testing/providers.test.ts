// The presets by their shape: complete, data only, every fact with its source; and what each makes
// of its arguments.
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { parseOptions } from '../../../src/main/core/options/options.js';
import type { ProviderPreset } from '../../../src/main/core/options/provider-preset.js';
import {
  auth0,
  cognito,
  entra,
  github,
  google,
  keycloak,
  oidc,
  okta,
} from '../../../src/providers/index.js';

const TENANT = '11111111-2222-3333-4444-555555555555';
const PRESETS: readonly ProviderPreset[] = [
  oidc({ issuer: 'https://id.example.com' }),
  entra({ tenant: TENANT }),
  google(),
  github(),
  auth0({ domain: 'notes.eu.auth0.com' }),
  okta({ domain: 'notes.okta.com' }),
  keycloak({ baseUrl: 'https://id.example.com', realm: 'notes' }),
  cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_AbCdEfGhI', domain: 'notes' }),
];

describe.each(PRESETS.map((preset) => [preset.name, preset] as const))(
  'the preset %s',
  (name, preset) => {
    it('is data: a copy of it is the same', () => {
      expect(structuredClone(preset)).toEqual(preset);
      expect(JSON.parse(JSON.stringify(preset))).toEqual(preset);
    });

    it('has a name, an issuer without query, and nothing to refuse in good arguments', () => {
      expect(name).toMatch(/^[a-z0-9]+$/);
      expect(preset.title).not.toBe('');
      expect(new URL(preset.issuer).protocol).toBe('https:');
      expect(preset.issuer).not.toMatch(/[?#]|unknown/);
      expect(preset.refusals).toEqual([]);
    });

    it('says of each fact where it was read, when, and whether it was', () => {
      for (const { topic, fact, source, date, verified } of preset.facts) {
        expect(fact, topic).toMatch(/^\S.*[.]$/);
        expect(new URL(source).protocol, fact).toBe('https:');
        expect(date, fact).toMatch(/^20\d\d-\d\d(-\d\d)?$/);
        expect(typeof verified, fact).toBe('boolean');
      }
      expect(new Set(preset.facts.map(({ fact }) => fact)).size).toBe(preset.facts.length);
    });

    it('says something of registration, redirects, tokens, prompt and sign-out', () => {
      const topics = new Set(preset.facts.map(({ topic }) => topic));
      for (const topic of ['registration', 'redirects', 'tokens', 'sign-out'] as const)
        expect([...topics]).toContain(topic);
      expect([...topics]).toContain('prompt');
    });

    it('has rules that name the problem and the fix as parts of a sentence', () => {
      for (const { problem, fix, option, verdict } of preset.preflight) {
        for (const part of [problem, fix])
          expect(part, `${option}, ${verdict}`).toMatch(/^\S.*[^.]$/);
      }
    });

    it('sets no parameter that Latchkey sets itself, and no scope twice', () => {
      const own = [
        'client_id',
        'redirect_uri',
        'response_type',
        'response_mode',
        'scope',
        'state',
        'nonce',
        'code_challenge',
        'code_challenge_method',
        'prompt',
      ];
      expect(
        Object.keys(preset.authorizationParameters).filter((parameter) => own.includes(parameter)),
      ).toEqual([]);
      expect(new Set(preset.scopes).size).toBe(preset.scopes.length);
      expect(preset.scopes.includes('offline_access')).toBe(preset.offlineAccess === 'by-scope');
    });
  },
);

describe('arguments of presets', () => {
  const issuer = (preset: ProviderPreset): string => preset.issuer;

  it.each<[string, string]>([
    [
      issuer(entra({ tenant: TENANT.toUpperCase() })),
      `https://login.microsoftonline.com/${TENANT}/v2.0`,
    ],
    [issuer(entra({ tenant: 'common' })), 'https://login.microsoftonline.com/common/v2.0'],
    [
      issuer(entra({ tenant: 'contoso.onmicrosoft.com', host: 'login.microsoftonline.us' })),
      'https://login.microsoftonline.us/contoso.onmicrosoft.com/v2.0',
    ],
    [issuer(google()), 'https://accounts.google.com'],
    [issuer(github()), 'https://github.com/login/oauth'],
    [issuer(github({ host: 'git.example.com' })), 'https://git.example.com/login/oauth'],
    [issuer(auth0({ domain: 'notes.eu.auth0.com' })), 'https://notes.eu.auth0.com/'],
    [issuer(okta({ domain: 'notes.okta.com' })), 'https://notes.okta.com/oauth2/default'],
    [
      issuer(okta({ domain: 'notes.okta.com', authorizationServer: 'org' })),
      'https://notes.okta.com',
    ],
    [
      issuer(okta({ domain: 'id.example.com', authorizationServer: 'aus1' })),
      'https://id.example.com/oauth2/aus1',
    ],
    [
      issuer(
        keycloak({ baseUrl: 'https://id.example.com/auth/', realm: 'My Notes'.replace(' ', '-') }),
      ),
      'https://id.example.com/auth/realms/My-Notes',
    ],
    [
      issuer(cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_AbC', domain: 'notes' })),
      'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC',
    ],
  ])('make the issuer %s', (made, expected) => {
    expect(made).toBe(expected);
  });

  it('make the endpoints of providers that are not discovered', () => {
    expect(github().endpoints).toMatchObject({
      token: 'https://github.com/login/oauth/access_token',
      userinfo: 'https://api.github.com/user',
    });
    expect(github({ host: 'git.example.com' }).endpoints?.userinfo).toBe(
      'https://git.example.com/api/v3/user',
    );
    expect(
      cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_AbC', domain: 'notes' }).endpoints
        ?.token,
    ).toBe('https://notes.auth.eu-central-1.amazoncognito.com/oauth2/token');
    expect(
      cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_AbC', domain: 'id.example.com' })
        .endpoints?.authorization,
    ).toBe('https://id.example.com/oauth2/authorize');
  });

  it('pass the audience on to Auth0', () => {
    expect(
      auth0({ domain: 'notes.eu.auth0.com', audience: 'https://api' }).authorizationParameters,
    ).toEqual({ audience: 'https://api' });
  });

  it.each<[string, 'pattern' | 'filled' | null]>([
    [TENANT, null],
    ['common', 'pattern'],
    ['organizations', 'pattern'],
    ['consumers', 'filled'],
    ['contoso.com', 'filled'],
  ])('of Entra let the metadata of %s name its issuer %s', (tenant, metadata) => {
    expect(entra({ tenant }).issuerTemplate?.metadata ?? null).toBe(metadata);
  });

  it.each<[string, ProviderPreset, RegExp]>([
    [
      'no tenant',
      entra({ tenant: '' }),
      /option "provider" must be entra\(\{ tenant \}\) with a GUID/,
    ],
    ['a tenant that is a path', entra({ tenant: 'hunter2/../common' }), /entra\(\{ tenant \}\)/],
    [
      'a tenant that is missing in JavaScript',
      entra({ tenant: undefined as never }),
      /entra\(\{ tenant \}\)/,
    ],
    [
      'an address for a host',
      entra({ tenant: TENANT, host: 'https://hunter2.example' }),
      /entra\(\{ tenant, host \}\)/,
    ],
    [
      'an address for a domain',
      auth0({ domain: 'https://hunter2.auth0.com/' }),
      /auth0\(\{ domain \}\) with the name of a host as "domain", without "https:\/\/"/,
    ],
    [
      "the domain of Okta's admin console",
      okta({ domain: 'hunter2-admin.okta.com' }),
      /okta\(\{ domain \}\) .*without "-admin"/,
    ],
    [
      'a path for an authorization server',
      okta({ domain: 'notes.okta.com', authorizationServer: 'hunter2/x' }),
      /okta\(\{ authorizationServer \}\)/,
    ],
    [
      'no realm',
      keycloak({ baseUrl: 'https://id.example.com', realm: '' }),
      /keycloak\(\{ realm \}\)/,
    ],
    [
      'a base that is no address',
      keycloak({ baseUrl: 'hunter2', realm: 'x' }),
      /keycloak\(\{ baseUrl \}\)/,
    ],
    [
      'a pool of another region',
      cognito({ region: 'eu-central-1', userPoolId: 'us-east-1_hunter2', domain: 'notes' }),
      /cognito\(\{ userPoolId \}\)/,
    ],
    [
      'no region',
      cognito({ region: 'hunter2', userPoolId: 'x', domain: 'notes' }),
      /cognito\(\{ region \}\)/,
    ],
    [
      'a domain with a slash',
      cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_AbC', domain: 'hunter2/' }),
      /cognito\(\{ domain \}\)/,
    ],
    ['an address for GitHub', github({ host: 'https://hunter2.example' }), /github\(\{ host \}\)/],
    [
      'an issuer that is no URL',
      oidc({ issuer: 'hunter2' }),
      /option "issuer" must be an absolute URL/,
    ],
  ])('are refused by createAuth: %s', (_what, provider, expected) => {
    const refused = (): unknown =>
      parseOptions({ provider, clientId: 'x', redirects: ['com.example.notes:/callback'] });
    expect(refused).toThrow(expected);
    expect(refused).toThrow(AuthError);
    expect(refused).not.toThrow(/hunter2/);
  });
});
