// What Latchkey says when a bundler took its modules away from the files that lie beside them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assertOwnFiles, ownFile } from '../../src/main/adapters/own-files.js';

let root = '';
const moduleUrl = (...path: string[]): string => pathToFileURL(join(root, ...path)).href;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'latchkey-own-files-'));
  mkdirSync(join(root, 'dist', 'main', 'adapters'), { recursive: true });
  writeFileSync(join(root, 'dist', 'preload.cjs'), '');
  writeFileSync(join(root, 'dist', 'main', 'adapters', 'keychain-worker.js'), '');
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the files beside the modules', () => {
  it('are found from the package as it is published', () => {
    expect(() => assertOwnFiles(['preload', 'keychain-worker'], { moduleUrl: moduleUrl('dist', 'main', 'adapters', 'own-files.js') })).not.toThrow();
  });

  it('are named when one of them was not shipped, without the folder', () => {
    mkdirSync(join(root, 'half', 'main', 'adapters'), { recursive: true });
    const check = (): void => assertOwnFiles(['preload'], { moduleUrl: moduleUrl('half', 'main', 'adapters', 'own-files.js') });
    expect(check).toThrow(expect.objectContaining({ code: 'files-missing', retry: 'never', message: expect.stringContaining('"preload.cjs" is missing') as string }));
    expect(check).not.toThrow(root);
  });

  it.each([
    ['the name of a bundle', () => moduleUrl('dist', 'main', 'adapters', 'index.js')],
    ['no address at all, as bundles for CommonJS have it', () => ''],
    ['an address that is no file', () => 'webpack:///own-files.js'],
  ])('are not looked for when the module has %s', (_what, url) => {
    expect(() => assertOwnFiles(['preload'], { moduleUrl: url() })).toThrow(expect.objectContaining({ code: 'files-missing', message: expect.stringContaining('was bundled') as string }));
  });

  it('are not believed when webpack bundled the module and left its old address in it', () => {
    expect(() => assertOwnFiles(['preload'], { moduleUrl: moduleUrl('dist', 'main', 'adapters', 'own-files.js'), bundled: true })).toThrow('was bundled');
  });

  it('may be missing when none of them is needed', () => {
    expect(() => assertOwnFiles([], { moduleUrl: undefined, bundled: true })).not.toThrow();
  });

  it('are asked for by their path', () => {
    expect(ownFile('keychain-worker')).toMatch(/[\\/]adapters[\\/]keychain-worker\.js$/);
  });
});
