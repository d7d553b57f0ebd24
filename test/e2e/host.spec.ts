// Apps that ship Latchkey, built without a compiler and without libsecret's headers: by
// electron-builder as it is and with the lines of docs/packaging.md, by its install-app-deps, and
// by the rebuild that Electron Forge does. What was built signs in.
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { listPackage } from '@electron/asar';
import { startWatchedApp } from '../../scripts/lab/app-process.mjs';
import { testKit } from '../../scripts/shared/test-kit.mjs';
import { expect, recordBrowser, test } from './fixtures.js';
import type { Desk } from './fixtures.js';
import { makeHost } from './host-build.js';
import type { Host } from './host-build.js';

const BINARY = `node_modules/latchkey/dist/keytar/linux-${process.arch}.node`;
const COMPILERS = [
  'gcc',
  'g++',
  'cc',
  'c++',
  'clang',
  'clang++',
  'make',
  'python',
  'python3',
  'pkg-config',
];
let host: Host;

test.describe.configure({ mode: 'default', timeout: 240_000 });
test.use({
  providerOptions: { clientId: 'notes-desktop', redirectUris: ['http://127.0.0.1/callback'] },
});

test.beforeAll(async () => {
  test.setTimeout(300_000);
  host = await makeHost();
});

test.afterAll(() => host.remove());

test('the computer of the app has no compiler, and no tool that finds headers', async () => {
  expect(await host.shell(COMPILERS.map((name) => `command -v ${name}`).join('; '))).toBe('');
});

test('npm installs Latchkey with nothing to compile, and "electron-builder install-app-deps" as its postinstall ends well', () => {
  expect(host.installed).toContain('completed installing native dependencies');
  expect(host.installed).not.toMatch(/preparing|node-gyp|allow-?scripts/i);
  const names = readdirSync(join(host.folder, 'node_modules'), {
    recursive: true,
    encoding: 'utf8',
  });
  expect(names.filter((name) => name.endsWith('binding.gyp'))).toEqual([]);
  const withScript = names
    .filter((name) => /(^|\/)package\.json$/.test(name))
    .filter((name) => {
      const { scripts = {} } = JSON.parse(
        readFileSync(join(host.folder, 'node_modules', name), 'utf8'),
      ) as { scripts?: Record<string, string> };
      return ['preinstall', 'install', 'postinstall'].some((script) => script in scripts);
    });
  expect(withScript).toEqual([]);
});

test('the rebuild of Electron Forge has nothing to do, and ends well', async () => {
  const said = await host.rebuild();
  expect(said).toContain('Rebuild Complete');
  expect(said).not.toMatch(/node-gyp|gyp ERR/);
});

test('electron-builder packages the app with its defaults, which signs in and is remembered', async ({
  desk,
}) => {
  const app = await host.package('');
  // What docs/packaging.md warns of: the whole package lies outside the archive.
  expect(unpacked(app)).toContain(BINARY);
  expect(unpacked(app)).toContain('node_modules/latchkey/dist/main/index.js');
  await signsInFrom(app, desk);
});

test("with the lines of docs/packaging.md one file is unpacked, this computer's binary, and the app signs in and is remembered", async ({
  desk,
}) => {
  const [, lines = ''] =
    /```yaml\n([\s\S]*?)```/.exec(
      readFileSync(new URL('../../docs/packaging.md', import.meta.url), 'utf8'),
    ) ?? [];
  expect(lines).toContain('asarUnpack');
  const app = await host.package(lines);
  expect(unpacked(app)).toEqual([BINARY]);
  const archive = listPackage(join(app, 'resources', 'app.asar'), { isPack: false });
  expect(archive).toContain('/node_modules/latchkey/dist/main/index.js');
  expect(archive.filter((name) => name.endsWith('.node'))).toEqual([`/${BINARY}`]);
  await signsInFrom(app, desk);
});

function unpacked(app: string): readonly string[] {
  const folder = join(app, 'resources', 'app.asar.unpacked');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/**
 * The person signs in, the keyring keeps it, and the process that talks to the keyring has loaded
 * the unpacked binary.
 */
async function signsInFrom(folder: string, desk: Desk): Promise<void> {
  const { lab, provider } = desk;
  const opened = recordBrowser(desk);
  const app = startWatchedApp({
    electron: join(folder, 'notes'),
    appFolder: null,
    isRoot: lab.isRoot,
    flags: [],
    owner: { ...lab.owner, env: { ...lab.env, NOTES_ISSUER: provider.issuer } },
  });
  try {
    const page = await app.firstWindow();
    await expect(page.locator('output')).toHaveText('signed-out');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect.poll(opened, { timeout: 30_000 }).toContain(provider.issuer);
    const { createPerson } = await testKit();
    await createPerson().signIn(opened(), { login: 'ada', visit: true });
    await expect(page.locator('output')).toHaveText('Hello Ada Lovelace, see you tomorrow', {
      timeout: 30_000,
    });
    const maps = lab
      .processes()
      .map(({ pid }) => readMaps(pid))
      .join('');
    expect(maps).toContain(join(folder, 'resources', 'app.asar.unpacked', BINARY));
  } finally {
    await app.end();
  }
}

/** The files that a process has loaded; nothing of one that has just ended. */
function readMaps(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8');
  } catch {
    return '';
  }
}
