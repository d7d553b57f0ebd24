// The examples, and the apps that README.md and docs/frameworks.md show: built with their own tools
// on a packed Latchkey, each signs in by loopback. And what a host is told that bundles Latchkey
// although it must not.
import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWatchedApp } from '../../scripts/lab/app-process.mjs';
import type { WatchedApp } from '../../scripts/lab/app-process.mjs';
import { buildExample, EXAMPLES_FOLDER, installExamples, run } from '../../scripts/examples.mjs';
import { testKit } from '../../scripts/shared/test-kit.mjs';
import { partOf, writePart } from '../support/documented-files.js';
import type { Page } from '@playwright/test';
import { expect, recordBrowser, test } from './fixtures.js';
import type { Desk } from './fixtures.js';

const CLIENT_ID = 'notes-desktop';
const README = partOf('README.md', 'Quick start');
const FRAMEWORKS = readFileSync(new URL('../../docs/frameworks.md', import.meta.url), 'utf8');
const REACT = partOf('docs/frameworks.md', 'electron-vite, React and TypeScript');
const NPM_FLAGS = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
/** As the documents write it. On this computer the port may be taken. */
const ISSUER = 'http://127.0.0.1:9400';
let tarball: string;
let copied: string;
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
  tarball = await installExamples();
});

test.beforeEach(() => {
  copied = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-copied-'));
});
test.afterEach(() => rmSync(copied, { recursive: true, force: true }));

test('the quick start of the README, copied into an empty folder, signs in and calls an API', async ({
  desk,
  electronPath,
}) => {
  const port = String(await freePort());
  const here = (text: string): string => text.replaceAll('9400', port);
  writePart(copied, README, here);
  const names = README.commands.flatMap((line) =>
    line.startsWith('npm install ')
      ? line
          .split(' ')
          .slice(2)
          .filter((word) => !word.startsWith('-'))
      : [],
  );
  // All of it but Electron, in whose place the tests have a genuine one of their own.
  expect(names).toEqual(['latchkey', 'electron', 'oidc-provider', 'jose']);
  await run('npm', ['install', tarball, ...names.slice(2), ...NPM_FLAGS], copied);
  const command = README.commands.find((line) => line.startsWith('npx latchkey provider ')) ?? '';
  const [program = '', ...args] = here(command).split(' ');
  const provider = spawn(program, args, { cwd: copied, detached: true });
  let said = '';
  provider.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    await expect.poll(() => said, { timeout: 30_000 }).toContain(here(ISSUER));
    const app = start(desk, electronPath, copied);
    try {
      await signInByPage(desk, await app.firstWindow(), here(ISSUER), 'Hello Ada Lovelace');
      await expect.poll(() => app.output()).toMatch(/The API says \{\s+sub: 'u-/);
    } finally {
      await app.end();
    }
  } finally {
    if (provider.pid !== undefined) process.kill(-provider.pid, 'SIGTERM');
  }
});

test('the app of docs/frameworks.md is type-checked and built, and signs in: the built page, and that of the development server', async ({
  desk,
  electronPath,
}) => {
  writePart(copied, REACT, (code) => code.replaceAll(ISSUER, desk.provider.issuer));
  symlinkSync(join(EXAMPLES_FOLDER, 'node_modules'), join(copied, 'node_modules'));
  // What npm writes there by the document's first command.
  const manifest = JSON.parse(REACT.files['package.json'] ?? '') as object;
  writeFileSync(
    join(copied, 'package.json'),
    JSON.stringify({ ...manifest, dependencies: { latchkey: '*' } }),
  );
  await run('npm', ['run', 'build', '--silent'], copied);

  const server = await startDevServer(copied);
  try {
    for (const env of [{}, { ELECTRON_RENDERER_URL: server.url }]) {
      const app = start(desk, electronPath, copied, env);
      try {
        const page = await app.firstWindow();
        await signInByPage(desk, page, desk.provider.issuer, 'Hello Ada Lovelace');
        await page.getByRole('button', { name: 'Sign out' }).click();
        await expect(page.locator('output')).toHaveText('signed-out');
      } finally {
        await app.end();
      }
    }
  } finally {
    server.stop();
  }
});

for (const [language, checker, file, mistake] of [
  ['tsx', ['typescript/bin/tsc', '--noEmit'], 'Head.tsx', 'account.nam}'],
  ['vue', ['vue-tsc/bin/vue-tsc.js', '--noEmit'], 'Recipe.vue', 'account.nam }'],
  ['svelte', ['svelte-check/bin/svelte-check'], 'Recipe.svelte', 'account.nam}'],
] as const)
  test(`the recipe in ${language} is type-checked with what it shows, and a wrong name in it is found`, async () => {
    const [, recipe = ''] =
      new RegExp(`^## .*\n(?:(?!^## )[^])*?^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'm').exec(
        FRAMEWORKS.slice(FRAMEWORKS.indexOf('\n## React\n')),
      ) ?? [];
    mkdirSync(join(copied, 'src'));
    writeFileSync(join(copied, 'tsconfig.json'), REACT.files['tsconfig.json'] ?? '');
    symlinkSync(join(EXAMPLES_FOLDER, 'node_modules'), join(copied, 'node_modules'));
    const [tool, ...args] = checker;
    const check = (text: string): Promise<string> => {
      writeFileSync(join(copied, 'src', file), text);
      return run(process.execPath, [join(EXAMPLES_FOLDER, 'node_modules', tool), ...args], copied);
    };
    const wrong = recipe.replace(/account\.name ?\}/, mistake);
    expect(recipe).toContain("from 'latchkey/");
    expect(wrong).not.toBe(recipe);
    await check(recipe);
    await expect(check(wrong)).rejects.toThrow(
      /Property 'nam' does not exist on type 'ActiveAccountView'/,
    );
  });

for (const name of ['vite', 'forge-webpack', 'tsc', 'commonjs']) {
  test(`the example "${name}" is built on the packed package, signs in, and is remembered`, async ({
    desk,
    electronPath,
  }) => {
    await buildExample(name);
    const app = start(desk, electronPath, join(EXAMPLES_FOLDER, name));
    try {
      await signInByPage(
        desk,
        await app.firstWindow(),
        desk.provider.issuer,
        'Hello Ada Lovelace, see you tomorrow',
      );
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
        // Vite bundles as for a page, and gets what says so.
        expect(app.output()).toMatch(
          /main process[^\n]*declare "latchkey" as external[^\n]*\(docs\/bundlers\.md\)/,
        );
      } finally {
        await app.end();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** The person clicks the page's button and signs in there; then the page says these words. */
async function signInByPage(desk: Desk, page: Page, issuer: string, words: string): Promise<void> {
  const all = recordBrowser(desk);
  const earlier = all().length;
  const opened = (): string => all().slice(earlier).trim();
  await expect(page.locator('output')).toHaveText('signed-out');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect.poll(opened, { timeout: 30_000 }).toContain(issuer);
  const { createPerson } = await testKit();
  await createPerson().signIn(opened(), { login: 'ada', visit: true });
  await expect(page.locator('output')).toHaveText(words, { timeout: 30_000 });
}

/** The development server for the page, as "electron-vite dev" starts it beside Electron. */
async function startDevServer(root: string): Promise<{ url: string; stop: () => void }> {
  const script = `import { resolveConfig } from 'electron-vite';
import { createServer } from 'vite';
const { config } = await resolveConfig({}, 'serve', 'development');
const server = await createServer({ ...config.renderer, configFile: false });
await server.listen();
console.log(server.resolvedUrls.local[0]);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const address = (): string => /http:\/\/localhost:\d+/.exec(said)?.[0] ?? said;
  await expect.poll(address, { timeout: 30_000 }).toMatch(/^http:/);
  return { url: address(), stop: () => child.kill() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function start(
  { lab, provider }: Desk,
  electron: string,
  appFolder: string,
  env: Readonly<Record<string, string>> = {},
): WatchedApp {
  return startWatchedApp({
    electron,
    appFolder,
    isRoot: lab.isRoot,
    flags: [],
    owner: { ...lab.owner, env: { ...lab.env, NOTES_ISSUER: provider.issuer, ...env } },
  });
}
