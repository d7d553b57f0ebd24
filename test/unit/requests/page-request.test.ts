// What a page sends about a request (core/requests/page-request.ts): everything may be forged.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import {
  parsePageMessage,
  parsePageRequest,
} from '../../../src/main/core/requests/page-request.js';

const GIVEN = {
  url: 'https://api.example.com/v1',
  method: 'POST',
  headers: [['content-type', 'text/plain']],
  body: new Uint8Array([1]),
  redirect: 'follow',
  withCookies: false,
  account: null,
  stepUp: false,
};
const LONG = 'x'.repeat(LIMITS.pageRequestHeadChars + 1);

describe('the request of a page', () => {
  it('is taken as it is, with its members and no others', () => {
    expect(parsePageRequest({ ...GIVEN, token: 1 })).toEqual(GIVEN);
    expect(parsePageRequest({ ...GIVEN, body: 'stream', account: 'a' })).toMatchObject({
      body: 'stream',
      account: 'a',
    });
  });

  it.each([
    ['url', undefined],
    ['url', {}],
    ['url', LONG],
    ['method', ''],
    ['method', 'GET /'],
    ['method', 'G'.repeat(33)],
    ['headers', undefined],
    ['headers', {}],
    ['headers', ['ab']],
    ['headers', [['a']]],
    ['headers', [['a', 'b', 'c']]],
    ['headers', [['a', 1]]],
    ['headers', [['a', ['b']]]],
    ['headers', [['a', LONG]]],
    ['body', 'text'],
    ['body', [1]],
    ['body', new Uint8Array(LIMITS.pageRequestChunkBytes + 1)],
    ['redirect', 'elsewhere'],
    ['withCookies', 1],
    ['account', 7],
    ['account', 'a'.repeat(257)],
    ['stepUp', 'ask'],
  ])('with a wrong %s is refused by its name, and the value is not repeated', (name, value) => {
    expect(() => parsePageRequest({ ...GIVEN, [name]: value })).toThrow(
      expect.objectContaining({
        code: 'page-refused',
        message: `the request of a page has a wrong "${name}"`,
      }),
    );
  });

  it('is refused, and never a crash, whatever it is', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(() => parsePageRequest(value)).toThrow('the request of a page has a wrong');
      }),
    );
  });

  it.each([
    'Cookie',
    'HOST',
    'origin',
    'referer',
    'proxy-authorization',
    'sec-fetch-site',
    'X-HTTP-Method-Override',
    'x-method-override',
    'x-http-method',
    'transfer-encoding',
    'access-control-request-method',
  ])('goes out without the header %s', (name) => {
    const headers = [
      ['a', 'b'],
      [name, 'c'],
    ];
    expect(parsePageRequest({ ...GIVEN, headers }).headers).toEqual([['a', 'b']]);
  });

  it.each(['cookies', 'x-host', 'dates', 'second', 'x-http-methods'])(
    'keeps the header %s',
    (name) => {
      expect(parsePageRequest({ ...GIVEN, headers: [[name, 'c']] }).headers).toEqual([[name, 'c']]);
    },
  );
});

describe('a message of a page', () => {
  it('is one of four', () => {
    const bytes = new Uint8Array(LIMITS.pageRequestChunkBytes);
    for (const message of [
      { type: 'pull' },
      { type: 'end' },
      { type: 'abort' },
      { type: 'chunk', bytes },
    ])
      expect(parsePageMessage({ ...message, more: 1 })).toEqual(message);
    for (const message of [
      null,
      'pull',
      {},
      { type: 'close' },
      { type: 'chunk' },
      { type: 'chunk', bytes: 'text' },
      { type: 'chunk', bytes: new Uint8Array(bytes.length + 1) },
    ])
      expect(parsePageMessage(message)).toBe(null);
  });
});
