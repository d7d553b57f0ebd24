// docs/testing.md lists every fault and every change of an ID token that the code has.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const all = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map((match) => match[1] ?? '').sort();

const document = read('docs/testing.md');
const faults = read('src/testing/server/faults.ts');

test('the table of faults has the kinds of the type Fault and no others', () => {
  expect(all(document, /^\| `([a-z-]+)` \|/gm)).toEqual(all(faults, /readonly kind: '([a-z-]+)'/g));
});

test('the list of ID token changes has those of the type IdTokenChange and no others', () => {
  const sentence = /The changes of an ID token:[\s\S]*?\n\n/.exec(document)?.[0] ?? '';
  const type = /type IdTokenChange =[\s\S]*?;/.exec(faults)?.[0] ?? '';
  expect(all(sentence, /`([a-z0-9-]+)`/g)).toEqual(all(type, /^ {2}\| '([a-z0-9-]+)'/gm));
});
