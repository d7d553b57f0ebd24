// What must not be committed: large files, secrets, paths of somebody's machine, tests that are
// switched off.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, committedFiles, read } from './sources.js';

const LARGEST_BYTES = 500_000;
const FILES = committedFiles();
const TEXTS = FILES.filter((path) => !/\.(png|ico|icns|jpg|gif|woff2?)$/.test(path));

/** Every line of these files that matches, as "file:line". */
function find(pattern: RegExp, paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  );
}

describe('committed files', () => {
  it('are known to git', () => {
    expect(FILES).toContain('package.json');
  });

  it('are not larger than 500 kB', () => {
    expect(FILES.filter((path) => statSync(join(ROOT, path)).size > LARGEST_BYTES)).toEqual([]);
  });

  it('are no output of a build, a test or an installation', () => {
    expect(
      FILES.filter((path) =>
        /^(dist|release|node_modules|test-results|demo-results)\/|\.(tgz|log|map|zip)$|(^|\/)\.env/.test(
          path,
        ),
      ),
    ).toEqual([]);
  });

  it("hold no path of somebody's machine", () => {
    // Examples in tests have one of these names.
    const pattern = new RegExp(
      [
        '(?<![\\w.~])/(?:root|work|Users)/[\\w.]',
        '(?<![\\w.~])/home/(?!a\\b|ada\\b|ann\\b|user\\b)[\\w.]',
      ].join('|'),
    );
    expect(
      find(
        pattern,
        TEXTS.filter((path) => path !== 'test/project/hygiene.test.ts'),
      ),
    ).toEqual([]);
  });

  it('hold no private key and no token', () => {
    const pattern = new RegExp(
      [
        '-----BEGIN [A-Z ]*PRIVATE KEY',
        '\\beyJ[\\w-]{20,}\\.eyJ[\\w-]{20,}',
        '\\bgh[pousr]_\\w{30,}',
        '\\bnpm_\\w{30,}',
        '\\bAKIA[A-Z0-9]{16}\\b',
      ].join('|'),
    );
    expect(find(pattern, TEXTS)).toEqual([]);
  });

  it('hold no conflict marks and no invisible direction marks', () => {
    expect(find(/^(<{7}|>{7})( |$)|[\u202a-\u202e\u2066-\u2069]/, TEXTS)).toEqual([]);
  });
});

describe('committed tests', () => {
  const tests = TEXTS.filter(
    (path) => /^test\/.*\.ts$/.test(path) && path !== 'test/project/hygiene.test.ts',
  );

  it('are not narrowed to one', () => {
    expect(find(/\b(?:describe|it|test|suite)(?:\.\w+)*\.only\b/, tests)).toEqual([]);
  });

  it('are not switched off; a missing real part is told with a condition', () => {
    // A title right after "skip(" means always; skipIf(…) and skip(condition, reason) say when.
    expect(
      find(
        /\b(?:describe|it|test|suite)(?:\.\w+)*\.(?:skip|todo|fixme|fails)\s*(?:\(\s*(?:['"`)]|true\b)|\.)|\b(?:xit|xdescribe|xtest)\s*\(/,
        tests,
      ),
    ).toEqual([]);
  });

  it('have titles that say what is, not what should be', () => {
    expect(find(/\b(?:it|test)(?:\.\w+)*\(\s*(['"`])should\b/, tests)).toEqual([]);
  });
});
