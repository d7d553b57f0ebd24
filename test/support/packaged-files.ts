// What the packaged demo holds, and what it may hold by the imports of dist/ and by the lock file.
// Also makes a stand-in for Electron, of which nothing runs, so that builds for other systems can
// be looked at.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { listPackage, statFile } from '@electron/asar';
import { ROOT, importsOf, packageOf, parseText } from '../project/sources.js';

export type BuilderOs = 'linux' | 'mac' | 'win';

/** What somebody else than an import reads: Electron, a page, a person. */
const ENTRIES = [
  'dist/main/demo.js',
  'dist/main/adapters/secrets/keychain-worker.js',
  'dist/preload.cjs',
  'dist/renderer/demo/demo.js',
];
const READ = [
  'package.json',
  'assets/icon.png',
  'dist/renderer/demo/demo.html',
  'dist/renderer/demo/demo.css',
  'dist/keytar/LICENSE.md',
  'dist/keytar/package.json',
];
/** Named as a dependency by others for its types; nothing of it runs. */
const TYPES_ONLY = ['type-fest', 'tagged-tag'];

export interface Shipped {
  /** Files of the demo's own, without packages. */
  readonly own: readonly string[];
  readonly packages: readonly string[];
  /** Files of packages. */
  readonly packaged: readonly string[];
  /** Files beside the archive, in app.asar.unpacked. */
  readonly unpacked: readonly string[];
}

/** Reads a build's folder `resources`. */
export function shippedIn(resources: string): Shipped {
  const archive = join(resources, 'app.asar');
  const files = listPackage(archive, { isPack: false })
    .map((name) => name.split(sep).join('/').replace(/^\//, ''))
    .filter((name) => !('files' in statFile(archive, name)))
    .sort();
  const packaged = files.filter((name) => name.startsWith('node_modules/'));
  return {
    own: files.filter((name) => !name.startsWith('node_modules/')),
    packages: [
      ...new Set(packaged.map((name) => packageOf(name.slice('node_modules/'.length)) ?? '')),
    ].sort(),
    packaged,
    unpacked: filesBelow(join(resources, 'app.asar.unpacked')),
  };
}

/**
 * What the demo needs on this system: its entries, all that they import, and the packages that
 * those bring.
 */
export function neededOn(os: BuilderOs, arch: string): Omit<Shipped, 'packaged'> {
  const binary = `dist/keytar/${os}-${arch}.node`;
  const own = new Set(ENTRIES);
  for (const path of own) {
    for (const { from } of importsOf(parseText(path, readFileSync(join(ROOT, path), 'utf8')))) {
      if (from.startsWith('.')) own.add(posix.join(posix.dirname(path), from));
    }
  }
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: true; peer?: true; devOptional?: true }>;
  };
  const brought = Object.entries(packages).filter(
    ([path, { dev, peer, devOptional }]) =>
      path !== '' && dev !== true && peer !== true && devOptional !== true,
  );
  return {
    own: [...own, ...READ, binary].sort(),
    packages: brought
      .map(([path]) => path.slice('node_modules/'.length))
      .filter((name) => !TYPES_ONLY.includes(name))
      .sort(),
    unpacked: [binary],
  };
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** Fills a folder with what electron-builder looks for in an Electron of that system. */
export function makeElectronStandIn(folder: string, os: BuilderOs): void {
  const put = (path: string, text = 'stand-in'): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o755 });
  };
  for (const name of ['version', 'LICENSE', 'LICENSES.chromium.html']) put(name);
  if (os !== 'mac') {
    put(os === 'win' ? 'electron.exe' : 'electron');
    put('resources/default_app.asar');
    return;
  }
  const contents = 'Electron.app/Contents';
  const program = (path: string, name: string): void => {
    const keys = {
      CFBundleExecutable: name,
      CFBundleIdentifier: 'com.github.Electron',
      CFBundleName: name,
    };
    put(
      `${path}/Info.plist`,
      `<plist version="1.0"><dict>${Object.entries(keys)
        .map(([key, value]) => `<key>${key}</key><string>${value}</string>`)
        .join('')}</dict></plist>`,
    );
    put(`${path}/MacOS/${name}`);
  };
  program(contents, 'Electron');
  put(`${contents}/Resources/default_app.asar`);
  put(`${contents}/Resources/electron.icns`);
  for (const role of ['', ' (GPU)', ' (Plugin)', ' (Renderer)'])
    program(`${contents}/Frameworks/Electron Helper${role}.app/Contents`, `Electron Helper${role}`);
}
