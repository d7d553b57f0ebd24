// latchkey/react in a real Chromium, on each React that package.json names: packed, installed,
// type-checked and bundled as a host does it. That it signs in is shown by examples.spec.ts.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { rolldown } from 'rolldown';
import { build } from '../../scripts/build.mjs';
import { run } from '../../scripts/examples.mjs';
import { ROOT_FOLDER } from '../../scripts/lab/app-process.mjs';
import type { AuthView } from '../../src/contract.js';
import { COUNTED, PAGE } from '../support/react-page.js';
import { expect, test } from './fixtures.js';

/** What the page of support/react-page.ts has on its window. */
interface Window {
  readonly listening: number;
  readonly lab: {
    readonly counts: { readonly renders: number; readonly effects: number; recovered: number };
    readonly asked: readonly (readonly unknown[])[];
    push(view: AuthView): void;
    again(): void;
    mount(name: string, kind: Kind): void;
    hydrate(name: string, kind: Kind): void;
    unmount(name: string): void;
    server(kind: Kind): string;
    text(name: string): string;
    isStable(): boolean;
  };
}
type Kind = 'counted' | 'both' | 'strict';

const NPM_FLAGS = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
/** Each package once, with its types. */
const REACTS: Readonly<Record<string, readonly string[]>> = {
  '18': ['react@18.3.1', 'react-dom@18.3.1', '@types/react@18.3.32', '@types/react-dom@18.3.7'],
  '19': ['react@19.3.1', 'react-dom@19.3.1', '@types/react@19.3.3', '@types/react-dom@19.3.0'],
};
const OPTIONS = [
  ...['--strict', '--noEmit', '--exactOptionalPropertyTypes', '--jsx', 'react-jsx'],
  ...['--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2022'],
  ...['--lib', 'es2023,dom'],
];

const signedOut: AuthView = { status: 'signed-out', reason: 'never' };
const signedIn = {
  status: 'signed-in',
  account: { id: 'a', issuer: 'https://login.example.com', subject: 'ada' },
  remembered: true,
  store: 'keychain',
  renewal: { state: 'fresh', since: 1, expiresAt: null, renewAt: null },
} as const satisfies AuthView;
const attempt = { stage: 'waiting', startedAt: 1, expiresAt: 2 } as const;
const error = { code: 'keyring-locked', retry: 'user', message: 'm' } as const;

let tarball = '';
let folder = '';

// One worker: the package is packed once.
test.describe.configure({ mode: 'default', timeout: 120_000 });
test.use({ labOptions: { keyring: 'none' } });

test.beforeAll(async () => {
  test.setTimeout(300_000);
  await build({ ifNeeded: true });
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-react-'));
  const said = await run('npm', ['pack', '--pack-destination', folder, ...NPM_FLAGS], ROOT_FOLDER);
  tarball = join(folder, said.trim().split('\n').at(-1) ?? '');
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

for (const [version, packages] of Object.entries(REACTS))
  test(`a page on React ${version} draws what is true, once for each change, and leaves nothing behind`, async ({
    desk,
  }) => {
    const bundle = await test.step('npm takes it, the compiler and the bundler too', () =>
      bundled(join(folder, version), packages));
    const context = (await desk.browser()).contexts()[0];
    const page = await context!.newPage();
    const problems: string[] = [];
    page.on('pageerror', (thrown) => problems.push(String(thrown)));
    page.on('console', (line) => problems.push(line.text()));
    await page.setContent('<!doctype html><title>React</title>');
    await page.addScriptTag({ content: bundle, type: 'module' });
    await expect.poll(() => page.evaluate(() => typeof lab())).toBe('object');

    await test.step('on a server nobody is signed in or out', () => onServer(page));
    await test.step('a hydrated page shows the view after it', () => hydrated(page));
    await test.step('one drawing for each change', () => drawnOnce(page));
    await test.step('each status', () => eachStatus(page));
    await test.step('StrictMode', () => strict(page));
    await test.step('two roots', () => twoRoots(page));
    expect(problems).toEqual([]);
    await page.close();
  });

async function bundled(home: string, packages: readonly string[]): Promise<string> {
  await run('mkdir', ['-p', home], folder);
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'notes', type: 'module' }));
  // Without "--force": so the version is one that the peer dependency allows.
  await run('npm', ['install', tarball, ...packages, ...NPM_FLAGS], home);
  writeFileSync(join(home, 'page.tsx'), PAGE);
  writeFileSync(join(home, 'counted.js'), COUNTED);
  const tsc = join(ROOT_FOLDER, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [tsc, ...OPTIONS, 'page.tsx'], home);
  const build = await rolldown({
    input: join(home, 'page.tsx'),
    cwd: home,
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"development"' } },
    plugins: [
      {
        name: 'count the listeners',
        resolveId: (source, importer) =>
          source === './index.js' && importer?.endsWith(join('renderer', 'react.js')) === true
            ? join(home, 'counted.js')
            : null,
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  await build.close();
  return output[0].code;
}

async function onServer(page: Page): Promise<void> {
  const said = await page.evaluate(() => [
    lab().server('both'),
    lab().server('counted'),
    lab().isStable(),
  ]);
  expect(said).toEqual(['', '<button>starting</button>', true]);
}

async function hydrated(page: Page): Promise<void> {
  await push(page, signedIn);
  await page.evaluate(() => lab().hydrate('hydrated', 'both'));
  expect(await page.evaluate(() => lab().server('both')), 'the server knows no view').toBe('');
  await expect.poll(() => textOf(page, 'hydrated')).toBe('in ada');
  expect(await page.evaluate(() => lab().counts.recovered)).toBe(0);
  await page.evaluate(() => lab().unmount('hydrated'));
}

async function drawnOnce(page: Page): Promise<void> {
  await page.evaluate(() => lab().mount('one', 'counted'));
  await expect.poll(() => textOf(page, 'one')).toBe('signed-in');
  const drawn = async (): Promise<readonly number[]> => {
    await settled(page);
    return page.evaluate(() => [lab().counts.renders, lab().counts.effects]);
  };
  const [renders = 0, effects = 0] = await drawn();
  await push(page, signedIn);
  expect(await drawn(), 'an equal view').toEqual([renders, effects]);
  await push(page, signedOut);
  expect(await drawn(), 'another view').toEqual([renders + 1, effects + 1]);
  await page.evaluate(() => lab().again());
  expect(await drawn(), 'drawn for another reason').toEqual([renders + 2, effects + 1]);
  await page.locator('button').click();
  expect(await page.evaluate(() => lab().asked)).toEqual([['signIn', { prompt: 'login' }]]);
  expect(await listening(page)).toBe(1);
  await page.evaluate(() => lab().unmount('one'));
  await expect.poll(() => listening(page)).toBe(0);
  await push(page, signedIn);
  expect(await drawn(), 'when it is gone').toEqual([renders + 2, effects + 1]);
}

async function eachStatus(page: Page): Promise<void> {
  const VIEWS: readonly (readonly [AuthView, string])[] = [
    [{ status: 'starting' }, ''],
    [signedOut, 'out signed-out'],
    [{ status: 'signing-in', attempt }, 'out signing-in'],
    [{ status: 'locked', error }, 'out locked'],
    [signedIn, 'in ada'],
    [{ ...signedIn, attempt }, 'in ada'],
  ];
  await page.evaluate(() => lab().mount('statuses', 'both'));
  for (const [view, text] of VIEWS) {
    await push(page, view);
    expect(await textOf(page, 'statuses'), view.status).toBe(text);
  }
  await page.evaluate(() => lab().unmount('statuses'));
}

async function strict(page: Page): Promise<void> {
  await page.evaluate(() => lab().mount('strict', 'strict'));
  await settled(page);
  expect(await listening(page)).toBe(5);
  await push(page, signedOut);
  expect(await textOf(page, 'strict')).toBe('signed-outout signed-out');
  await page.evaluate(() => lab().unmount('strict'));
  await expect.poll(() => listening(page)).toBe(0);
}

async function twoRoots(page: Page): Promise<void> {
  await page.evaluate(() => {
    lab().mount('first', 'both');
    lab().mount('second', 'both');
  });
  await push(page, signedIn);
  expect([await textOf(page, 'first'), await textOf(page, 'second')]).toEqual(['in ada', 'in ada']);
  await page.evaluate(() => lab().unmount('first'));
  await push(page, signedOut);
  expect(await textOf(page, 'second')).toBe('out signed-out');
  await page.evaluate(() => lab().unmount('second'));
  await expect.poll(() => listening(page)).toBe(0);
}

/** In the page: functions that are passed to it see its globals, and nothing of this file. */
declare function lab(): Window['lab'];

async function push(page: Page, view: AuthView): Promise<void> {
  // Playwright's type of what crosses does not end for JSON values.
  await page.evaluate((next) => lab().push(next as AuthView), view as object);
  await settled(page);
}

function textOf(page: Page, name: string): Promise<string> {
  return page.evaluate((of) => lab().text(of), name);
}

function listening(page: Page): Promise<number> {
  return page.evaluate(() => (globalThis as unknown as Window).listening);
}

/** What React has planned is done. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 20)),
  );
}
