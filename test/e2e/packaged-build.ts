// The packaged demo, built once for the tests of one file: folder, deb and AppImage. Installs the
// deb and takes it off again. AppImage's own runtime is a download of electron-builder, so a small
// script stands where it would.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageApp } from '../../scripts/package.mjs';
import { which } from '../../scripts/shared/processes.mjs';

export const isRoot = process.getuid?.() === 0;
/** The deb's package, and the folder that it is installed in. */
const DEB_NAME = 'latchkey';
const DEB_PREFIX = '/opt/LatchkeyDemo';
/** Where the stand-in ends and the file system begins. */
const RUNTIME_BYTES = 4_096;

export interface PackagedBuild {
  /** The unpacked app, and its executable. */
  readonly folder: string;
  readonly executable: string;
  readonly deb: string;
  readonly appImage: string;
  remove(): void;
}

/** Packages everything in one run of electron-builder, readable by every user. */
export async function buildPackages(): Promise<PackagedBuild> {
  const root = mkdtempSync(join(tmpdir(), 'latchkey-packaged-'));
  // The user "nobody" must be able to read what root has packaged.
  chmodSync(root, 0o755);
  process.env['APPIMAGE_TOOLS_PATH'] = appImageTools(root);
  try {
    const { folder, executable, files } = await packageApp(['dir', 'deb', 'AppImage'], {
      output: join(root, 'release'),
      quick: true,
    });
    const artifact = (extension: string): string => {
      const file = files.find((name) => name.endsWith(extension));
      if (file === undefined) throw new Error(`electron-builder made no ${extension}`);
      return file;
    };
    return {
      folder,
      executable,
      deb: artifact('.deb'),
      appImage: artifact('.AppImage'),
      remove: () => rmSync(root, { recursive: true, force: true }),
    };
  } catch (error) {
    rmSync(root, { recursive: true, force: true });
    throw error;
  } finally {
    delete process.env['APPIMAGE_TOOLS_PATH'];
  }
}

/** An app that a package has put into the system. */
export interface Installed {
  readonly executable: string;
  /** What must be in the environment so that the desktop finds it. */
  readonly env: Readonly<Record<string, string>>;
  readonly desktopFile: string;
  remove(): void;
}

/**
 * By dpkg as root; else unpacked into a folder that the desktop is told of, with the paths of the
 * .desktop file changed.
 */
export function installDeb(deb: string): Installed {
  if (isRoot) {
    removeDeb();
    execFileSync('dpkg', ['--install', deb], { stdio: 'pipe' });
    process.once('exit', removeDeb);
    const remove = (): void => {
      process.removeListener('exit', removeDeb);
      removeDeb();
    };
    return {
      executable: join(DEB_PREFIX, 'latchkey-demo'),
      env: {},
      desktopFile: '/usr/share/applications/latchkey-demo.desktop',
      remove,
    };
  }
  const prefix = mkdtempSync(join(tmpdir(), 'latchkey-installed-'));
  execFileSync('dpkg-deb', ['--extract', deb, prefix]);
  const share = join(prefix, 'usr', 'share');
  const desktopFile = join(share, 'applications', 'latchkey-demo.desktop');
  writeFileSync(
    desktopFile,
    readFileSync(desktopFile, 'utf8').replaceAll(DEB_PREFIX, join(prefix, DEB_PREFIX)),
  );
  execFileSync('update-desktop-database', [join(share, 'applications')]);
  return {
    executable: join(prefix, DEB_PREFIX, 'latchkey-demo'),
    env: { XDG_DATA_DIRS: `${share}:/usr/local/share:/usr/share` },
    desktopFile,
    remove: () => rmSync(prefix, { recursive: true, force: true }),
  };
}

function removeDeb(): void {
  // A run that was killed may have left it; that it is not there is no failure.
  if (existsSync(DEB_PREFIX)) execFileSync('dpkg', ['--purge', DEB_NAME], { stdio: 'ignore' });
}

/** The folder that electron-builder would download, of Debian's squashfs-tools and the stand-in. */
function appImageTools(root: string): string {
  const tools = join(root, 'appimage-tools');
  mkdirSync(join(tools, 'runtimes'), { recursive: true });
  mkdirSync(join(tools, 'lib', 'x64'), { recursive: true });
  writeFileSync(
    join(tools, 'mksquashfs'),
    `#!/bin/sh\nexec '${which('mksquashfs') ?? 'mksquashfs'}' "$@" -Xcompression-level 1\n`,
    { mode: 0o755 },
  );
  writeFileSync(
    join(tools, 'desktop-file-validate'),
    `#!/bin/sh\nexec '${which('desktop-file-validate') ?? 'desktop-file-validate'}' "$@"\n`,
    { mode: 0o755 },
  );
  writeFileSync(join(tools, 'runtimes', 'runtime-x64'), STAND_IN.padEnd(RUNTIME_BYTES, '\n'));
  return tools;
}

/**
 * As the real runtime: tells where the file is, and runs its content in a folder of its own that
 * ends with the app. What was unpacked once is linked the next time, since a real one mounts and
 * does not unpack.
 */
const STAND_IN = `#!/bin/sh
export APPIMAGE="$(readlink -f "$0")"
unpacked="\${TMPDIR:-/tmp}/unpacked"
if [ ! -d "$unpacked" ]; then
  unsquashfs -quiet -no-progress -dest "$unpacked.$$" -offset ${RUNTIME_BYTES} "$APPIMAGE" >/dev/null || exit 127
  mv -T "$unpacked.$$" "$unpacked"
fi
export APPDIR="$(mktemp -d "\${TMPDIR:-/tmp}/mount_XXXXXX")"
cp -al "$unpacked/." "$APPDIR" || exit 127
"$APPDIR/AppRun" "$@" &
app=$!
trap 'kill -TERM $app' TERM INT
code=0
while kill -0 $app 2>/dev/null; do wait $app; code=$?; done
rm -rf "$APPDIR"
exit $code
`;
