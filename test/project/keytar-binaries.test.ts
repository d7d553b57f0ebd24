// keytar's binaries as they are published: the very bytes of the package in the lock file, and each
// made for the system and the processor that its name says. Needs a built dist/ (built here when it
// is missing or old).
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../scripts/build.mjs';
import { KEYTAR_BINARIES } from '../../scripts/package/keytar-binaries.mjs';
import { ROOT, read } from './sources.js';

const PACKAGE = join(ROOT, 'node_modules', 'keytar');
const SHIPPED = join(ROOT, 'dist', 'keytar');
const BINARIES = Object.entries(KEYTAR_BINARIES);

/** The machine of an ELF file, of a Mach-O file, and of a PE file. */
const ELF: Readonly<Record<number, string>> = { 3: 'ia32', 40: 'armv7l', 62: 'x64', 183: 'arm64' };
const MACH_O: Readonly<Record<number, string>> = { 0x01000007: 'x64', 0x0100000c: 'arm64' };
const PE: Readonly<Record<number, string>> = { 0x14c: 'ia32', 0x8664: 'x64', 0xaa64: 'arm64' };

/** For what a library was made, by its own head: `linux-x64`. */
function madeFor(library: Buffer): string {
  if (library.subarray(0, 4).toString('latin1') === '\x7fELF')
    return `linux-${ELF[library.readUInt16LE(18)] ?? 'unknown'}`;
  if (library.readUInt32LE(0) === 0xfeedfacf)
    return `mac-${MACH_O[library.readUInt32LE(4)] ?? 'unknown'}`;
  if (library.subarray(0, 2).toString('latin1') === 'MZ')
    return `win-${PE[library.readUInt16LE(library.readUInt32LE(0x3c) + 4)] ?? 'unknown'}`;
  return 'unknown';
}

beforeAll(async () => {
  await build({ ifNeeded: true });
});

describe("keytar's binaries", () => {
  it('lie in dist/keytar with their licence and where they come from, and nothing else does', () => {
    const names = [...BINARIES.map(([name]) => name), 'LICENSE.md', 'package.json'];
    expect(readdirSync(SHIPPED).sort()).toEqual(names.sort());
    expect(readFileSync(join(SHIPPED, 'LICENSE.md'))).toEqual(
      readFileSync(join(PACKAGE, 'LICENSE.md')),
    );
  });

  it.each(BINARIES)('%s is, byte for byte, what the package holds', (name, prebuild) => {
    expect(
      readFileSync(join(SHIPPED, name)).equals(
        readFileSync(join(PACKAGE, 'prebuilds', prebuild, 'keytar.node')),
      ),
    ).toBe(true);
  });

  it.each(BINARIES)('%s is made for what its name says', (name) => {
    expect(`${madeFor(readFileSync(join(SHIPPED, name)))}.node`).toBe(name);
  });

  it('are of the version that package.json pins and the lock file knows by its hash, and say so', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as {
      devDependencies: Record<string, string>;
    };
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { name?: string; version: string; integrity: string }>;
    };
    const { name, version, ...rest } = JSON.parse(
      readFileSync(join(SHIPPED, 'package.json'), 'utf8'),
    ) as Record<string, unknown>;
    expect(devDependencies['keytar']).toBe(`npm:${String(name)}@${String(version)}`);
    expect(packages['node_modules/keytar']).toMatchObject({
      name,
      version,
      integrity: expect.stringMatching(/^sha512-/) as string,
    });
    expect(Object.keys(rest)).toEqual(['license', 'repository', 'homepage']);
  });
});
