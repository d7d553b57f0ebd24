// `npm test` lints only what may be judged otherwise than before: what it leaves out cannot have
// changed.
import { describe, expect, it } from 'vitest';
import { lintKeys } from '../../scripts/test-lint.mjs';

const FILES = {
  'package-lock.json': '{}',
  'eslint.config.js': 'export default [];',
  'src/base.ts': 'export const base: number = 1;',
  'src/middle.ts': "export { base } from './base.js';",
  'src/top.ts': "import { base } from './middle.js';\nexport const top = base;",
  'src/page.cts': "import type { base } from './base.js';\nexport type Page = typeof base;",
  'src/other.ts': 'export const other = 1;',
  'scripts/typed.mjs': "/** @type {import('../src/middle.js').base} */\nexport const typed = 1;",
} as const;

/** Which files are linted again after the change. */
function judgedAgain(change: Readonly<Record<string, string>>): string[] {
  const before = lintKeys(new Map(Object.entries(FILES)));
  const after = lintKeys(new Map(Object.entries({ ...FILES, ...change })));
  return [...after].filter(([path, key]) => before.get(path) !== key).map(([path]) => path);
}

const ALL = Object.keys(FILES).filter((path) => !path.endsWith('.json'));

describe('lint', () => {
  it('leaves out everything when nothing has changed', () => {
    expect(judgedAgain({})).toEqual([]);
  });

  it('judges a file again when what it imports has changed, at whatever distance', () => {
    expect(judgedAgain({ 'src/base.ts': "export const base: string = '';" })).toEqual([
      'src/base.ts',
      'src/middle.ts',
      'src/top.ts',
      'src/page.cts',
      'scripts/typed.mjs',
    ]);
  });

  it('leaves out what a change cannot reach', () => {
    expect(judgedAgain({ 'src/top.ts': 'export const top = 2;' })).toEqual(['src/top.ts']);
  });

  it('judges a file again when the compiler would take another file for its import', () => {
    expect(judgedAgain({ 'src/base.d.ts': 'export declare const base: bigint;' })).toEqual([
      'src/middle.ts',
      'src/top.ts',
      'src/page.cts',
      'scripts/typed.mjs',
      'src/base.d.ts',
    ]);
  });

  it.each([
    ['the lock file', { 'package-lock.json': '{ "changed": true }' }],
    ['the rules', { 'eslint.config.js': 'export default [{}];' }],
    ['a declaration for all', { 'src/all.ts': 'export {};\ndeclare global { var all: number; }' }],
    ['a script without imports', { 'src/all.ts': 'var all = 1;' }],
  ])('judges every file again after a change of %s', (_what, change) => {
    expect(judgedAgain(change)).toEqual(expect.arrayContaining(ALL));
  });
});
