// The host's options: what is wrong throws at once, by name and expectation and never by value;
// what is unwise warns once.
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { warningsOf } from '../../../src/main/core/options/option-warnings.js';
import { parseOptions } from '../../../src/main/core/options/options.js';
import type { AuthOptions } from '../../../src/main/core/options/auth-options.js';

const GOOD: AuthOptions = {
  issuer: 'https://login.example.com',
  clientId: 'notes-desktop',
  redirects: ['com.example.notes:/callback', 'http://127.0.0.1/callback'],
};
const HAND = {
  authorization: 'https://login.example.com/a',
  token: 'https://login.example.com/t',
  jwks: 'https://login.example.com/k',
};

/** Types end where a host writes JavaScript. */
function refusal(options: unknown): AuthError {
  try {
    parseOptions(options as AuthOptions);
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
  throw new Error('the options were accepted');
}

const circle: Record<string, unknown> = {};
circle['circle'] = circle;

describe('parseOptions', () => {
  it('fills in the defaults that the documentation names', () => {
    const { onLog, identify, provider, clientSecret, showAdvice, ...settings } = parseOptions(GOOD);
    expect([onLog, identify, provider, clientSecret, showAdvice]).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
    expect(settings).toEqual({
      issuer: 'https://login.example.com',
      clientId: 'notes-desktop',
      redirects: [
        { kind: 'custom-scheme', uri: 'com.example.notes:/callback', scheme: 'com.example.notes' },
        {
          kind: 'loopback',
          uri: 'http://127.0.0.1/callback',
          host: '127.0.0.1',
          port: null,
          path: '/callback',
        },
      ],
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      endpoints: null,
      authorizationParameters: {},
      trustedOrigins: [],
      pagesMayAsk: {},
      appWindow: null,
      attachPreload: true,
      singleInstanceLock: true,
      resources: [],
      apis: [],
      claims: [],
      keepIdToken: false,
      accounts: 'one',
      secretStore: 'auto',
      keychainService: null,
      attemptTimeoutSeconds: 300,
      networkTimeoutSeconds: 15,
      renewEarlySeconds: 300,
      resultPage: { lang: 'en', dir: 'ltr', accentColor: null, texts: {}, openApp: null },
      logout: { idTokenHint: false },
      migrateFrom: [],
    });
  });

  it('gives settings that nobody can change, also in their depth', () => {
    const settings = parseOptions({
      ...GOOD,
      endpoints: HAND,
      authorizationParameters: { audience: 'api' },
    });
    for (const part of [
      settings,
      settings.redirects,
      settings.redirects[0],
      settings.scopes,
      settings.endpoints,
      settings.authorizationParameters,
    ])
      expect(Object.isFrozen(part)).toBe(true);
  });

  it("does not freeze the host's own objects", () => {
    const options = {
      ...GOOD,
      redirects: [...GOOD.redirects],
      scopes: ['openid'],
      endpoints: { ...HAND },
      authorizationParameters: { a: 'b' },
      trustedOrigins: ['https://a.example'],
    };
    parseOptions(options);
    for (const part of [
      options,
      options.redirects,
      options.scopes,
      options.endpoints,
      options.authorizationParameters,
      options.trustedOrigins,
    ])
      expect(Object.isFrozen(part)).toBe(false);
  });

  it.each<[string, unknown, RegExp]>([
    ['no options', undefined, /option "options" must be an object/],
    ['a list', [], /option "options" must be an object/],
    [
      'an unknown option',
      { ...GOOD, secret: 'hunter2' },
      /unknown option "secret" in "options"; expected one of issuer, provider, clientId/,
    ],
    [
      'an option with an unprintable name',
      { ...GOOD, 'hunter2\n': 1 },
      /unknown option with an unprintable name/,
    ],
    [
      'resources that are no list',
      { ...GOOD, resources: 'https://mail.example' },
      /option "resources" must be a list of at most 32 absolute URIs/,
    ],
    [
      'a resource that is no URI',
      { ...GOOD, resources: ['mail'] },
      /option "resources" must be a list/,
    ],
    [
      'a resource with a fragment',
      { ...GOOD, resources: ['https://mail.example/#a'] },
      /option "resources" must be a list/,
    ],
    [
      'too many resources',
      { ...GOOD, resources: Array.from({ length: 33 }, (_, index) => `https://a${index}.example`) },
      /option "resources" must be a list/,
    ],
    [
      'another number of accounts',
      { ...GOOD, accounts: 'two' },
      /option "accounts" must be "one" or "several"/,
    ],
    ['no issuer', { ...GOOD, issuer: undefined }, /option "issuer" must be a text/],
    ['an empty issuer', { ...GOOD, issuer: '' }, /option "issuer" must be a text/],
    [
      'an issuer that is no text',
      { ...GOOD, issuer: new URL('https://hunter2.example') },
      /option "issuer" must be a text/,
    ],
    [
      'an issuer that is no URL',
      { ...GOOD, issuer: 'hunter2.example' },
      /option "issuer" must be an absolute URL/,
    ],
    [
      'an issuer without slashes',
      { ...GOOD, issuer: 'https:hunter2.example' },
      /option "issuer" must be an absolute URL/,
    ],
    [
      'an issuer with a space at its end',
      { ...GOOD, issuer: 'https://hunter2.example ' },
      /option "issuer" must be an absolute URL/,
    ],
    [
      'an issuer with backslashes',
      { ...GOOD, issuer: 'https:\\\\hunter2.example' },
      /option "issuer" must be an absolute URL/,
    ],
    [
      'an issuer in capitals',
      { ...GOOD, issuer: 'HTTPS://hunter2.example' },
      /option "issuer" must be an absolute URL/,
    ],
    [
      'an http issuer elsewhere',
      { ...GOOD, issuer: 'http://hunter2.example' },
      /option "issuer" must be an "https:" URL/,
    ],
    [
      'an issuer of another scheme',
      { ...GOOD, issuer: 'ftp://hunter2.example' },
      /option "issuer" must be an/,
    ],
    [
      'an issuer with a query',
      { ...GOOD, issuer: 'https://id.example?hunter2' },
      /option "issuer" must be a URL without query and fragment/,
    ],
    [
      'an issuer with a fragment',
      { ...GOOD, issuer: 'https://id.example#hunter2' },
      /option "issuer" must be a URL without query and fragment/,
    ],
    [
      'an issuer with a password',
      { ...GOOD, issuer: 'https://ada:hunter2@id.example' },
      /option "issuer" must be a URL without user name/,
    ],
    [
      'no client id',
      { ...GOOD, clientId: undefined },
      /option "clientId" must be a text of 1 to 1024/,
    ],
    [
      'a client id with a line break',
      { ...GOOD, clientId: 'hunter2\n' },
      /option "clientId" must be a text/,
    ],
    [
      'no redirects',
      { ...GOOD, redirects: undefined },
      /option "redirects" must be a list of 1 to 16/,
    ],
    [
      'redirects as a text',
      { ...GOOD, redirects: 'hunter2:/callback' },
      /option "redirects" must be a list/,
    ],
    [
      'scopes as a text',
      { ...GOOD, scopes: 'openid hunter2' },
      /option "scopes" must be a list of 1 to 100 scopes/,
    ],
    ['no scopes', { ...GOOD, scopes: [] }, /option "scopes" must be a list/],
    [
      'two scopes in one text',
      { ...GOOD, scopes: ['openid hunter2'] },
      /option "scopes" must be a list of words/,
    ],
    [
      'a scope with a quote',
      { ...GOOD, scopes: ['"hunter2"'] },
      /option "scopes" must be a list of words/,
    ],
    ...['', '[]', '"hunter2"', '{', 'null'].map((claims): [string, object, RegExp] => [
      `claims that are ${claims}`,
      { ...GOOD, authorizationParameters: { claims } },
      /option "authorizationParameters" must be an object whose "claims" is a JSON object/,
    ]),
    ...(
      [
        [null, ''],
        [{ everything: true }, 'unknown option "everything" in "pagesMayAsk"'],
        [{ scopes: ['hunter 2'] }, 'option "pagesMayAsk.scopes" must be a list'],
        [{ acrValues: 'hunter2' }, 'option "pagesMayAsk.acrValues" must be a list'],
        [{ maxAge: 60 }, 'option "pagesMayAsk.maxAge" must be true or false'],
        [{ claims: { id_token: {} } }, 'option "pagesMayAsk.claims" must be a list'],
        [{ claims: [circle] }, 'option "pagesMayAsk.claims" must be a list of objects'],
        [{ claims: [[]] }, 'option "pagesMayAsk.claims" must be a list of objects'],
        [{ claims: ['hunter2'] }, 'option "pagesMayAsk.claims" must be a list of objects'],
      ] as const
    ).map(([pagesMayAsk, message], index): [string, object, RegExp] => [
      `pagesMayAsk that is wrong: ${index}`,
      { ...GOOD, pagesMayAsk },
      new RegExp(message),
    ]),
    [
      'endpoints that are null',
      { ...GOOD, endpoints: null },
      /option "endpoints" must be an object/,
    ],
    [
      'an unknown endpoint',
      { ...GOOD, endpoints: { ...HAND, logout: 'https://hunter2.example' } },
      /unknown option "logout" in "endpoints"/,
    ],
    [
      'endpoints without token',
      { ...GOOD, endpoints: { ...HAND, token: undefined } },
      /option "endpoints.token" must be a text/,
    ],
    [
      'device codes by hand without their endpoint',
      { ...GOOD, redirects: ['device-code'], endpoints: HAND },
      /option "endpoints.deviceAuthorization" must be given/,
    ],
    [
      'an endpoint for device codes without TLS',
      { ...GOOD, endpoints: { ...HAND, deviceAuthorization: 'http://hunter2.example/d' } },
      /option "endpoints.deviceAuthorization" must be an "https:" URL/,
    ],
    [
      'a result page of another colour',
      { ...GOOD, resultPage: { accentColor: 'hunter2' } },
      /option "resultPage.accentColor" must be a colour/,
    ],
    [
      'an endpoint without TLS',
      { ...GOOD, endpoints: { ...HAND, token: 'http://hunter2.example/t' } },
      /option "endpoints.token" must be an "https:" URL/,
    ],
    [
      'a loopback endpoint of an https issuer',
      { ...GOOD, endpoints: { ...HAND, token: 'http://127.0.0.1/hunter2' } },
      /option "endpoints.token" must be an "https:" URL, as the issuer is/,
    ],
    [
      'endpoints without jwks where an ID token comes',
      { ...GOOD, endpoints: { ...HAND, jwks: undefined } },
      /option "endpoints.jwks" must be given when the scopes contain "openid"/,
    ],
    [
      'an iss promise that is a text',
      { ...GOOD, endpoints: { ...HAND, issParameterSupported: 'hunter2' } },
      /option "endpoints.issParameterSupported" must be true or false/,
    ],
    [
      'parameters that are a list',
      { ...GOOD, authorizationParameters: ['hunter2'] },
      /option "authorizationParameters" must be an object with string values/,
    ],
    ...['', ' 60', '-1', '1.5', '1e3', '0x10', 'soon', '9999999999'].map(
      (maxAge): [string, object, RegExp] => [
        `a max_age of "${maxAge}"`,
        { ...GOOD, authorizationParameters: { max_age: maxAge } },
        /option "authorizationParameters" must be an object whose "max_age" is a number of seconds/,
      ],
    ),
    [
      'a parameter that is a number',
      { ...GOOD, authorizationParameters: { max_age: 7 } },
      /option "authorizationParameters" must be an object with string values/,
    ],
    [
      'a parameter that is huge',
      { ...GOOD, authorizationParameters: { claims: 'h'.repeat(4097) } },
      /option "authorizationParameters" must be an object with string values of at most/,
    ],
    ...[
      'client_id',
      'redirect_uri',
      'response_type',
      'response_mode',
      'scope',
      'state',
      'nonce',
      'code_challenge',
      'code_challenge_method',
    ].map((name): [string, unknown, RegExp] => [
      `the parameter ${name}`,
      { ...GOOD, authorizationParameters: { [name]: 'hunter2' } },
      new RegExp(`option "authorizationParameters" must be free of "${name}"`),
    ]),
    ['identify as an object', { ...GOOD, identify: {} }, /option "identify" must be a function/],
    ['onLog as a text', { ...GOOD, onLog: 'hunter2' }, /option "onLog" must be a function/],
    [
      'trusted origins as a text',
      { ...GOOD, trustedOrigins: 'https://hunter2.example' },
      /option "trustedOrigins" must be a list of origins/,
    ],
    [
      'a trusted origin with a path',
      { ...GOOD, trustedOrigins: ['https://hunter2.example/'] },
      /option "trustedOrigins" must be a list of origins/,
    ],
    [
      'a trusted origin with a wildcard',
      { ...GOOD, trustedOrigins: ['https://*.hunter2.example'] },
      /option "trustedOrigins" must be a list of origins/,
    ],
    [
      'a trusted origin with a default port, which no page ever has',
      { ...GOOD, trustedOrigins: ['https://hunter2.example:443'] },
      /option "trustedOrigins" must be a list of origins/,
    ],
    [
      'a trusted origin in capitals, which no page ever has',
      { ...GOOD, trustedOrigins: ['https://Hunter2.example'] },
      /option "trustedOrigins" must be a list of origins/,
    ],
    [
      'a trusted origin of an own scheme in capitals, which no page ever has',
      { ...GOOD, trustedOrigins: ['app://Hunter2'] },
      /option "trustedOrigins" must be a list of origins/,
    ],
    [
      'a trusted origin of an own scheme with a port, which no page ever has',
      { ...GOOD, trustedOrigins: ['app://hunter2:80'] },
      /option "trustedOrigins" must be a list of origins/,
    ],
    [
      'a trusted origin of the scheme that brings callbacks',
      { ...GOOD, redirects: ['hunter2.app:/callback'], trustedOrigins: ['hunter2.app://main'] },
      /option "trustedOrigins" must be free of the schemes of "redirects"/,
    ],
    [
      'a window instead of a function that returns it',
      { ...GOOD, appWindow: {} },
      /option "appWindow" must be a function/,
    ],
    [
      'all file pages as a trusted origin',
      { ...GOOD, trustedOrigins: ['file://'] },
      /option "trustedOrigins" must be a list of origins/,
    ],
    [
      'a client secret that is no text',
      { ...GOOD, clientSecret: 7 },
      /option "clientSecret" must be a text of 1 to 1024/,
    ],
    [
      'a client secret with a line break',
      { ...GOOD, clientSecret: 'hunter2\n' },
      /option "clientSecret" must be a text/,
    ],
    [
      'showAdvice as a text',
      { ...GOOD, showAdvice: 'hunter2' },
      /option "showAdvice" must be true or false/,
    ],
    [
      'attachPreload as a text',
      { ...GOOD, attachPreload: 'hunter2' },
      /option "attachPreload" must be true or false/,
    ],
    [
      'singleInstanceLock as null',
      { ...GOOD, singleInstanceLock: null },
      /option "singleInstanceLock" must be true or false/,
    ],
    [
      'a secret store in plain text',
      { ...GOOD, secretStore: 'file' },
      /option "secretStore" must be "auto", "keychain", "safe-storage" or "memory"/,
    ],
    [
      'an empty keychain service',
      { ...GOOD, keychainService: '' },
      /option "keychainService" must be a text of 1 to 256/,
    ],
    [
      'an attempt time that is too short',
      { ...GOOD, attemptTimeoutSeconds: 9 },
      /option "attemptTimeoutSeconds" must be a number from 10 to 3600/,
    ],
    [
      'an attempt time that is no number',
      { ...GOOD, attemptTimeoutSeconds: '300' },
      /option "attemptTimeoutSeconds" must be a number/,
    ],
    [
      'a network time that is NaN',
      { ...GOOD, networkTimeoutSeconds: Number.NaN },
      /option "networkTimeoutSeconds" must be a number from 1 to 120/,
    ],
    [
      'a margin that is endless',
      { ...GOOD, renewEarlySeconds: Infinity },
      /option "renewEarlySeconds" must be a number from 0 to 86400/,
    ],
  ])('refuses %s', (_what, options, expected) => {
    const error = refusal(options);
    expect(error.code).toBe('invalid-options');
    expect(error.message).toMatch(expected);
    expect(error.message).not.toContain('hunter2');
    expect(error.cause).toBeUndefined();
  });

  it.each(['http://127.0.0.1:8080', 'http://[::1]:8080', 'http://localhost:8080'])(
    'accepts an issuer on this computer: %s',
    (issuer) => {
      expect(parseOptions({ ...GOOD, issuer }).issuer).toBe(issuer);
    },
  );

  it.each([
    'https://login.example.com/',
    'https://login.example.com/realms/a',
    'https://login.example.com:8443',
  ])('keeps the issuer %s as it is written', (issuer) => {
    expect(parseOptions({ ...GOOD, issuer }).issuer).toBe(issuer);
  });

  it.each([
    'https://app.example.com',
    'http://localhost:5173',
    'http://[::1]:5173',
    'app://bundle',
  ])('accepts the trusted origin %s', (origin) => {
    expect(parseOptions({ ...GOOD, trustedOrigins: [origin] }).trustedOrigins).toEqual([origin]);
  });

  it('takes an option that is undefined for one that is not given', () => {
    const undefinedOptions = Object.fromEntries(
      [
        'scopes',
        'endpoints',
        'authorizationParameters',
        'identify',
        'trustedOrigins',
        'appWindow',
        'attachPreload',
        'onLog',
        'renewEarlySeconds',
      ].map((name) => [name, undefined]),
    );
    expect(parseOptions({ ...GOOD, ...undefinedOptions })).toEqual(parseOptions(GOOD));
  });
});

describe('the client secret', () => {
  it('is in no dump of the settings', () => {
    const settings = parseOptions({ ...GOOD, clientSecret: 'hunter2' });
    expect(
      [JSON.stringify(settings), inspect(settings, { depth: Infinity, showHidden: true })].join(),
    ).not.toContain('hunter2');
    expect(settings.clientSecret?.()).toBe('hunter2');
  });

  it('is allowed and unwise', () => {
    expect(warningsOf(parseOptions({ ...GOOD, clientSecret: 'hunter2' }))).toEqual([
      expect.stringMatching(/a secret inside an installed app is not secret/),
    ]);
  });
});

describe('the warnings of options', () => {
  it('are none where nothing is unwise', () => {
    expect(warningsOf(parseOptions(GOOD))).toEqual([]);
  });

  it('say once that a scheme has no dot, however many schemes have none', () => {
    expect(
      warningsOf(parseOptions({ ...GOOD, redirects: ['notes:/callback', 'notes2:/callback'] })),
    ).toEqual([expect.stringMatching(/a scheme without a dot/)]);
  });

  it('say that there may be no refresh token without offline_access', () => {
    expect(warningsOf(parseOptions({ ...GOOD, scopes: ['openid'] }))).toEqual([
      expect.stringMatching(/without "offline_access"/),
    ]);
  });

  it('say that http is for a provider on this computer', () => {
    expect(warningsOf(parseOptions({ ...GOOD, issuer: 'http://127.0.0.1:8080' }))).toEqual([
      expect.stringMatching(/"http:" is for a provider on this computer/),
    ]);
  });
});
