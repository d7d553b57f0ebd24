// Entry latchkey/testing/electron: a stand-in for the module `electron`, to which a host's unit
// tests alias that name. There is one per process, even if the module is loaded several times: a
// bundler's copy and Node's must be the same.
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useFakeDesktop } from './fakes/fake-desktop.js';
import { createFakeElectron } from './fakes/fake-electron.js';
import type { FakeElectron, FakeModule } from './fakes/fake-electron.js';

export type { FakeElectron } from './fakes/fake-electron.js';
export type { FakeKeyring, KeyringMode } from './fakes/fake-keyring.js';
export type { FakeWindow, FakeWindowState } from './fakes/fake-window.js';

type Made = ReturnType<typeof createFakeElectron>;

const shared = globalThis as { [key: symbol]: Made | undefined };
const mark = Symbol.for('latchkey.testing.electron');

function make(): Made {
  // A host's electron-store imports the npm package `electron`, which in Node looks for its binary,
  // and would download it.
  process.env['ELECTRON_OVERRIDE_DIST_PATH'] ??= '/nonexistent/electron';
  const desktop = join(tmpdir(), `latchkey-desktop-${randomUUID()}`);
  process.once('exit', () => rmSync(desktop, { recursive: true, force: true }));
  useFakeDesktop(desktop);
  return createFakeElectron();
}

const made = (shared[mark] ??= make());

const { electron } = made;

/** What the test may change and inspect. */
export const fakeElectron: FakeElectron = made.fakeElectron;

// Exported one by one, with named types: the compiler's own output would name modules of Node that
// do not exist there.
export const app: FakeModule['app'] = electron.app;
export const BaseWindow: FakeModule['BaseWindow'] = electron.BaseWindow;
export const BrowserWindow: FakeModule['BrowserWindow'] = electron.BrowserWindow;
export const clipboard: FakeModule['clipboard'] = electron.clipboard;
export const ipcMain: FakeModule['ipcMain'] = electron.ipcMain;
export const net: FakeModule['net'] = electron.net;
export const powerMonitor: FakeModule['powerMonitor'] = electron.powerMonitor;
export const protocol: FakeModule['protocol'] = electron.protocol;
export const safeStorage: FakeModule['safeStorage'] = electron.safeStorage;
export const session: FakeModule['session'] = electron.session;
export const shell: FakeModule['shell'] = electron.shell;
export const utilityProcess: FakeModule['utilityProcess'] = electron.utilityProcess;

export default electron;
