// What is wrong in the options for a provider, before anybody is sent to the browser: one table for
// each provider.
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { warningsOf } from '../../../src/main/core/options/option-warnings.js';
import { parseOptions } from '../../../src/main/core/options/options.js';
import type { AuthOptions } from '../../../src/main/core/options/auth-options.js';
import { preflight } from '../../../src/main/core/options/preflight.js';
import type {
  PreflightCondition,
  ProviderPreset,
} from '../../../src/main/core/options/provider-preset.js';
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
const CLIENT = '99999999-2222-3333-4444-555555555555';
const LOCAL = 'http://localhost/callback';
const SCHEME = 'com.example.notes:/callback';

/** `undefined`: not given. */
type Changes = { readonly [Name in keyof AuthOptions]?: AuthOptions[Name] | undefined };

/** The verdict on these options: the refusal, or the warnings. */
function verdict(provider: ProviderPreset, options: Changes): string {
  try {
    return warningsOf(
      parseOptions({
        provider,
        clientId: 'notes-desktop',
        redirects: [LOCAL],
        ...options,
      } as AuthOptions),
    ).join('\n');
  } catch (error) {
    if (error instanceof AuthError && error.code === 'invalid-options')
      return `refused: ${error.message}`;
    throw error;
  }
}

type Row = readonly [string, Changes, RegExp | ''];

/** `''`: nothing to say. A refusal begins with "refused:", a warning does not. */
function table(name: string, provider: ProviderPreset, base: Changes, rows: readonly Row[]): void {
  describe(name, () => {
    it.each(rows)('%s', (_what, options, expected) => {
      const said = verdict(provider, { ...base, ...options });
      if (expected === '') expect(said).toBe('');
      else expect(said).toMatch(expected);
      // No value of the host's is repeated: a message may end in a log that is sent around.
      expect(said).not.toContain('hunter2');
    });
  });
}

table('Entra', entra({ tenant: TENANT }), { clientId: CLIENT }, [
  [
    'refuses resources, which it would refuse itself at every sign-in',
    { resources: ['https://files.example.com/'] },
    /^refused: option "resources" does not suit .*AADSTS901002/,
  ],
  ['takes localhost with a path of its own', {}, ''],
  [
    'takes the scopes of one API',
    { scopes: ['openid', 'offline_access', 'api://notes/read', 'api://notes/write'] },
    '',
  ],
  ['takes device codes and pasted codes without a word of its own', { redirects: [LOCAL] }, ''],
  [
    'refuses a secret, and says where the demand for one comes from',
    { clientSecret: 'hunter2' },
    /^refused: option "clientSecret" does not suit Microsoft Entra ID: .*AADSTS700025.*AADSTS7000218.*move it$/,
  ],
  [
    'refuses [::1]',
    { redirects: ['http://[::1]/callback'] },
    /^refused: option "redirects" .*IPv6.*use "http:\/\/localhost\/callback"$/,
  ],
  [
    'refuses the URI for embedded browsers',
    { redirects: ['https://login.microsoftonline.com/common/oauth2/nativeclient'] },
    /^refused: .*nativeclient.*Mobile and desktop/,
  ],
  [
    'refuses 257 characters',
    { redirects: [`http://localhost/${'a'.repeat(240)}`] },
    /^refused: .*256 characters at most/,
  ],
  ['takes 256 characters', { redirects: [`http://localhost/${'a'.repeat(239)}`] }, ''],
  ...['!', '$', "'", '(', ')', ',', ';'].map((character): Row => [
    `refuses the character ${character}`,
    { redirects: [`http://localhost/hunter2${character}`] },
    /^refused: .*may not hold any of/,
  ]),
  [
    'refuses a client id that is no GUID',
    { clientId: 'hunter2' },
    /^refused: option "clientId" .*GUIDs; copy "Application \(client\) ID"/,
  ],
  [
    'warns of 127.0.0.1, which only the manifest takes',
    { redirects: ['http://127.0.0.1/callback'] },
    /^option "redirects" .*portal does not take.*manifest/,
  ],
  [
    'warns of localhost without a path',
    { redirects: ['http://localhost'] },
    /^option "redirects" .*port of localhost is ignored.*path of its own/,
  ],
  [
    'warns of localhost with a slash for a path',
    { redirects: ['http://localhost:3000/'] },
    /path of its own/,
  ],
  [
    'warns of a scheme that comes first',
    { redirects: [SCHEME, LOCAL] },
    /AADSTS50199.*put "http:\/\/localhost\/callback" first/,
  ],
  ['has nothing against a scheme that comes second', { redirects: [LOCAL, SCHEME] }, ''],
  [
    'warns of scopes of two APIs',
    {
      scopes: [
        'openid',
        'offline_access',
        'https://graph.microsoft.com/Mail.Read',
        'api://notes/read',
      ],
    },
    /^option "scopes" .*one token is for one API/,
  ],
  [
    'warns of a scope of Graph by its short name beside another API',
    { scopes: ['openid', 'offline_access', 'User.Read', 'api://notes/read'] },
    /one token is for one API/,
  ],
  [
    'warns that there is no refresh token without offline_access',
    { scopes: ['openid'] },
    /without "offline_access"/,
  ],
]);

const GOOGLE_CLIENT = '1234-abc.apps.googleusercontent.com';
table(
  'Google',
  google(),
  { clientId: GOOGLE_CLIENT, clientSecret: 'hunter2', redirects: ['http://127.0.0.1/callback'] },
  [
    ['takes loopback with the secret that is none, and does not call it unwise', {}, ''],
    [
      'needs no offline_access and does not warn of its absence',
      { scopes: ['openid', 'email'] },
      '',
    ],
    [
      'refuses a custom scheme',
      { redirects: [SCHEME] },
      /^refused: option "redirects" does not suit Google: .*loopback redirects only; use "http:\/\/127\.0\.0\.1\/callback"/,
    ],
    [
      'refuses a custom scheme also as the second',
      { redirects: ['http://127.0.0.1/callback', SCHEME] },
      /^refused: .*loopback redirects only/,
    ],
    [
      'warns of the scheme of an iOS client, which works today',
      {
        redirects: ['com.googleusercontent.apps.1234-abc:/oauth2redirect'],
        clientSecret: undefined,
      },
      /^option "redirects" .*clients of the type "iOS"/,
    ],
    [
      'refuses loopback without the secret',
      { clientSecret: undefined },
      /^refused: option "clientSecret" .*client_secret is missing/,
    ],
    [
      'refuses offline_access',
      { scopes: ['openid', 'offline_access'] },
      /^refused: option "scopes" .*access_type=offline/,
    ],
    [
      'warns of a client id that was cut',
      { clientId: '1234-abc' },
      /^option "clientId" .*apps\.googleusercontent\.com/,
    ],
  ],
);

table(
  'GitHub',
  github(),
  { clientId: 'Iv1.abc', clientSecret: 'hunter2', redirects: ['http://127.0.0.1/callback'] },
  [
    ['takes loopback with a secret', {}, ''],
    ['takes a custom scheme with a secret', { redirects: [SCHEME] }, ''],
    [
      'refuses openid',
      { scopes: ['openid', 'read:user'] },
      /^refused: option "scopes" .*no OpenID provider/,
    ],
    [
      'refuses loopback without the secret, and names the way without one',
      { clientSecret: undefined },
      /^refused: option "clientSecret" .*also with PKCE.*device code/,
    ],
    [
      'refuses a custom scheme without the secret',
      { clientSecret: undefined, redirects: [SCHEME] },
      /^refused: option "clientSecret"/,
    ],
    [
      'warns of offline_access',
      { scopes: ['read:user', 'offline_access'] },
      /^option "scopes" .*GitHub App/,
    ],
  ],
);

table('Okta', okta({ domain: 'notes.okta.com' }), {}, [
  ['takes a named port', { redirects: ['http://127.0.0.1:49321/callback'] }, ''],
  ['takes a custom scheme', { redirects: [SCHEME] }, ''],
  [
    'refuses a free port',
    { redirects: ['http://127.0.0.1/callback'] },
    /^refused: .*compares redirect URIs exactly, the port too.*49321/,
  ],
  [
    'refuses a free port behind a scheme',
    { redirects: [SCHEME, LOCAL] },
    /^refused: .*the port too/,
  ],
  ['takes port 80, which URLs hide', { redirects: ['http://127.0.0.1:80/callback'] }, ''],
  [
    'calls a secret unwise',
    { redirects: [SCHEME], clientSecret: 'hunter2' },
    /^option "clientSecret": a secret inside an installed app/,
  ],
]);

table('Auth0', auth0({ domain: 'notes.eu.auth0.com' }), {}, [
  ['takes a named port', { redirects: ['http://127.0.0.1:49321/callback'] }, ''],
  [
    'refuses a free port',
    { redirects: ['http://127.0.0.1/callback'] },
    /^refused: .*compares callback URLs as texts.*49321/,
  ],
]);

table(
  'Cognito',
  cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_AbCdEfGhI', domain: 'notes' }),
  {},
  [
    ['takes localhost with a port', { redirects: ['http://localhost:49321/callback'] }, ''],
    ['takes a custom scheme, and does not miss offline_access', { redirects: [SCHEME] }, ''],
    ['warns of a free port', {}, /^option "redirects" .*free port/],
    [
      'warns of 127.0.0.1',
      { redirects: ['http://127.0.0.1:49321/callback'] },
      /^option "redirects" .*one exception to https/,
    ],
    ['warns of [::1]', { redirects: ['http://[::1]:49321/callback'] }, /one exception to https/],
    [
      'warns of offline_access',
      { redirects: [SCHEME], scopes: ['openid', 'offline_access'] },
      /^option "scopes" .*gives refresh tokens without it/,
    ],
  ],
);

table('Keycloak', keycloak({ baseUrl: 'https://id.example.com', realm: 'notes' }), {}, [
  ['takes loopback with any port', { redirects: ['http://127.0.0.1/callback'] }, ''],
  ['takes a custom scheme', { redirects: [SCHEME] }, ''],
]);

table('oidc', oidc({ issuer: 'https://id.example.com' }), {}, [
  ['has no rules of its own', { redirects: [SCHEME, LOCAL] }, ''],
  [
    'calls a secret unwise, as without a preset',
    { clientSecret: 'hunter2' },
    /^option "clientSecret": a secret inside an installed app/,
  ],
]);

describe('preflight', () => {
  const subject = {
    redirects: [LOCAL, SCHEME, 'device-code', 'paste:https://notes.example/code'],
    scopes: ['openid'],
    clientId: 'x',
    hasClientSecret: false,
    hasResources: false,
  };
  const finds = (
    when: PreflightCondition,
    changed: Partial<typeof subject> | { readonly redirects: unknown } = {},
  ): boolean =>
    preflight(
      {
        title: 'T',
        preflight: [{ when, verdict: 'warn', option: 'redirects', problem: 'p', fix: 'f' }],
      },
      { ...subject, ...changed },
    ).warnings.length === 1;

  it.each<[PreflightCondition, boolean]>([
    [{ redirect: { kind: 'device-code' } }, true],
    [{ redirect: { kind: 'paste' } }, true],
    [{ redirect: { kind: 'https' } }, false],
    [{ redirect: { kind: 'custom-scheme', first: true } }, false],
    [{ redirect: { kind: 'loopback', first: true, port: 'free', host: 'localhost' } }, true],
    [{ redirect: { host: '127.0.0.1' } }, false],
    [{ redirect: { kind: 'device-code', port: 'free' } }, false],
    [{ scope: 'openid' }, true],
    [{ scope: 'email' }, false],
    [{ clientSecret: 'missing' }, true],
    [{ clientSecret: 'given' }, false],
    [{ resources: 'given' }, false],
    [{ scope: 'openid', clientSecret: 'given' }, false],
    [{ scope: 'openid', clientSecret: 'missing', redirect: { kind: 'paste' } }, true],
    [{}, true],
  ])('finds %j: %s', (when, expected) => {
    expect(finds(when)).toBe(expected);
  });

  it.each([
    [undefined],
    [null],
    ['x'],
    [7],
    [[7, null, {}]],
    [['', 'http://', 'http:', ':', 'http://localhost:x/', ' ']],
  ])('leaves redirects of %j to the check of the option', (redirects) => {
    for (const kind of ['loopback', 'custom-scheme', 'https', 'device-code', 'paste'] as const)
      expect(finds({ redirect: { kind } }, { redirects })).toBe(false);
  });

  it('tells refusals and warnings apart, in the order of the rules', () => {
    const rule = (verdict: 'refuse' | 'warn', problem: string) =>
      ({ when: {}, verdict, option: 'scopes', problem, fix: 'f' }) as const;
    expect(
      preflight(
        { title: 'T', preflight: [rule('warn', 'a'), rule('refuse', 'b'), rule('refuse', 'c')] },
        subject,
      ),
    ).toEqual({
      refusals: ['option "scopes" does not suit T: b; f', 'option "scopes" does not suit T: c; f'],
      warnings: ['option "scopes" does not suit T: a; f'],
    });
  });
});
