// The examples as texts: what docs/bundlers.md shows stands in them, and they know Latchkey by its
// package only. That they build and sign in is shown by test/e2e/examples.spec.ts.
import { dirname, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exampleNames } from '../../scripts/examples.mjs';
import { codeBlocks } from './documents.js';
import { committedFiles, importsOf, parseText, read } from './sources.js';

const FILES = committedFiles().filter((path) => path.startsWith('examples/'));

describe('the examples', () => {
  it('hold every piece of code that docs/bundlers.md shows, word by word', () => {
    const texts = FILES.map(read);
    const shown = codeBlocks('docs/bundlers.md').filter(
      ({ language }) => language === 'js' || language === 'html',
    );
    expect(shown.length).toBeGreaterThanOrEqual(5);
    expect(
      shown
        .filter(({ code }) => !texts.some((text) => text.includes(code)))
        .map(({ line }) => `docs/bundlers.md:${line}`),
    ).toEqual([]);
  });

  it('reach Latchkey by its package, never by its sources', () => {
    const outside = FILES.filter((path) => /\.[cm]?[jt]s$/.test(path)).flatMap((path) =>
      importsOf(parseText(path, read(path)))
        .filter(
          ({ from }) =>
            from.startsWith('.') && !posix.join(dirname(path), from).startsWith('examples/'),
        )
        .map(({ from }) => `${path} imports ${from}`),
    );
    expect(outside).toEqual([]);
  });

  it('are named in their README, each', () => {
    const readme = read('examples/README.md');
    expect(exampleNames().length).toBeGreaterThanOrEqual(4);
    expect(exampleNames().filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });

  it('pin what they are built with, and do not name Latchkey: it comes from a tarball', () => {
    const { devDependencies } = JSON.parse(read('examples/package.json')) as {
      devDependencies: Record<string, string>;
    };
    expect(
      Object.entries(devDependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
    ).toEqual([]);
    expect(devDependencies).not.toHaveProperty('latchkey');
  });
});
