// The examples: built with their own tools on a packed Latchkey, each signs in by loopback and is
// remembered. And what a host is told that bundles Latchkey although it must not.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startWatchedApp } from '../../scripts/lab/app-process.mjs';
import type { WatchedApp } from '../../scripts/lab/app-process.mjs';
import { buildExample, EXAMPLES_FOLDER, installExamples, run } from '../../scripts/examples.mjs';
import { testKit } from '../../scripts/shared/test-kit.mjs';
import { expect, recordBrowser, test } from './fixtures.js';
import type { Desk } from './fixtures.js';

const CLIENT_ID = 'notes-desktop';
/**
 * Bundles the main process whole but for Electron, as a host does that has not read
 * docs/bundlers.md.
 */
const BUNDLERS: Readonly<Record<string, string>> = {
  vite: `import { build } from 'vite';
await build({ configFile: false, logLevel: 'error', build: { outDir: process.argv[1], emptyOutDir: false, target: 'node20', lib: { entry: 'vite/src/main.ts', formats: ['es'], fileName: () => 'main.js' }, rolldownOptions: { external: ['electron', /^node:/], platform: 'node' } } });`,
  webpack: `import webpack from 'webpack';
const config = { context: process.cwd(), mode: 'production', devtool: false, target: 'electron-main', entry: './forge-webpack/src/main.js', output: { path: process.argv[1], filename: 'main.js', libraryTarget: 'commonjs2' } };
webpack(config, (error, stats) => { if (error || stats.hasErrors()) { console.error(error ?? stats.toString('errors-only')); process.exitCode = 1; } });`,
};

// One worker: the install is shared, and is made once.
test.describe.configure({ mode: 'default', timeout: 120_000 });
test.use({ providerOptions: { clientId: CLIENT_ID, redirectUris: ['http://127.0.0.1/callback'] } });

test.beforeAll(async () => {
  test.setTimeout(300_000);
  await installExamples();
});

for (const name of ['vite', 'forge-webpack', 'tsc', 'commonjs']) {
  test(`the example "${name}" is built on the packed package, signs in, and is remembered`, async ({
    desk,
    electronPath,
  }) => {
    await buildExample(name);
    const opened = recordBrowser(desk);
    const app = start(desk, electronPath, join(EXAMPLES_FOLDER, name));
    try {
      const page = await app.firstWindow();
      await expect(page.locator('output')).toHaveText('signed-out');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect.poll(opened, { timeout: 30_000 }).toContain(desk.provider.issuer);
      const { createPerson } = await testKit();
      await createPerson().signIn(opened(), { login: 'ada', visit: true });
      await expect(page.locator('output')).toHaveText('Hello Ada Lovelace, see you tomorrow', {
        timeout: 30_000,
      });
    } finally {
      await app.end();
    }
  });
}

test('the example "own-tests" passes its own tests: without Electron, and in the real one', async ({
  desk,
  electronPath,
}) => {
  const folder = join(EXAMPLES_FOLDER, 'own-tests');
  const env = {
    ...desk.lab.env,
    ELECTRON_PATH: electronPath,
    NO_COLOR: '1',
    FORCE_COLOR: undefined,
  };
  const tool = (path: string, ...args: readonly string[]): Promise<string> =>
    run(process.execPath, [join(EXAMPLES_FOLDER, 'node_modules', path), ...args], folder, env);
  expect(await tool('vitest/vitest.mjs', 'run')).toMatch(/Tests {2}3 passed/);
  expect(
    await tool(
      '@playwright/test/cli.js',
      'test',
      '--reporter=line',
      `--output=${join(desk.lab.root, 'results')}`,
    ),
  ).toContain('2 passed');
});

for (const [name, script] of Object.entries(BUNDLERS)) {
  test(`an app that ${name} has bundled with Latchkey inside says so at its first start, and what to do`, async ({
    desk,
    electronPath,
  }) => {
    const folder = join(EXAMPLES_FOLDER, 'node_modules', '.bundled', name);
    mkdirSync(folder, { recursive: true });
    try {
      await run(process.execPath, ['--input-type=module', '-e', script, folder], EXAMPLES_FOLDER);
      writeFileSync(
        join(folder, 'package.json'),
        JSON.stringify({
          name: `bundled-${name}`,
          main: 'main.js',
          type: name === 'vite' ? 'module' : 'commonjs',
        }),
      );
      const app = start(desk, electronPath, folder);
      try {
        await app.exited();
        expect(app.output()).toContain(
          'latchkey was bundled into the main process: declare "latchkey" as external (docs/bundlers.md)',
        );
      } finally {
        await app.end();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function start({ lab, provider }: Desk, electron: string, appFolder: string): WatchedApp {
  return startWatchedApp({
    electron,
    appFolder,
    isRoot: lab.isRoot,
    flags: [],
    owner: { ...lab.owner, env: { ...lab.env, NOTES_ISSUER: provider.issuer } },
  });
}
