// The packaged demo: hardened, run as an ordinary user inside the operating system's own sandbox,
// from its folder, from the deb and from an AppImage; each signs in by its scheme and the system's
// own xdg handling, warm and from a cold start. As root the tests become the user "nobody", since
// Chromium's sandbox refuses root.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { FuseV1Options, FuseVersion, getCurrentFuseWire } from '@electron/fuses';
import { testKit } from '../../scripts/shared/test-kit.mjs';
import {
  button,
  expect,
  LOOPBACK,
  RELEASE_SCHEME,
  requestsTo,
  SCHEME,
  signedIn,
  test,
  waiting,
} from './fixtures.js';
import type { Desk, WatchedApp } from './fixtures.js';
import { neededOn, shippedIn } from '../support/packaged-files.js';
import { buildPackages, installDeb, isRoot } from './packaged-build.js';
import type { Installed, PackagedBuild } from './packaged-build.js';

const ORDINARY_USER = isRoot ? { user: { uid: 65_534, gid: 65_534, name: 'nobody' } } : {};
const CALLBACK = `${RELEASE_SCHEME}:/callback`;
/** A busy machine needs it, most of all for an AppImage that unpacks itself. */
const COLD_START_LIMIT_MS = 60_000;
/** A main thread that waits for a keyring's dialog would wait for ever. */
const START_LIMIT_MS = 40_000;
let built: PackagedBuild;

// One worker and one build; a test that fails does not hide the others.
test.describe.configure({ mode: 'default', timeout: 400_000 });
test.use({ providerOptions: { redirectUris: [CALLBACK, `${SCHEME}:/callback`, LOOPBACK] } });

test.beforeAll(async () => {
  test.setTimeout(300_000);
  built = await buildPackages();
});

test.afterAll(() => {
  built.remove();
});

test('holds what it needs and nothing else, and has one file outside the archive: its own binary', () => {
  const { own, packages, unpacked } = shippedIn(join(built.folder, 'resources'));
  expect({ own, packages, unpacked }).toEqual(neededOn('linux', process.arch));
});

test('holds no default app, and takes no Node flags', () => {
  const resources = join(built.folder, 'resources');
  expect(existsSync(join(resources, 'default_app.asar'))).toBe(false);
  expect(
    readdirSync(resources)
      .filter((name) => name.includes('asar'))
      .sort(),
  ).toEqual(['app.asar', 'app.asar.unpacked']);
  const asNode = spawnSync(built.executable, ['-e', 'console.log("I am Node")'], {
    env: { PATH: process.env['PATH'] ?? '', ELECTRON_RUN_AS_NODE: '1' },
    encoding: 'utf8',
    timeout: 5_000,
    killSignal: 'SIGKILL',
  });
  expect(asNode.stdout).not.toContain('I am Node');
});

test('has the fuses of electron-builder.yml in its binary', async () => {
  const [DISABLE, ENABLE] = ['0', '1'].map((state) => state.charCodeAt(0));
  expect(await getCurrentFuseWire(built.executable)).toMatchObject({
    version: FuseVersion.V1,
    [FuseV1Options.RunAsNode]: DISABLE,
    [FuseV1Options.EnableCookieEncryption]: ENABLE,
    [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: DISABLE,
    [FuseV1Options.EnableNodeCliInspectArguments]: DISABLE,
    [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: ENABLE,
    [FuseV1Options.OnlyLoadAppFromAsar]: ENABLE,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: DISABLE,
    [FuseV1Options.GrantFileProtocolExtraPrivileges]: DISABLE,
  });
});

test.describe('as an ordinary user', () => {
  test.use({ labOptions: ORDINARY_USER });

  test("runs from its folder in the real sandbox, and signs in by the system's handling of its scheme, from a cold start and warm", async ({
    desk,
  }) => {
    const app = await signInColdAndWarm(desk, built.executable);
    expect(commandLine(app)).not.toContain('--no-sandbox');
    if (isRoot) expectSandboxed(app);
  });

  test('does the same from an AppImage, by a handler that names the AppImage and not the folder it runs in', async ({
    desk,
  }) => {
    await signInColdAndWarm(desk, built.appImage);
    expect(readFileSync(ownHandler(desk), 'utf8')).toContain(`Exec=${built.appImage} `);
  });

  test.describe('the deb', () => {
    let installed: Installed;

    test.beforeAll(() => {
      installed = installDeb(built.deb);
    });

    test.afterAll(() => {
      installed.remove();
    });

    test('registers the scheme with the system when it is installed, and does the same', async ({
      desk,
    }) => {
      Object.assign(desk.lab.env, installed.env);
      expect(
        execFileSync('desktop-file-validate', [installed.desktopFile], { encoding: 'utf8' }),
      ).toBe('');
      expect(readFileSync(installed.desktopFile, 'utf8')).toMatch(
        new RegExp(`^MimeType=x-scheme-handler/${RELEASE_SCHEME.replaceAll('.', '\\.')};$`, 'm'),
      );
      const handler = (): string =>
        execFileSync('xdg-mime', ['query', 'default', `x-scheme-handler/${RELEASE_SCHEME}`], {
          ...desk.lab.owner,
          encoding: 'utf8',
        }).trim();
      expect(handler()).toBe('latchkey-demo.desktop');
      await signInColdAndWarm(desk, installed.executable);
      // The file that the package has installed is good enough: the app writes none of its own.
      expect(handler()).toBe('latchkey-demo.desktop');
      expect(existsSync(ownHandler(desk))).toBe(false);
    });
  });
});

for (const keyring of ['none', 'locked-with-prompt'] as const) {
  test.describe(`on a desktop whose keyring is ${keyring}`, () => {
    test.use({ labOptions: { keyring } });

    test('starts and quits at once, although its cookies are encrypted', async ({ desk }) => {
      // Chromium takes a keyring only on desktops that it knows.
      Object.assign(desk.lab.env, { XDG_CURRENT_DESKTOP: 'GNOME' });
      const app = desk.launch({ executable: built.executable });
      await app.waitForView(
        'the app to say that nobody is signed in',
        (view) => view.status === 'signed-out',
        START_LIMIT_MS,
      );
      await app.firstWindow();
      expect(desk.lab.processes().some(({ command }) => command.includes('gcr-prompter'))).toBe(
        false,
      );
      app.child.kill('SIGTERM');
      expect(await app.exited()).toBe(0);
    });
  });
}

test('runs beside the development build, and each gets its own callback', async ({ desk }) => {
  const browser = await desk.browser();
  const tabs: Page[] = [];
  const begin = async (app: WatchedApp): Promise<Page> => {
    await button(await app.firstWindow(), 'sign-in').click();
    await waiting(app);
    const fresh = (): Page | undefined =>
      browser
        .contexts()
        .flatMap((context) => context.pages())
        .find((page) => page.url().startsWith(desk.provider.issuer) && !tabs.includes(page));
    await expect.poll(() => fresh() !== undefined, { timeout: 30_000 }).toBe(true);
    const tab = fresh();
    if (tab === undefined) throw new Error('the tab was closed');
    tabs.push(tab);
    return tab;
  };
  const { signInWithPage } = await testKit();
  const packaged = desk.launch({ executable: built.executable });
  const developed = desk.launch();
  const tabOfPackaged = await begin(packaged);
  const tabOfDeveloped = await begin(developed);

  await signInWithPage(tabOfDeveloped);
  expect(await signedIn(developed)).toMatchObject({ account: { name: 'Ada Lovelace' } });
  expect(packaged.view()).toMatchObject({
    status: 'signing-in',
    attempt: { redirect: 'custom-scheme' },
  });
  await signInWithPage(tabOfPackaged);
  expect(await signedIn(packaged)).toMatchObject({ account: { name: 'Ada Lovelace' } });
  expect([packaged, developed].map((app) => app.output().includes('callback-ignored'))).toEqual([
    false,
    false,
  ]);
});

/**
 * The app is killed while the person is in the browser, the operating system starts it with the
 * callback, and it finishes. The next start knows the person without asking. Then all over again in
 * the running app, which is returned.
 */
async function signInColdAndWarm(desk: Desk, executable: string): Promise<WatchedApp> {
  await desk.browser();
  const killed = desk.launch({ executable });
  await button(await killed.firstWindow(), 'sign-in').click();
  await waiting(killed);
  await desk.providerTab();
  // Kept beside the opening of the browser; a kill before that is the one moment that loses it.
  await expect.poll(() => stateFile(desk), { timeout: 20_000 }).toMatchObject({ attempts: [{}] });
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const { pid } of packagedProcesses(desk)) process.kill(pid, 'SIGKILL');
  await killed.kill();
  await expect.poll(() => packagedProcesses(desk)).toEqual([]);

  await desk.person();
  await expect.poll(() => redeemed(desk), { timeout: COLD_START_LIMIT_MS }).toBe(1);
  await expect
    .poll(() => stateFile(desk), { timeout: 20_000 })
    .toMatchObject({ accounts: [{ name: 'Ada Lovelace', record: 'kept' }], attempts: [] });
  expect(packagedProcesses(desk)[0]?.command).toContain(`${CALLBACK}?`);
  await endPackaged(desk);

  const asked = requestsTo(desk.provider, 'authorization');
  const app = desk.launch({ executable });
  expect(await signedIn(app)).toMatchObject({
    account: { name: 'Ada Lovelace' },
    remembered: true,
  });
  expect(requestsTo(desk.provider, 'authorization')).toBe(asked);

  await button(await app.firstWindow(), 'sign-out').click();
  await app.waitForView('the sign-out', (view) => view.status === 'signed-out');
  await (await desk.providerTab()).close();
  await button(await app.firstWindow(), 'sign-in').click();
  await waiting(app);
  await desk.person();
  const view = await app.waitForView(
    'the app to be signed in',
    (one) => one.status === 'signed-in' && one.attempt === undefined,
    COLD_START_LIMIT_MS,
  );
  expect(view).toMatchObject({
    account: { name: 'Ada Lovelace' },
    remembered: true,
    store: 'keychain',
  });
  const redirects = app.views.flatMap((one) =>
    one.status === 'signing-in' ? (one.attempt.redirect ?? []) : [],
  );
  expect([...new Set(redirects)]).toEqual(['custom-scheme']);
  expect(redeemed(desk)).toBe(2);
  return app;
}

/** The file that Latchkey writes where no package has installed one. */
function ownHandler({ lab }: Desk): string {
  return join(lab.home, '.local', 'share', 'applications', `latchkey-${RELEASE_SCHEME}.desktop`);
}

function redeemed({ provider }: Desk): number {
  return provider.requests.filter(
    ({ grantType, status }) => grantType === 'authorization_code' && status === 200,
  ).length;
}

/** The main processes of the packaged demo that run now, from wherever they were started. */
function packagedProcesses({
  lab,
}: Desk): readonly { readonly pid: number; readonly command: string }[] {
  return lab
    .processes()
    .filter(
      ({ command }) => /^\S*\/latchkey-demo( |$)/.test(command) && !command.includes('--type='),
    );
}

async function endPackaged(desk: Desk): Promise<void> {
  for (const { pid } of packagedProcesses(desk)) process.kill(pid, 'SIGTERM');
  await expect.poll(() => packagedProcesses(desk), { timeout: 10_000 }).toEqual([]);
}

function stateFile({ lab }: Desk): unknown {
  return JSON.parse(
    readFileSync(join(lab.home, '.config', 'LatchkeyDemo', 'latchkey.json'), 'utf8'),
  );
}

function commandLine(app: WatchedApp): string {
  return readFileSync(`/proc/${app.child.pid ?? 0}/cmdline`, 'utf8');
}

/**
 * Every page's process has a user namespace of its own and a seccomp filter. Only root may look.
 */
function expectSandboxed(app: WatchedApp): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const renderers = pids.filter((pid) => {
    const command = readOrEmpty(`/proc/${pid}/cmdline`);
    return (
      command.includes('--type=renderer') &&
      command.includes('--app-path=') &&
      command.includes(realpathSync(built.folder))
    );
  });
  expect(renderers.length).toBeGreaterThan(0);
  for (const pid of renderers) {
    expect(readOrEmpty(`/proc/${pid}/status`)).toMatch(/^Seccomp:\t2$/m);
    expect(readlinkSync(`/proc/${pid}/ns/user`)).not.toBe(
      readlinkSync(`/proc/${app.child.pid ?? 0}/ns/user`),
    );
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
