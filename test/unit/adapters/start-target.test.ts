// What a link has to start in development (adapters/custom-scheme/start-target.ts), on real files.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findStartTarget } from '../../../src/main/adapters/custom-scheme/start-target.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(realpathSync(tmpdir()), "latchkey-it's-"));
  for (const folder of ['notes/dist', 'loose', 'bare/dist'])
    mkdirSync(join(root, folder), { recursive: true });
  for (const file of [
    'notes/package.json',
    'notes/dist/main.js',
    'notes/dist/index.js',
    'loose/index.js',
    'bare/dist/main.js',
  ])
    writeFileSync(join(root, file), '{}');
  symlinkSync(join(root, 'notes'), join(root, 'linked'));
  symlinkSync(join(root, 'bare', 'dist', 'main.js'), join(root, 'start.js'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const find = (appPath: string, ...argv: readonly string[]): string | null => {
  const found = findStartTarget({
    appPath: join(root, appPath),
    argv: ['electron', ...argv],
    workingFolder: join(root, 'notes'),
  });
  return found === null ? null : found.slice(root.length + 1);
};

describe('the target of a start', () => {
  it.each([
    ['the folder', 'notes', ['.'], 'notes'],
    ['the folder behind switches', 'notes', ['--inspect=0', '-r', './x.cjs', '.', 'a'], 'notes'],
    ['the folder that --app names', 'notes', ['--app=../notes', 'a'], 'notes'],
    ['a file', 'notes/dist', ['dist/main.js'], 'notes/dist/main.js'],
    ['a file without its ending', 'notes/dist', ['dist/main'], 'notes/dist/main'],
    ['a folder with an index.js', 'notes/dist', ['dist'], 'notes/dist'],
    ['a link to the folder', 'linked', ['../linked'], 'linked'],
    ['a file that --app names', 'bare/dist', ['--app=../bare/dist/main.js'], 'bare/dist/main.js'],
    [
      'a file behind a switch with a word of its own',
      'bare/dist',
      ['--require', './x.cjs', '../bare/dist/main.js'],
      'bare/dist/main.js',
    ],
    ['a link to a file, which Electron follows', 'bare/dist', ['../start.js'], 'start.js'],
    ['a link to a file, which a wrapper does not follow', '', ['../start.js'], 'start.js'],
  ])('is %s, as it was named', (_name, appPath, argv, target) => {
    expect(find(appPath, ...argv)).toBe(target);
  });

  it.each([
    ['a package.json', 'notes', 'notes'],
    ['an index.js', 'loose', 'loose'],
  ])("is the app's folder if a wrapper has other words, and the folder has %s", (_n, path, is) => {
    expect(find(path, 'wrapper.js', 'x')).toBe(is);
    expect(find(path)).toBe(is);
    expect(find(path, '../bare/dist/main.js')).toBe(is);
  });

  it('is none if no word leads to the app, and its folder has nothing to start', () => {
    expect(find('bare/dist', 'wrapper.js')).toBeNull();
    expect(find('bare/dist', '.')).toBeNull();
    expect(find('gone', 'gone/main.js')).toBeNull();
  });
});
