// An app in development that is started in other ways than by its folder: by a file, through links,
// from a folder with an apostrophe. Its page has the bridge, and the system brings a link back to
// this very instance.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from '../../scripts/build.mjs';
import { APP_FOLDER, startWatchedApp } from '../../scripts/lab/app-process.mjs';
import { startLab } from '../../scripts/lab/lab.mjs';
import type { Lab } from '../../scripts/lab/lab.mjs';
import { expect, test } from './fixtures.js';

const MAIN = `
import { app, BrowserWindow, shell } from 'electron';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
const { LATCHKEY_MAIN, SCHEME, XDG_CONFIG_HOME } = process.env;
const { createAuth } = await import(LATCHKEY_MAIN);
createAuth({
  issuer: 'http://127.0.0.1:9',
  clientId: 'notes',
  redirects: [SCHEME + ':/callback'],
  secretStore: 'memory',
});
const link = SCHEME + ':/hello';
// Chromium: an instance whose message was not acknowledged before the first one ended is the first.
if (process.argv.includes(link)) app.exit(0);
const cameBack = new Promise((resolve) =>
  app.on('second-instance', (_event, argv) => argv.includes(link) && resolve(true)),
);
app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false, webPreferences: { sandbox: true } });
  await window.loadFile(fileURLToPath(new URL('../pages/index.html', import.meta.url)));
  const bridge = await window.webContents.executeJavaScript('typeof latchkey');
  const list = join(XDG_CONFIG_HOME, 'mimeapps.list');
  while (!existsSync(list) || !readFileSync(list, 'utf8').includes(SCHEME))
    await new Promise((resolve) => setTimeout(resolve, 100));
  await shell.openExternal(link);
  console.log(JSON.stringify({ bridge, cameBack: await cameBack }));
  setTimeout(() => app.exit(0), 1000);
});
`;

test.describe.configure({ mode: 'default', timeout: 120_000 });

let lab: Lab;
let folder: string;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  await build({ ifNeeded: true });
  lab = await startLab({ keyring: 'none' });
  folder = join(lab.root, "it's mine");
  for (const name of ['dist', 'pages']) mkdirSync(join(folder, 'notes', name), { recursive: true });
  const manifest = { name: 'notes', version: '1.0.0', type: 'module', main: 'dist/main.js' };
  writeFileSync(join(folder, 'notes', 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'notes', 'dist', 'main.js'), MAIN);
  writeFileSync(join(folder, 'notes', 'pages', 'index.html'), '<!doctype html><title>N</title>');
  symlinkSync(join(folder, 'notes'), join(folder, 'linked'));
});
test.afterAll(() => lab.stop());

for (const [index, [name, target, from]] of (
  [
    ['by a file', 'dist/main.js', 'notes'],
    ['by its folder', '.', 'notes'],
    ['by a link to its folder', 'linked', '.'],
    ['by a file behind a link', 'linked/dist/main.js', '.'],
  ] as const
).entries())
  test(`an app that is started ${name} has its bridge, and a link comes back to it`, async ({
    electronPath,
  }) => {
    const app = startWatchedApp({
      electron: electronPath,
      appFolder: target,
      isRoot: lab.isRoot,
      flags: [],
      cwd: join(folder, from),
      owner: {
        ...lab.owner,
        env: {
          ...lab.env,
          LATCHKEY_MAIN: pathToFileURL(join(APP_FOLDER, 'main', 'index.js')).href,
          // No digit: xdg-open 1.1.3 takes such a scheme for the name of a file.
          SCHEME: `com.example.file-start.${'abcd'.charAt(index)}`,
        },
      },
    });
    try {
      await app.exited();
    } finally {
      await app.end();
    }
    const line =
      app
        .output()
        .split('\n')
        .find((text) => text.startsWith('{"')) ?? '{}';
    expect(JSON.parse(line)).toEqual({ bridge: 'object', cameBack: true });
  });
