// latchkey/main in a page: a real bundler resolves the package as for browsers, and the page says
// what is wrong. The package is this repository, built.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import vm from 'node:vm';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../scripts/build.mjs';
import { ROOT } from './sources.js';

let folder = '';

beforeAll(async () => {
  await build({ ifNeeded: true });
  folder = mkdtempSync(join(tmpdir(), 'latchkey-page-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'latchkey'));
});
afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

/** The script that a bundler makes of this one. */
async function bundled(code: string, platform: 'browser' | 'node'): Promise<string> {
  const entry = join(folder, `${platform}.js`);
  writeFileSync(entry, code);
  const bundle = await rolldown({
    input: entry,
    cwd: folder,
    platform,
    external: ['electron', /^node:/],
  });
  try {
    const { output } = await bundle.generate({ format: platform === 'node' ? 'esm' : 'iife' });
    return output.map((part) => (part.type === 'chunk' ? part.code : '')).join('\n');
  } finally {
    await bundle.close();
  }
}

describe('latchkey/main in the bundle of a page', () => {
  it.each([
    ['latchkey/main', 'import { createAuth, AuthError } from'],
    ['latchkey', 'import { createAuth } from'],
    ['latchkey/main', 'import * as everything from'],
    ['latchkey/main', 'import'],
  ])('says what to import there: %s, by %s', async (name, how) => {
    const names = /\{(.*)\}/.exec(how)?.[1] ?? (how.includes('*') ? 'everything' : '');
    const script = await bundled(`${how} '${name}';\nconsole.log(${names});`, 'browser');
    expect(() => void vm.runInNewContext(script, { console })).toThrow(
      /In a page, import "latchkey\/renderer"/,
    );
  });

  it('has every name that latchkey/main exports, so that no bundler stops at one first', async () => {
    const place = join(ROOT, 'dist', 'renderer', 'main-in-page.js');
    const stub = await bundled(`export * from '${place}';`, 'node');
    const main = (await import('../../src/main/index.js')) as object;
    for (const name of Object.keys(main)) expect(stub).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it('is the real one for a bundler of Node, and for Node', async () => {
    const script = await bundled("export { createAuth } from 'latchkey/main';", 'node');
    expect(script).not.toContain('was bundled for a page');
    expect(script).toContain('requestSingleInstanceLock');
  });
});
