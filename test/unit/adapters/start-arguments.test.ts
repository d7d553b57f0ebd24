import { describe, expect, it } from 'vitest';
import {
  createProbe,
  findCallback,
  findProbe,
  findRawCallback,
  fromAdditionalData,
  LINK_SENTINEL,
  toAdditionalData,
} from '../../../src/main/adapters/custom-scheme/start-arguments.js';

const URIS = ['com.example.notes:/callback'];
const url = 'com.example.notes:/callback?code=c&state=s';
const linked = ['C:\\Notes\\Notes.exe', LINK_SENTINEL, '--', url];

describe('a start by a link that Windows pasted into the registered command', () => {
  it('is a callback when exactly one URL follows the sentinel', () => {
    expect(findRawCallback(linked, URIS)).toEqual({ kind: 'one', url });
    expect(
      findRawCallback(['Electron.exe', 'C:\\src\\notes', LINK_SENTINEL, '--', url], URIS),
    ).toEqual({ kind: 'one', url });
  });

  it.each([
    ['a switch', [...linked, '--inspect=0.0.0.0:9229']],
    [
      'a switch in front of the URL',
      ['Notes.exe', LINK_SENTINEL, '--', '--gpu-launcher=calc.exe', url],
    ],
    ['a second callback', [...linked, url]],
    ['another URL of the scheme', [...linked, 'com.example.notes:/other']],
    ['a file', [...linked, 'C:\\Windows\\system.ini']],
  ])('is refused when the URL broke out of its quotes and brought %s', (_name, argv) => {
    expect(findRawCallback(argv, URIS)).toEqual({ kind: 'many' });
  });

  it('is no callback when the one word behind the sentinel is none', () => {
    expect(findRawCallback(['Notes.exe', LINK_SENTINEL, '--', '--inspect'], URIS)).toEqual({
      kind: 'none',
    });
    expect(findRawCallback(['Notes.exe', LINK_SENTINEL, '--'], URIS)).toEqual({ kind: 'none' });
  });

  it('is still told apart in arguments that Chromium has moved and added to', () => {
    const moved = [
      'Notes.exe',
      LINK_SENTINEL,
      '--allow-file-access-from-files',
      '--original-process-start-time=1',
      'C:\\src\\notes',
      url,
    ];
    expect(findCallback(moved, URIS)).toEqual({ kind: 'one', url });
    expect(findCallback([...moved, 'com.example.notes:/other'], URIS)).toEqual({ kind: 'many' });
  });

  it('is told to the first instance as refused, without what it brought', () => {
    const sent = fromAdditionalData(toAdditionalData([...linked, '--inspect'], URIS));
    expect(findCallback(sent, URIS)).toEqual({ kind: 'many' });
    expect(sent).not.toContain('--inspect');
    expect(fromAdditionalData(toAdditionalData(linked, URIS))).toEqual([url]);
  });
});

describe('a probe', () => {
  const probe = createProbe('com.example.notes');

  it('is another one each time, and no callback', () => {
    expect(createProbe('com.example.notes')).not.toBe(probe);
    expect(probe).toMatch(/^com\.example\.notes:\/latchkey-probe\?nonce=[\w-]{43}$/);
    expect(findCallback(['notes', probe], URIS)).toEqual({ kind: 'none' });
  });

  it('is found among the arguments of a start, and goes along to the first instance', () => {
    expect(findProbe(['notes', '--flag', probe], URIS)).toBe(probe);
    expect(fromAdditionalData(toAdditionalData(['notes', '--token=secret', probe], URIS))).toEqual([
      probe,
    ]);
  });

  it.each(['com.example.notes:///', 'COM.Example.Notes:/'])(
    'is the same one when a desktop brings it behind %s',
    (begin) => {
      const word = probe.replace('com.example.notes:/', begin);
      expect(findProbe(['notes', word], URIS)).toBe(probe);
    },
  );

  it.each([
    'com.example.notes:/latchkey-probe',
    `com.example.notes://latchkey-probe?nonce=${'n'.repeat(43)}`,
    'com.example.notes:/latchkey-probe?nonce=short',
    `com.example.notes:/latchkey-probe?nonce=${'n'.repeat(43)}&code=c`,
    `com.example.notes:/latchkey-probe/x?nonce=${'n'.repeat(43)}`,
    `com.example.other:/latchkey-probe?nonce=${'n'.repeat(43)}`,
    `--x=com.example.notes:/latchkey-probe?nonce=${'n'.repeat(43)}`,
  ])('is not %j', (word) => {
    expect(findProbe(['notes', word], URIS)).toBeNull();
  });
});
