// A host that stops its sign-in and makes another one, and a window without context isolation, in a
// genuine Electron: what the fake cannot prove about handlers, preloads, locks and frames.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { resolveElectron } from '../../scripts/electron/electron.mjs';
import { startDisplay } from '../../scripts/lab/display.mjs';
import { ROOT_FOLDER } from '../../scripts/lab/app-process.mjs';

/** Prints one line of JSON, and ends. */
const MAIN = `import { app, BrowserWindow } from 'electron';
const { createAuth } = await import(process.env.LATCHKEY);
const warnings = [];
const options = (issuer) => ({ issuer, clientId: 'notes', redirects: ['com.example.notes:/callback'],
  secretStore: 'memory', onLog: ({ level, event, fields }) => level === 'warn' && event !== 'options-warning' && warnings.push([event, fields]) });
const first = createAuth(options('https://one.example'));
const open = async (webPreferences = {}) => {
  const window = new BrowserWindow({ show: false, webPreferences });
  const complaints = [];
  window.webContents.on('preload-error', (_event, _path, error) => complaints.push(error.message));
  await window.loadFile('index.html');
  const ask = (script) => window.webContents.executeJavaScript(script);
  return { ask, complaints, bridge: await ask('typeof window.latchkey') };
};
const codeOf = (make) => { try { make(); return 'made'; } catch (error) { return error.name + ' ' + error.code; } };
const seen = {};
app.on('window-all-closed', () => {});
app.whenReady().then(async () => {
  const legacy = await open({ contextIsolation: false });
  const again = await open({ contextIsolation: false });
  seen.legacy = [legacy.bridge, again.bridge, ...legacy.complaints, ...again.complaints];
  const page = await open();
  await page.ask('window.views = []; window.latchkey.onView((view) => window.views.push(view.status)); 0');
  seen.bridge = page.bridge;
  seen.twice = codeOf(() => createAuth(options('https://two.example')));
  await first.stop();
  seen.lockAfterStop = app.hasSingleInstanceLock();
  seen.bridgeAfterStop = (await open()).bridge;
  await page.ask('window.views.splice(0); 0');
  const second = createAuth(options('https://two.example'));
  seen.lock = app.hasSingleInstanceLock();
  seen.bridgeOfSecond = (await open()).bridge;
  await new Promise((resolve) => second.onView(({ status }) => status !== 'starting' && resolve()));
  seen.openPage = await page.ask('window.views');
  const cancel = await page.ask('window.latchkey.cancelSignIn()');
  seen.callOfOpenPage = cancel.ok;
  seen.warnings = warnings;
  process.stdout.write('#' + JSON.stringify(seen) + '\\n');
  app.quit();
});
`;

test('a sign-in that was stopped leaves room for the next one, and a window without isolation gets nothing and one warning', async () => {
  test.setTimeout(120_000);
  const { path: electron } = await resolveElectron();
  const display = await startDisplay();
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'latchkey-life-cycle-'));
  const app = join(folder, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{"name":"notes","type":"module","main":"main.js"}');
  writeFileSync(join(app, 'main.js'), MAIN);
  writeFileSync(join(app, 'index.html'), '<!doctype html><title>Notes</title>');
  try {
    const { stdout } = await promisify(execFile)(
      electron,
      ['--no-sandbox', '--disable-gpu', `--user-data-dir=${join(folder, 'data')}`, app],
      {
        env: {
          ...process.env,
          HOME: folder,
          XDG_DATA_HOME: join(folder, 'share'),
          XDG_CONFIG_HOME: join(folder, 'config'),
          DISPLAY: display.display,
          LATCHKEY: join(ROOT_FOLDER, 'dist', 'main', 'index.js'),
        },
        timeout: 90_000,
        killSignal: 'SIGKILL',
      },
    );
    const seen: unknown = JSON.parse(/^#(.*)$/m.exec(stdout)?.[1] ?? 'null');
    expect(seen).toEqual({
      legacy: ['undefined', 'undefined'],
      bridge: 'object',
      twice: 'AuthError invalid-options',
      lockAfterStop: false,
      bridgeAfterStop: 'undefined',
      lock: true,
      bridgeOfSecond: 'object',
      openPage: ['starting', 'signed-out'],
      callOfOpenPage: true,
      warnings: [
        [
          'page-refused',
          {
            origin: 'file://',
            hint: expect.stringContaining('"contextIsolation: true"'),
          },
        ],
      ],
    });
  } finally {
    await display.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
});
