// Which addresses may get a token: the list of the host, and nothing that looks like it.
import { describe, expect, it } from 'vitest';
import { parseApis } from '../../../src/main/core/options/apis-option.js';
import { apiFor, isPlain } from '../../../src/main/core/requests/api-list.js';

const APIS = parseApis(
  {
    notes: { origin: 'https://api.example.com', paths: ['/v1'], methods: ['GET', 'POST'] },
    admin: { origin: 'https://api.example.com', paths: ['/v1/admin/'], methods: ['GET'] },
    local: { origin: 'http://127.0.0.1:4000' },
  },
  'apis',
);

const nameOf = (address: string, method = 'GET'): string =>
  apiFor(APIS, address, method, 'host').api.name;

describe('the API of an address', () => {
  it.each([
    ['https://api.example.com/v1', 'GET', 'notes'],
    ['https://api.example.com/v1?q=%2e%2e/', 'GET', 'notes'],
    ['https://api.example.com/v1/notes/a%2Fb', 'POST', 'notes'],
    ['https://api.example.com/v1/100%25;v=2/..a/a..', 'GET', 'notes'],
    ['https://api.example.com:443/v1/', 'GET', 'notes'],
    ['HTTPS://API.EXAMPLE.COM/v1/', 'GET', 'notes'],
    ['https://api.example.com/v1/admin/users', 'GET', 'admin'],
    ['https://api.example.com/v1/admin', 'GET', 'notes'],
    ['https://api.example.com/v1/admin/users', 'POST', 'notes'],
    ['http://127.0.0.1:4000', 'DELETE', 'local'],
  ])('of %s by %s is "%s"', (address, method, name) => {
    expect(nameOf(address, method)).toBe(name);
  });

  it.each([
    'https://api.example.com/',
    'https://api.example.com/v10',
    'https://api.example.com/V1/',
    'https://api.example.com:8443/v1',
    'http://api.example.com/v1',
    'https://api.example.com.evil.example/v1',
    'https://evil.example/v1',
    'https://127.0.0.1:4000/',
    'http://localhost:4000/',
    'http://127.0.0.1:4001/',
  ])('is none for %s', (address) => {
    expect(() => nameOf(address)).toThrow(/the option "apis" lists/);
  });

  it('is none for a method that the list leaves out', () => {
    expect(() => nameOf('https://api.example.com/v1', 'DELETE')).toThrow('the method DELETE');
  });

  it('is not told in the error: its query may hold a secret', () => {
    expect(() => nameOf('https://evil.example/v1?key=hunter2')).toThrow(/^(?!.*hunter2)/);
  });
});

describe('an address that parsers read differently', () => {
  it.each([
    '//evil.example/v1',
    '/v1',
    'v1',
    '',
    'https:/api.example.com/v1',
    'https:api.example.com/v1',
    'https:\\\\api.example.com/v1',
    'https://api.example.com\\@evil.example/v1',
    'https://api.example.com/v1\\..\\admin',
    'https://ada:pw@api.example.com/v1',
    'https://@api.example.com/v1',
    'https://api.example.com/v1/../admin',
    'https://api.example.com/v1/.',
    'https://api.example.com/v1/%2e%2e/admin',
    'https://api.example.com/v1/%2E./admin',
    'https://api.example.com/v1%2f..%2fadmin',
    'https://api.example.com/v1%5c..%5cadmin',
    'https://api.example.com/v1/..;/admin',
    'https://api.example.com/v1/..;v=1/admin',
    'https://api.example.com/v1/.;/notes',
    'https://api.example.com/v1/..%3b/admin',
    'https://api.example.com/v1/%252e%252e/admin',
    'https://api.example.com/v1/a%252F..%25252fadmin',
    'https://api.example.com/v1/\tnotes',
    'https://api.example.com/v1 /notes',
    ' https://api.example.com/v1',
    'https://api.example.com/v1\n',
    'https://api.exämple.com/v1',
    'ftp://api.example.com/v1',
    'file:///v1',
    'javascript:alert(1)',
  ])('is refused: %j', (address) => {
    expect(isPlain(address)).toBe(false);
    expect(() => nameOf(address)).toThrow(/absolute "http:" or "https:" URLs/);
  });
});

describe('the option "apis"', () => {
  const parse = (entry: object): unknown => parseApis({ notes: entry }, 'apis');

  it.each([
    [{}, 'option "apis.notes.origin" must be an origin'],
    [{ origin: 'https://api.example.com/' }, '"apis.notes.origin"'],
    [{ origin: 'https://API.example.com' }, '"apis.notes.origin"'],
    [{ origin: 'https://api.example.com:443' }, '"apis.notes.origin"'],
    [{ origin: 'http://api.example.com' }, '"apis.notes.origin"'],
    [{ origin: 'https://*.example.com' }, '"apis.notes.origin"'],
    [{ origin: 'https://a.example', paths: [] }, '"apis.notes.paths"'],
    [{ origin: 'https://a.example', paths: ['v1'] }, '"apis.notes.paths"'],
    [{ origin: 'https://a.example', paths: ['/v1/../x'] }, '"apis.notes.paths"'],
    [{ origin: 'https://a.example', paths: ['/v1?x'] }, '"apis.notes.paths"'],
    [{ origin: 'https://a.example', methods: ['get'] }, '"apis.notes.methods"'],
    [{ origin: 'https://a.example', methods: ['TRACE'] }, '"apis.notes.methods"'],
    [{ origin: 'https://a.example', resource: 'notes' }, '"apis.notes.resource"'],
    [{ origin: 'https://a.example', scopes: ['a b'] }, '"apis.notes.scopes"'],
    [{ origin: 'https://a.example', path: ['/v1'] }, 'unknown option "path" in "apis.notes"'],
  ])('names the member of a wrong entry: %j', (entry, message) => {
    expect(() => parse(entry)).toThrow(message);
  });

  it.each([[null], [[]], ['x'], [{ 'a b': {} }]])('is refused as %j', (value) => {
    expect(() => parseApis(value, 'apis')).toThrow('option "apis" must be an object');
  });

  const A = 'https://a.example';
  it.each([
    [{}, {}],
    [{ paths: ['/v1', '/v2'] }, { paths: ['/v2', '/v3'] }],
    [{ methods: ['GET', 'PUT'] }, { methods: ['PUT'] }],
    [{ methods: ['GET'] }, {}],
    [{}, { methods: ['GET'] }],
  ])('is refused with two entries for the same requests: %j and %j', (one, other) => {
    expect(() =>
      parseApis({ a: { origin: A, ...one }, b: { origin: A, ...other } }, 'apis'),
    ).toThrow('option "apis.b" must be for other paths or methods than "apis.a"');
  });

  it.each([
    [{ paths: ['/v1'] }, { paths: ['/v2'] }],
    [{ paths: ['/v1'] }, { paths: ['/v1/admin'] }],
    [{ methods: ['GET'] }, { methods: ['PUT'] }],
    [{}, { origin: 'https://b.example' }],
  ])('takes two entries for different requests: %j and %j', (one, other) => {
    expect(
      parseApis({ a: { origin: A, ...one }, b: { origin: A, ...other } }, 'apis'),
    ).toHaveLength(2);
  });
});
