// The entries of the option "redirects": RFC 8252 says what a native app can use.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthError } from '../../../src/main/core/base/errors.js';
import { requireRedirects } from '../../../src/main/core/options/redirect-option.js';
import { isLoopback } from '../../../src/main/core/options/syntax.js';

function refusal(value: unknown): string {
  try {
    requireRedirects(value);
  } catch (error) {
    if (error instanceof AuthError && error.code === 'invalid-options') return error.message;
    throw error;
  }
  throw new Error('the redirects were accepted');
}

describe('requireRedirects', () => {
  it.each([
    ['com.example.app:/callback', 'com.example.app'],
    ['com.example.app://callback', 'com.example.app'],
    ['com.example.app:callback', 'com.example.app'],
    ['COM.Example.App:/Callback', 'com.example.app'],
    ['app+x-1.y:/cb', 'app+x-1.y'],
    ['msauth.com.example.app://auth', 'msauth.com.example.app'],
  ])('takes %s for the scheme %s', (uri, scheme) => {
    expect(requireRedirects([uri])).toEqual([{ kind: 'custom-scheme', uri, scheme }]);
  });

  it.each([
    ['http://127.0.0.1/callback', '127.0.0.1', null, '/callback'],
    ['http://127.0.0.1:8400/cb', '127.0.0.1', 8400, '/cb'],
    ['http://[::1]/callback', '[::1]', null, '/callback'],
    ['http://localhost:3000', 'localhost', 3000, '/'],
    ['http://127.0.0.1:80/cb', '127.0.0.1', 80, '/cb'],
  ])('takes %s for loopback at %s, port %s, path %s', (uri, host, port, path) => {
    expect(requireRedirects([uri])).toEqual([{ kind: 'loopback', uri, host, port, path }]);
  });

  it('takes "device-code", which has no URI', () => {
    expect(requireRedirects(['device-code'])).toEqual([
      { kind: 'device-code', uri: 'device-code' },
    ]);
  });

  it.each([
    'https://login.microsoftonline.com/common/oauth2/nativeclient',
    'HTTPS://Login.Example.com/Done',
    'urn:ietf:wg:oauth:2.0:oob',
    'urn:ietf:wg:oauth:2.0:oob:auto',
  ])('takes "paste:%s" for a page to paste from, exactly as it is registered', (redirectUri) => {
    expect(requireRedirects([`paste:${redirectUri}`])).toEqual([
      { kind: 'paste', uri: `paste:${redirectUri}`, redirectUri },
    ]);
  });

  it('keeps the order, for the first that works is used', () => {
    expect(requireRedirects(['http://127.0.0.1/a', 'b.c:/d']).map(({ kind }) => kind)).toEqual([
      'loopback',
      'custom-scheme',
    ]);
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /a list of 1 to 16/],
    ['an empty list', [], /a list of 1 to 16/],
    ['too many', Array.from({ length: 17 }, (_, index) => `a.b:/${index}`), /a list of 1 to 16/],
    ['the same twice', ['a.b:/secret', 'a.b:/secret'], /a list without repetition/],
    ['a number', [7], /URIs without spaces/],
    ['a URL object', [new URL('a.b:/secret')], /URIs without spaces/],
    ['a space', ['a.b:/secret path'], /URIs without spaces/],
    ['a line break', ['a.b:/secret\n'], /URIs without spaces/],
    ['a letter beyond ASCII', ['a.b:/secr\u00e9t'], /URIs without spaces/],
    ['no scheme', ['/secret'], /begin with a scheme/],
    ['no colon', ['secret'], /begin with a scheme/],
    ['a scheme that begins with a digit', ['1secret.app:/cb'], /begin with a scheme/],
    ['a scheme with an underscore', ['secret_app.x:/cb'], /begin with a scheme/],
    ['a scheme of one letter, which is a drive on Windows', ['c:/secret'], /begin with a scheme/],
    ['a scheme only', ['com.secret.app:'], /with a path/],
    ['a fragment', ['a.b:/cb#secret'], /without fragment/],
    ['a query', ['a.b:/cb?secret'], /without query/],
    ['a loopback query', ['http://127.0.0.1/cb?secret'], /without query/],
    ['a user name', ['a.b://secret@host/cb'], /without user name/],
    ['a port behind a scheme', ['a.b://secret:99/cb'], /without port/],
    ['https', ['https://secret.example/cb'], /"https:" redirects reach a server/],
    ['https on loopback', ['https://127.0.0.1/secret'], /"https:" redirects reach a server/],
    ['a foreign host', ['http://secret.example/cb'], /this computer only/],
    [
      'a host that only begins like loopback',
      ['http://127.0.0.1.secret.example/cb'],
      /this computer only/,
    ],
    ['every interface', ['http://0.0.0.0/secret'], /this computer only/],
    ['another address of 127/8', ['http://127.0.0.2/secret'], /this computer only/],
    [
      'a device code with more behind it',
      ['device-code:secret'],
      /absolute URIs|with a path|begin with a scheme|private-use/,
    ],
    ['device codes twice', ['device-code', 'device-code'], /without repetition/],
    ['nothing to paste from', ['paste:'], /"paste:" followed by/],
    ['"paste" alone', ['paste'], /"paste:" followed by/],
    ['"Paste" in capitals', ['PASTE:https://secret.example/'], /"paste:" followed by/],
    ['a page to paste from without TLS', ['paste:http://secret.example/'], /"paste:" followed by/],
    ['a loopback page to paste from', ['paste:http://127.0.0.1/secret'], /"paste:" followed by/],
    ['a scheme to paste from', ['paste:com.example.app:/secret'], /"paste:" followed by/],
    ['another urn to paste from', ['paste:urn:ietf:wg:oauth:2.0:secret'], /"paste:" followed by/],
    [
      'a page to paste from with a query',
      ['paste:https://login.example/?secret'],
      /without query and fragment/,
    ],
    [
      'a page to paste from with a fragment',
      ['paste:https://login.example/#secret'],
      /without query and fragment/,
    ],
    [
      'a page to paste from with a user name',
      ['paste:https://secret@login.example/'],
      /without user name/,
    ],
    ['dots in a path', ['a.b:/secret/../cb'], /no browser rewrites/],
    ['dots that are encoded', ['http://127.0.0.1/secret/%2E%2e/cb'], /no browser rewrites/],
    ['a character that is encoded', ['a.b:/{secret}'], /no browser rewrites/],
    ['backslashes', ['http:\\\\127.0.0.1\\secret'], /no browser rewrites/],
    ['one slash before the host', ['http:/127.0.0.1/secret'], /no browser rewrites/],
    ['a short form of the host', ['http://127.1/secret'], /no browser rewrites/],
    ['zeros before the port', ['http://127.0.0.1:05000/secret'], /no browser rewrites/],
    ['zeros before the port 80', ['http://[::1]:080/secret'], /no browser rewrites/],
    ['an empty port', ['a.b://secret:/cb'], /no browser rewrites/],
    ['a long form of the host', ['a.b://[0:0::1]/secret'], /no browser rewrites/],
    ['a page to paste from with zeros', ['paste:https://a.b:0443/secret'], /no browser rewrites/],
    ['a page to paste from with dots', ['paste:https://a.example/./secret'], /no browser rewrites/],
    ['a fixed port of 0', ['http://127.0.0.1:0/secret'], /with a port from 1 to 65535/],
    ['a port too large', ['http://127.0.0.1:65536/secret'], /absolute URIs/],
    ...[
      'javascript',
      'data',
      'file',
      'mailto',
      'blob',
      'about',
      'vscode',
      'ssh',
      'JavaScript',
      'ws',
      'wss',
      'ftp',
      'chrome',
    ].map((scheme): [string, unknown, RegExp] => [
      `the reserved scheme ${scheme}`,
      [`${scheme}:/secret`],
      /private-use schemes|absolute URIs|with a path/,
    ]),
  ])('refuses %s', (_what, value, expected) => {
    const message = refusal(value);
    expect(message).toMatch(/^option "redirects" must be /);
    expect(message).toMatch(expected);
    expect(message).not.toContain('secret');
  });

  const uriLike = fc
    .tuple(
      fc.constantFrom(
        'http://127.0.0.1',
        'http://localhost:',
        'https:',
        'com.example.app:',
        'paste:https://',
        'device-code',
        'urn:',
      ),
      fc.string(),
    )
    .map(([start, rest]) => start + rest);

  it('throws nothing but invalid-options, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: 'binary' }), uriLike, fc.anything({ maxDepth: 1 })), {
          maxLength: 3,
        }),
        (value) => {
          try {
            requireRedirects(value);
          } catch (error) {
            expect(error instanceof AuthError && error.code).toBe('invalid-options');
          }
        },
      ),
    );
  });
});

describe('isLoopback', () => {
  it.each([
    ['127.0.0.1', true],
    ['[::1]', true],
    ['localhost', true],
    ['::1', false],
    ['LOCALHOST', false],
    ['localhost.', false],
    ['localhost.example', false],
    ['', false],
  ])('says of "%s": %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });
});
