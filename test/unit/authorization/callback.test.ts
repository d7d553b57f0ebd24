// A URL from outside: anyone can send one, so it is told apart exactly, and nothing that it says
// can throw.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCallback } from '../../../src/main/core/authorization/callback.js';
import { leadsTo } from '../../../src/main/core/base/redirect-uri.js';
import { LIMITS } from '../../../src/main/core/base/limits.js';

const SCHEME = 'com.example.app:/callback';
const LOOPBACK = 'http://127.0.0.1:49152/callback';
const OPEN = [SCHEME, LOOPBACK];
const kindOf = (url: string, open: readonly string[] = OPEN): string =>
  parseCallback(url, open).kind;

describe('parseCallback', () => {
  it.each([SCHEME, LOOPBACK])('finds code and state in %s', (uri) => {
    const parsed = parseCallback(`${uri}?code=c%2Fd&state=s&session_state=x`, OPEN);
    expect(parsed.kind === 'code' && [parsed.state, parsed.parameters.get('code')]).toEqual([
      's',
      'c/d',
    ]);
  });

  it('takes an error for a denial, also beside a code', () => {
    expect(kindOf(`${SCHEME}?error=access_denied&state=s`)).toBe('denied');
    expect(kindOf(`${SCHEME}?error=access_denied&code=c&state=s`)).toBe('denied');
  });

  it.each([
    ['another scheme', 'com.example.apps:/callback?code=c&state=s'],
    ['another path', 'com.example.app:/callback2?code=c&state=s'],
    ['a path in other case', 'com.example.app:/Callback?code=c&state=s'],
    ['a deeper path', 'com.example.app:/callback/x?code=c&state=s'],
    ['a slash at the end', 'com.example.app:/callback/?code=c&state=s'],
    ['a host before the path', 'com.example.app://callback?code=c&state=s'],
    ['another port', 'http://127.0.0.1:49153/callback?code=c&state=s'],
    ['no port', 'http://127.0.0.1/callback?code=c&state=s'],
    ['another host', 'http://127.0.0.2:49152/callback?code=c&state=s'],
    ['the name of the host', 'http://localhost:49152/callback?code=c&state=s'],
    ['https', 'https://127.0.0.1:49152/callback?code=c&state=s'],
    ['a user name', 'http://ada@127.0.0.1:49152/callback?code=c&state=s'],
    ['a password', 'http://:pw@127.0.0.1:49152/callback?code=c&state=s'],
    ['our host as a user name', 'http://127.0.0.1:49152@evil.example/callback?code=c&state=s'],
    ['no URL at all', 'callback?code=c&state=s'],
    ['nothing', ''],
  ])('calls a URL with %s foreign', (_what, url) => {
    expect(kindOf(url)).toBe('foreign');
  });

  it('knows scheme and host in any case, as RFC 3986 does', () => {
    expect(kindOf('COM.Example.App:/callback?code=c&state=s')).toBe('code');
    expect(kindOf('com.example.app://Host/cb?code=c&state=s', ['com.example.app://host/cb'])).toBe(
      'code',
    );
  });

  it('accepts the slash that browsers add where a redirect URI has no path', () => {
    expect(kindOf('com.example.app://host/?code=c&state=s', ['com.example.app://host'])).toBe(
      'code',
    );
    expect(kindOf('http://127.0.0.1:5000?code=c&state=s', ['http://127.0.0.1:5000/'])).toBe('code');
  });

  it('looks past a fragment that a provider appends', () => {
    expect(kindOf(`${SCHEME}?code=c&state=s#_=_`)).toBe('code');
    expect(kindOf(`${SCHEME}#code=c&state=s`)).toBe('malformed');
  });

  it.each(['state', 'code', 'error', 'iss'])('refuses "%s" that comes twice', (name) => {
    expect(kindOf(`${SCHEME}?code=c&state=s&error=e&iss=i&${name}=other`)).toBe('malformed');
  });

  it.each(['code=c', 'code=c&state=', 'state=s', 'state=s&code=', '', 'STATE=s&CODE=c'])(
    'calls "?%s" malformed',
    (query) => {
      expect(kindOf(`${SCHEME}?${query}`)).toBe('malformed');
    },
  );

  it('names the state of a malformed answer only when there is exactly one', () => {
    const stateOf = (query: string): unknown => {
      const parsed = parseCallback(`${SCHEME}?${query}`, OPEN);
      return parsed.kind === 'malformed' ? parsed.state : parsed.kind;
    };
    for (const query of ['state=s', 'state=s&code=', 'state=s&code=c&code=d', 'error=&state=s'])
      expect(stateOf(query)).toBe('s');
    expect(stateOf('state=s&code=c&iss=a&iss=b')).toBe('s');
    for (const query of ['', 'code=c', 'code=c&state=', 'code=&state=s&state=s', 'state=s&state='])
      expect(stateOf(query)).toBeNull();
  });

  it('takes an empty "error" for none (RFC 6749 §3.1)', () => {
    expect(kindOf(`${SCHEME}?code=c&state=s&error=`)).toBe('code');
  });

  it('measures before it parses', () => {
    expect(kindOf(`${SCHEME}?state=s&code=${'c'.repeat(LIMITS.callbackLength)}`)).toBe('malformed');
    expect(kindOf(`${SCHEME}?state=s&code=${'c'.repeat(LIMITS.callbackLength - 100)}`)).toBe(
      'code',
    );
  });

  it('repeats nothing of the URL in its detail', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (text) => {
        const parsed = parseCallback(
          `${SCHEME}?code=${encodeURIComponent(text)}&code=x&state=${encodeURIComponent(text)}`,
          OPEN,
        );
        expect(parsed.kind === 'malformed' && parsed.detail).toBe(
          'parameter "code" more than once',
        );
      }),
    );
  });

  it('throws for no text', () => {
    const near = fc
      .tuple(fc.constantFrom(...OPEN, 'com.example.app', 'http://'), fc.string({ unit: 'binary' }))
      .map(([start, rest]) => start + rest);
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl(), near),
        fc.array(fc.string()),
        (url, open) => {
          expect(['code', 'denied', 'foreign', 'malformed']).toContain(
            kindOf(url, [...OPEN, ...open]),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives the same code and state that went in, whatever their characters', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'grapheme' }),
        fc.string({ minLength: 1, unit: 'grapheme' }),
        (code, state) => {
          const parsed = parseCallback(
            `${SCHEME}?${new URLSearchParams({ code, state }).toString()}`,
            OPEN,
          );
          expect(parsed.kind === 'code' && [parsed.parameters.get('code'), parsed.state]).toEqual([
            code,
            state,
          ]);
        },
      ),
    );
  });
});

describe('leadsTo', () => {
  it('throws for no pair of texts', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (url, redirectUri) => {
        expect(typeof leadsTo(url, redirectUri)).toBe('boolean');
      }),
    );
  });
});
