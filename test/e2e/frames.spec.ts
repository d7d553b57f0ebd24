// Who gets Latchkey in a real Electron: documents of every kind, by their address and their origin;
// and which window comes to the front. The host app of support/page-host opens them all. Its
// preload lets every page send Latchkey's messages, so what is refused is refused by main.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from '../../scripts/build.mjs';
import { APP_FOLDER, ROOT_FOLDER, appCommand } from '../../scripts/lab/app-process.mjs';
import { resolveElectron } from '../../scripts/electron/electron.mjs';
import { startLab } from '../../scripts/lab/lab.mjs';
import { expect, test } from './fixtures.js';

interface Said {
  readonly said: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
}

test.describe.configure({ mode: 'default', timeout: 120_000 });

/** Nobody is signed in, so a request that main takes on fails for that. */
const EVERYTHING = { bridge: true, call: true, request: 'signed-out', views: true };
const NOTHING = { bridge: false, call: false, request: 'page-refused', views: false };
let host: Said;

test.beforeAll(async () => {
  test.setTimeout(300_000);
  await build({ ifNeeded: true });
  const electron = await resolveElectron();
  const lab = await startLab({ keyring: 'none' });
  try {
    const elsewhere = join(lab.root, 'elsewhere.html');
    writeFileSync(elsewhere, '<!doctype html><body>a file elsewhere');
    const [program = '', ...args] = appCommand({
      electron: electron.path,
      appFolder: join(ROOT_FOLDER, 'test', 'support', 'page-host'),
      isRoot: lab.isRoot,
      flags: [],
    });
    const { stdout } = await promisify(execFile)(program, args, {
      ...lab.owner,
      env: {
        ...lab.env,
        LATCHKEY_MAIN: pathToFileURL(join(APP_FOLDER, 'main', 'index.js')).href,
        LATCHKEY_ELSEWHERE: elsewhere,
      },
      timeout: 240_000,
      killSignal: 'SIGKILL',
    });
    host = JSON.parse(stdout.split('\n').find((line) => line.startsWith('{"said"')) ?? '') as Said;
  } finally {
    await lab.stop();
  }
});

for (const name of [
  'a file of the app',
  'a standard scheme',
  'a development server',
  'a trusted page that changed its path',
  'a popup of a stranger that shows a trusted page',
])
  test(`gets the bridge, answers and views: ${name}`, () => {
    expect(host.said[name]).toMatchObject(EVERYTHING);
  });

for (const [name, address, origin] of [
  ['a file elsewhere', /elsewhere\.html$/, /^file:\/\/$/],
  ['a file elsewhere with the address of a trusted one', /page\.html$/, /^file:\/\/$/],
  ['another origin', /^http:\/\/localhost/, /^http:\/\/localhost/],
  ['another host of a standard scheme', /^app:\/\/other\//, /^app:\/\/other$/],
  ['a scheme that is not standard', /^odd:\/\/main\//, /^null$/],
  ['a page that its server sandboxes', /\/sandboxed$/, /^null$/],
  ['a page of the app in a sandbox', /\/sandboxed$/, /^null$/],
  ['a page that does not load', /^http:\/\/127\.0\.0\.1:9\/$/, /^null$/],
  ['data', /^data:/, /^null$/],
  ['about:blank', /^about:blank$/, /^null$/],
  ['an empty popup of a trusted page', /^about:blank$/, /^http:\/\/127\.0\.0\.1/],
  ['an empty popup of a file', /^about:blank$/, /^file:\/\/$/],
  ['a blob of a trusted page', /^blob:/, /^http:\/\/127\.0\.0\.1/],
  ['a popup of a sandboxed page', /^http:\/\/127\.0\.0\.1/, /^null$/],
] as const)
  test(`gets nothing, neither bridge nor answer nor view: ${name}`, () => {
    expect(host.said[name]).toMatchObject(NOTHING);
    // The document is the one that the test means.
    expect(host.said[name]).toMatchObject({
      address: expect.stringMatching(address),
      origin: expect.stringMatching(origin),
    });
  });

test('a trusted page loses everything when the same address is loaded again in a sandbox', () => {
  expect(host.said['the same address, loaded again in a sandbox']).toEqual([EVERYTHING, NOTHING]);
});

test('a window gets nothing while it shows a stranger, and everything when it is back', () => {
  expect(host.said['a trusted page that leads elsewhere, and back']).toEqual([
    EVERYTHING,
    NOTHING,
    EVERYTHING,
  ]);
});

test('a frame inside of a trusted page has no bridge, whatever its origin', () => {
  expect(host.said['frames inside of a trusted page']).toEqual(
    Array.from({ length: 3 }, () => 'undefinedundefined'),
  );
});

test('a trusted page in a <webview> gets nothing where a stranger is around it', () => {
  expect(host.said['a trusted page in a <webview>, and who is around it']).toEqual({
    ours: EVERYTHING,
    strange: NOTHING,
  });
});

test('a page gets its views though the renderer of another has crashed', () => {
  expect(host.said['a window that crashes, while another waits for its view']).toEqual(EVERYTHING);
});

test('the log says what to do about a scheme that is not standard, and holds no path', () => {
  expect(host.events.filter((text) => text.startsWith('odd://main: '))).toEqual([
    expect.stringMatching(/registerSchemesAsPrivileged .* "standard: true"/),
  ]);
  expect(host.events.join('\n')).not.toMatch(/elsewhere\.html|\/sandboxed/);
});

for (const [name, right] of [
  ['a hidden helper beside the main window', ['main', true]],
  ['the view of a BaseWindow, and a web page in front of it', ['main']],
  ['two BaseWindows, and the first had the focus last', ['first']],
  ['a tray app that has hidden its only window', [false, 'main', true]],
  ['a tray app with a helper, whose main window was in front before', ['main', false]],
  ['the window that the host names', ['named', 'main']],
] as const)
  test(`the right window comes to the front: ${name}`, () => {
    expect(host.said[name]).toEqual(right);
  });
