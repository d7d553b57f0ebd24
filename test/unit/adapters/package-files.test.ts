// What Latchkey says when a bundler took its modules away from the files that lie beside them.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownFile, whyFilesMissing } from '../../../src/main/adapters/package-files.js';

let root = '';
const moduleUrl = (...path: string[]): string => pathToFileURL(join(root, ...path)).href;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'latchkey-package-files-'));
  mkdirSync(join(root, 'dist', 'main', 'adapters', 'secrets'), { recursive: true });
  writeFileSync(join(root, 'dist', 'preload.cjs'), '');
  writeFileSync(join(root, 'dist', 'main', 'adapters', 'secrets', 'keychain-worker.js'), '');
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the files beside the modules', () => {
  it('are found from the package as it is published', () => {
    expect(
      whyFilesMissing(['preload', 'keychain-worker'], {
        moduleUrl: moduleUrl('dist', 'main', 'adapters', 'package-files.js'),
      }),
    ).toBeNull();
  });

  it('are named when one of them was not shipped, without the folder', () => {
    mkdirSync(join(root, 'half', 'main', 'adapters'), { recursive: true });
    const text = whyFilesMissing(['preload'], {
      moduleUrl: moduleUrl('half', 'main', 'adapters', 'package-files.js'),
    });
    expect(text).toContain('"preload.cjs" is missing');
    expect(text).not.toContain(root);
  });

  it.each([
    ['the name of a bundle', () => moduleUrl('dist', 'main', 'adapters', 'index.js')],
    ['no address at all, as bundles for CommonJS have it', () => ''],
    ['an address that is no file', () => 'webpack:///package-files.js'],
  ])('are not looked for when the module has %s', (_what, url) => {
    expect(whyFilesMissing(['preload'], { moduleUrl: url() })).toContain('was bundled');
  });

  it('are not believed when webpack bundled the module and left its old address in it', () => {
    expect(
      whyFilesMissing(['preload'], {
        moduleUrl: moduleUrl('dist', 'main', 'adapters', 'package-files.js'),
        bundled: true,
      }),
    ).toContain('was bundled');
  });

  it('may be missing when none of them is needed', () => {
    expect(whyFilesMissing([], { moduleUrl: undefined, bundled: true })).toBeNull();
  });

  it('are not called missing when the system only does not tell', () => {
    mkdirSync(join(root, 'loop', 'main', 'adapters'), { recursive: true });
    // A link that leads to itself is there, and cannot be looked at: ELOOP.
    symlinkSync(join(root, 'loop', 'preload.cjs'), join(root, 'loop', 'preload.cjs'));
    expect(
      whyFilesMissing(['preload'], {
        moduleUrl: moduleUrl('loop', 'main', 'adapters', 'package-files.js'),
      }),
    ).toBeNull();
  });

  it('are asked for by their path', () => {
    expect(ownFile('keychain-worker')).toMatch(
      /[\\/]adapters[\\/]secrets[\\/]keychain-worker\.js$/,
    );
  });

  it('lead to the manifest of the package itself', () => {
    const manifest = JSON.parse(readFileSync(ownFile('manifest'), 'utf8')) as { name: string };
    expect(manifest.name).toBe('latchkey');
  });
});
