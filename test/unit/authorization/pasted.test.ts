// What a person pasted: told apart before anybody looks for an attempt.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/main/core/base/limits.js';
import { parsePasted } from '../../../src/main/core/authorization/callback.js';

describe('parsePasted', () => {
  it.each([
    'com.example.app:/callback?code=c&state=s',
    'http://127.0.0.1:49152/callback?code=c&state=s',
    'https://login.example.com/done?code=c&state=s&iss=https%3A%2F%2Fid.example',
    'urn:ietf:wg:oauth:2.0:oob?code=c&state=s',
    'https://login.example.com/done?error=access_denied&state=s',
    'https://login.example.com/done?code=c#fragment',
  ])('takes %s for an address', (text) => {
    expect(parsePasted(`\t ${text} \r\n`)).toEqual({ kind: 'url', url: text });
  });

  it.each([
    ['c0de', 'c0de', null],
    ['4/0AX4XfWh_abc-DEF~123', '4/0AX4XfWh_abc-DEF~123', null],
    ['M.C105_BAY.2.U.0e1*xyz!abc$def', 'M.C105_BAY.2.U.0e1*xyz!abc$def', null],
    ['QUJDREVGRw==', 'QUJDREVGRw==', null],
    ['abc:def', 'abc:def', null],
    ['c0de#st4te', 'c0de', 'st4te'],
  ])('takes %s for the code %s with the state %s', (text, code, state) => {
    expect(parsePasted(` ${text}\n`)).toEqual({ kind: 'code', code, state });
  });

  it.each([
    undefined,
    null,
    7,
    true,
    {},
    ['c0de'],
    '',
    ' ',
    '\n',
    'two words',
    'line\nbreak',
    'nul\u0000',
    'bidi\u202e',
    'ümlaut',
    '"c0de"',
    '<c0de>',
    'c0de?',
    'code=c0de',
    'code=c0de&state=s',
    '?code=c',
    '#',
    'c#',
    '#s',
    'c#s#t',
    'https://login.example.com/done',
  ])('takes %j for nothing', (text) => {
    expect(parsePasted(text)).toMatchObject({ kind: 'unusable' });
  });

  it('looks at nothing that is longer than any callback', () => {
    expect(parsePasted('c'.repeat(LIMITS.callbackLength))).toMatchObject({ kind: 'code' });
    expect(parsePasted('c'.repeat(LIMITS.callbackLength + 1))).toMatchObject({ kind: 'unusable' });
    expect(parsePasted(' '.repeat(10 ** 6))).toMatchObject({ kind: 'unusable' });
  });

  it('throws for nothing, and its words repeat nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((rest) => `https://login.example.com/${rest}`),
          fc.anything({ maxDepth: 1 }),
        ),
        (text) => {
          const pasted = parsePasted(text);
          if (pasted.kind === 'unusable')
            expect(pasted.detail).toMatch(/^(the pasted (text|value)|nothing was pasted)/);
        },
      ),
    );
  });
});
