// One comparison of a callback with a redirect, and the exact redirect URI that is sent.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCallback } from '../../../src/main/adapters/custom-scheme/start-arguments.js';
import { parseCallback } from '../../../src/main/core/authorization/callback.js';
import { isLikeAnswer, leadsTo, loopbackUri } from '../../../src/main/core/base/redirect-uri.js';
import { requireRedirects } from '../../../src/main/core/options/redirect-option.js';

const QUERY = '?code=c&state=s';

describe('a redirect URI that is sent', () => {
  it.each([
    ['http://127.0.0.1', 'http://127.0.0.1:5000'],
    ['http://127.0.0.1/', 'http://127.0.0.1:5000/'],
    ['http://localhost', 'http://localhost:5000'],
    ['http://LocalHost/Callback', 'http://LocalHost:5000/Callback'],
    ['HTTP://127.0.0.1/a//b/', 'HTTP://127.0.0.1:5000/a//b/'],
    ['http://[::1]', 'http://[::1]:5000'],
    ['http://[::1]/cb', 'http://[::1]:5000/cb'],
    ['http://127.0.0.1:48123', 'http://127.0.0.1:48123'],
    ['http://127.0.0.1:80/cb', 'http://127.0.0.1:80/cb'],
    ['http://[::1]:48123/cb', 'http://[::1]:48123/cb'],
    ['http://127.0.0.1/%7Eme/a:b', 'http://127.0.0.1:5000/%7Eme/a:b'],
  ])('is %s byte for byte, but for the port: %s', (registered, sent) => {
    const [option] = requireRedirects([registered]);
    if (option?.kind !== 'loopback') throw new Error('no loopback redirect');
    expect(loopbackUri(option, 5000)).toBe(sent);
    expect(leadsTo(new URL(`${sent}${QUERY}`).href, sent)).toBe(true);
  });
});

describe('a callback', () => {
  const same: readonly (readonly [string, string])[] = [
    ['com.example.app:/callback', 'com.example.app:///callback'],
    ['com.example.app:///callback', 'com.example.app:/callback'],
    ['com.example.app:/callback', 'COM.example.App:///callback'],
    ['com.example.app:/', 'com.example.app:///'],
    ['com.example.app://', 'com.example.app:/'],
    ['com.example.app://host', 'com.example.app://HOST/'],
    ['com.example.app://Host/cb', 'com.example.app://host/cb'],
    ['com.example.app:cb', 'com.example.app:cb'],
    ['http://127.0.0.1:80/cb', 'http://127.0.0.1/cb'],
    ['https://login.example:443/code', 'https://login.example/code'],
  ];
  const other: readonly (readonly [string, string])[] = [
    ['com.example.app:/callback', 'com.example.app://callback'],
    ['com.example.app:/callback', 'com.example.app:callback'],
    ['com.example.app:/callback', 'com.example.app:////callback'],
    ['com.example.app:/callback', 'com.example.app:/callback/'],
    ['com.example.app:/callback', 'com.example.app:/x/../callback'],
    ['com.example.app:/callback', 'com.example.app:///x/../callback'],
    ['com.example.app:/callback', 'com.example.app://user@/callback'],
    ['com.example.app:/callback', 'com.example.app:///Callback'],
    ['com.example.app://host/cb', 'com.example.app:/host/cb'],
    ['http://127.0.0.1:443/cb', 'http://127.0.0.1/cb'],
    ['com.example.app://host:443/cb', 'com.example.app://host/cb'],
  ];

  it.each(same)('of %s that comes as %s is found by every way', (redirect, came) => {
    expect(leadsTo(came + QUERY, redirect)).toBe(true);
    expect(parseCallback(came + QUERY, [redirect]).kind).toBe('code');
    expect(findCallback(['app', came + QUERY], [redirect]).kind).toBe('one');
  });

  it.each(other)('of %s is by no way what comes as %s', (redirect, came) => {
    expect(leadsTo(came + QUERY, redirect)).toBe(false);
    expect(parseCallback(came + QUERY, [redirect]).kind).toBe('foreign');
    expect(findCallback(['app', came + QUERY], [redirect]).kind).toBe('none');
  });

  it('is judged alike as an argument of a start and as a URL, whatever it is', () => {
    const part = fc.constantFrom('/', '//', '///', 'cb', 'Cb', 'host', '@', ':', '..', '%2f', '?');
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }).map((parts) => `com.example.app:${parts.join('')}`),
        fc.constantFrom('com.example.app:/cb', 'com.example.app://host/cb', 'com.example.app:///'),
        (url, redirect) => {
          const isCallback = parseCallback(url, [redirect]).kind !== 'foreign';
          expect(findCallback([url], [redirect]).kind === 'one').toBe(isCallback);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('whose question mark stands in the fragment has no parameters', () => {
    const url = `com.example.app:/cb#x${QUERY}`;
    expect(parseCallback(url, ['com.example.app:/cb']).kind).toBe('malformed');
  });
});

describe('a URL', () => {
  it.each([
    ['?code=c', true],
    ['?x=1&state=s', true],
    ['?error=access_denied', true],
    ['#state=s', true],
    ['?barcode=c', false],
    ['?codes=c', false],
    ['/code=c', false],
    ['', false],
  ])('that ends with %j is like an answer: %s', (end, expected) => {
    expect(isLikeAnswer(`com.example.app:/other${end}`)).toBe(expected);
  });
});
