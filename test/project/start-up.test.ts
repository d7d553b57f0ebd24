// What an app reads before its first window because of Latchkey, counted in the files that npm
// publishes.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../scripts/build.mjs';
import { ROOT, importsOf, packageOf, parseText } from './sources.js';

/**
 * Not minified, as they are published. A tenth more than today would be a mistake that somebody
 * should see.
 */
const BYTES_MAX = 58_000;

const DIST = join(ROOT, 'dist', 'main');

/** The files that are loaded with this one, and the packages that they need at once. */
function loadedWith(entry: string): {
  readonly files: readonly string[];
  readonly packages: readonly string[];
  readonly bytes: number;
} {
  const files = new Set([join(DIST, entry)]);
  const packages = new Set<string>();
  for (const file of files) {
    for (const { from, kind } of importsOf(parseText(file, readFileSync(file, 'utf8')))) {
      if (kind !== 'static') continue;
      const name = packageOf(from);
      if (name !== null) packages.add(name);
      else if (from.startsWith('.')) files.add(join(dirname(file), from));
    }
  }
  return {
    files: [...files].map((file) => relative(DIST, file)).sort(),
    packages: [...packages].sort(),
    bytes: [...files].reduce((sum, file) => sum + readFileSync(file).length, 0),
  };
}

beforeAll(async () => {
  await build({ ifNeeded: true });
});

describe('the start of an app', () => {
  it('reads three small files and no package: neither the OAuth engine, nor the store, nor the keychain', () => {
    const { files, packages, bytes } = loadedWith('index.js');
    expect(files).toEqual(['adapters/package-files.js', 'index.js', 'parts/start.js']);
    expect(packages).toEqual(['electron']);
    expect(bytes).toBeLessThan(BYTES_MAX);
  });

  it('reads one more for the engine, which brings no package either', () => {
    const { files, packages } = loadedWith('parts/assembly.js');
    expect(files).toEqual(['adapters/package-files.js', 'parts/assembly.js', 'parts/start.js']);
    expect(packages).toEqual(['electron']);
  });

  it('has a keychain process of one file, which loads keytar when it is asked', () => {
    expect(loadedWith('adapters/secrets/keychain-worker.js')).toMatchObject({
      files: ['adapters/secrets/keychain-worker.js'],
      packages: [],
    });
  });

  it('finds each of its parts where it names it', () => {
    const named = ['index.js', 'parts/assembly.js'].flatMap((file) =>
      importsOf(parseText(file, readFileSync(join(DIST, file), 'utf8')))
        .filter(({ from, kind }) => kind === 'dynamic' && from.startsWith('.'))
        .map(({ from }) => join(DIST, dirname(file), from)),
    );
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter((file) => !existsSync(file))).toEqual([]);
  });

  it('looks for no file by the place of a part, which is another one than that of its source', () => {
    const parts = readdirSync(join(DIST, 'parts')).map((name) => join(DIST, 'parts', name));
    expect(parts.length).toBeGreaterThan(4);
    expect(
      [join(DIST, 'index.js'), ...parts].filter((file) =>
        readFileSync(file, 'utf8').includes('import.meta.url'),
      ),
    ).toEqual([]);
  });
});
