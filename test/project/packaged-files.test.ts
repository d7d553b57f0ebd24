// electron-builder.yml: what it packages for each system, beside exact lists. Around a stand-in for
// Electron, so nothing of it runs; test/e2e/packaged.spec.ts compares a real build for Linux with
// the same lists and signs in.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Arch, Platform, build as electronBuild } from 'electron-builder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../scripts/build.mjs';
import { KEYTAR_BINARIES } from '../../scripts/package/keytar-binaries.mjs';
import {
  type BuilderOs,
  makeElectronStandIn,
  neededOn,
  shippedIn,
} from '../support/packaged-files.js';
import { ROOT, read } from './sources.js';

/** One of each system, and one that is not the processor of most who build. */
const BUILDS = [
  ['linux', 'armv7l'],
  ['mac', 'arm64'],
  ['win', 'x64'],
] as const;
const TARGETS: Readonly<Record<BuilderOs, Platform>> = {
  linux: Platform.LINUX,
  mac: Platform.MAC,
  win: Platform.WINDOWS,
};
const LIMIT_MS = 150_000;
let root = '';

beforeAll(async () => {
  await build({ ifNeeded: true });
  root = mkdtempSync(join(tmpdir(), 'latchkey-packaged-files-'));
}, LIMIT_MS);

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Packages the demo, and gives the folder that holds app.asar. */
async function packageFor(os: BuilderOs, arch: keyof typeof Arch): Promise<string> {
  const [electron, output, icon] = [
    join(root, `electron-${os}`),
    join(root, `output-${os}`),
    join(root, 'icon.icns'),
  ];
  makeElectronStandIn(electron, os);
  // No tool makes an icon then: electron-builder would download one.
  writeFileSync(icon, Buffer.concat([Buffer.from('icns'), Buffer.from([0, 0, 0, 8])]));
  await electronBuild({
    projectDir: ROOT,
    publish: 'never',
    targets: TARGETS[os].createTarget(['dir'], Arch[arch]),
    config: {
      extends: join(ROOT, 'electron-builder.yml'),
      electronDist: electron,
      electronVersion: '33.2.1',
      directories: { output },
      compression: 'store',
      // They change an executable, and there is none.
      electronFuses: null,
      disableAsarIntegrity: true,
      win: { signAndEditExecutable: false },
      mac: { identity: null, icon },
    },
  });
  const found = readdirSync(output, { recursive: true, encoding: 'utf8' }).find((name) =>
    name.endsWith('app.asar'),
  );
  if (found === undefined) throw new Error('electron-builder made no archive');
  return join(output, found, '..');
}

describe('the packaged demo', () => {
  it.each(BUILDS)(
    'for %s on %s holds what it needs and nothing else, and has one file outside the archive: its own binary',
    async (os, arch) => {
      const shipped = shippedIn(await packageFor(os, arch));
      const needed = neededOn(os, arch);
      expect(shipped.own).toEqual(needed.own);
      expect(shipped.packages).toEqual(needed.packages);
      expect(shipped.unpacked).toEqual(needed.unpacked);
      expect(
        shipped.packaged.filter((name) => !/\.(js|json)$|\/licen[cs]e(\.md)?$/i.test(name)),
      ).toEqual([]);
      expect(
        shipped.packaged.filter((name) =>
          /\/(tests?|spec|bench(mark)?|examples?|docs?)\/|\.(test|spec|config)\.js$/.test(name),
        ),
      ).toEqual([]);
    },
    LIMIT_MS,
  );

  it('is built by the lines that docs/packaging.md tells hosts to write about the archive', () => {
    const about = /^(asar:|  smartUnpack:|asarUnpack:|  - '\*\*\/\*\.node')/;
    const lines = (path: string): readonly string[] =>
      read(path)
        .split('\n')
        .filter((line) => about.test(line))
        .map((line) => line.replace(/ +#.*/, ''));
    const shown = ['asar:', '  smartUnpack: false', 'asarUnpack:', "  - '**/*.node'"];
    expect([
      lines('docs/packaging.md').slice(0, 4),
      lines('electron-builder.yml').slice(0, 4),
    ]).toEqual([shown, shown]);
  });

  it("knows every binary that is shipped by electron-builder's names of systems and processors", () => {
    expect(
      Object.keys(KEYTAR_BINARIES).filter(
        (name) => !/^(linux|mac|win)-/.test(name) || !(name.replace(/^\w+-|\.node$/g, '') in Arch),
      ),
    ).toEqual([]);
    expect(
      BUILDS.filter(
        ([os, arch]) => !existsSync(join(ROOT, 'dist', 'keytar', `${os}-${arch}.node`)),
      ),
    ).toEqual([]);
  });
});
