// An app that uses Latchkey as anybody's does: the packed tarball, installed into an empty folder
// outside the repository and packaged there, on a computer without a compiler. Its tools are this
// repository's own, called by their paths.
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from '../../scripts/build.mjs';
import { ROOT_FOLDER } from '../../scripts/lab/app-process.mjs';
import { resolveElectron } from '../../scripts/electron/electron.mjs';
import { which } from '../../scripts/shared/processes.mjs';

const run = promisify(execFile);
/** All that PATH leads to: what npm needs, and nothing that compiles. */
const PROGRAMS = ['node', 'npm', 'npx', 'sh', 'env'];
const NPM_FLAGS = ['--no-audit', '--no-fund', '--prefer-offline'];
const LIMIT_MS = 150_000;
const BUILDER = tool('electron-builder/package.json', 'cli.js');
const REBUILD = join(ROOT_FOLDER, 'node_modules', '@electron', 'rebuild', 'lib', 'cli.js');

/** What a command wrote; it throws when the command fails. */
export type Said = string;

export interface Host {
  readonly folder: string;
  /**
   * What npm said while it installed Latchkey, with `electron-builder install-app-deps` as the
   * app's postinstall.
   */
  readonly installed: Said;
  /** Runs a shell's command as on the host's computer. Gives what it wrote, also when it fails. */
  shell(command: string): Promise<Said>;
  /**
   * `electron-builder --dir`, with these lines as its configuration. Gives the folder of the app.
   */
  package(configuration: string): Promise<string>;
  /** What Electron Forge does before it packages. */
  rebuild(): Promise<Said>;
  remove(): void;
}

/** The app of examples/commonjs. */
export async function makeHost(): Promise<Host> {
  await build({ ifNeeded: true });
  const electron = await resolveElectron();
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'latchkey-host-')));
  const folder = join(root, 'notes');
  const env = withoutCompiler(root);
  try {
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', root, ...NPM_FLAGS], {
      cwd: ROOT_FOLDER,
    });
    const tarball = readdirSync(root).find((name) => name.endsWith('.tgz')) ?? '';
    copyExample(folder);
    const manifest = {
      name: 'notes',
      version: '1.0.0',
      description: 'Notes',
      author: 'Notes',
      private: true,
      main: 'main.js',
      desktopName: 'notes.desktop',
      scripts: { postinstall: `"${process.execPath}" "${BUILDER}" install-app-deps` },
      dependencies: { latchkey: `file:../${tarball}` },
      // Only what tells the tool which Electron there is.
      build: { electronVersion: electron.version, electronDist: electron.folder },
    };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    const execute = async (program: string, args: readonly string[]): Promise<Said> => {
      const { stdout, stderr } = await run(program, args, {
        cwd: folder,
        env,
        timeout: LIMIT_MS,
        killSignal: 'SIGKILL',
      });
      return stdout + stderr;
    };
    const installed = await execute('npm', ['install', '--foreground-scripts', ...NPM_FLAGS]);
    let builds = 0;
    return {
      folder,
      installed,
      shell: (command) =>
        execute('sh', ['-c', command]).catch(
          (error: unknown) => (error as { stdout: string }).stdout,
        ),
      async package(configuration) {
        builds += 1;
        const file = join(root, `builder-${builds}.yml`);
        const output = join(root, `build-${builds}`);
        const own = `electronVersion: ${electron.version}\nelectronDist: ${electron.folder}\ndirectories: { output: ${output} }\ncompression: store\n`;
        writeFileSync(file, `${configuration}\n${own}`);
        await execute(process.execPath, [BUILDER, '--dir', '--config', file]);
        return join(output, 'linux-unpacked');
      },
      rebuild: () =>
        execute(process.execPath, [
          REBUILD,
          '--force',
          '--version',
          electron.version,
          '--module-dir',
          folder,
        ]),
      remove: () => rmSync(root, { recursive: true, force: true }),
    };
  } catch (error) {
    rmSync(root, { recursive: true, force: true });
    throw error;
  }
}

function copyExample(folder: string): void {
  const example = join(ROOT_FOLDER, 'examples', 'commonjs');
  mkdirSync(folder);
  for (const name of ['main.js', 'index.html']) cpSync(join(example, name), join(folder, name));
  // As that file says: an app with its own install.
  writeFileSync(
    join(folder, 'page.js'),
    readFileSync(join(example, 'page.js'), 'utf8').replace("'../node_modules/", "'./node_modules/"),
  );
}

/**
 * The environment of somebody who has Node and nothing to compile with, nor anything that says so.
 */
function withoutCompiler(root: string): NodeJS.ProcessEnv {
  const bin = join(root, 'bin');
  mkdirSync(bin);
  for (const name of PROGRAMS) {
    const program = which(name);
    if (program === null) throw new Error(`"${name}" is missing`);
    symlinkSync(realpathSync(program), join(bin, name));
  }
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_config_build_from_source|npm_config_python|PYTHON|CC|CXX|MAKE|CPATH|PKG_CONFIG_PATH)$/i.test(
        name,
      ),
  );
  return { ...Object.fromEntries(kept), PATH: bin };
}

function tool(manifest: string, file: string): string {
  return join(dirname(createRequire(import.meta.url).resolve(manifest)), file);
}
