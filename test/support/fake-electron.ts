// Stands in for the module `electron` in unit, contract and flow tests (vitest.config.ts maps the
// name here): the one that hosts get, but with the real keychain worker in a process of Node.
import { createFakeElectron } from '../../src/testing/fakes/fake-electron.js';
import type { FakeWindow, FakeWindowState } from '../../src/testing/fakes/fake-window.js';
import { forkKeychainWorker } from './keychain-process.js';

// electron-store imports the real npm package `electron`, which under Node answers the path of its
// binary, and would download that binary unless it is told where it is. The path is never used.
process.env['ELECTRON_OVERRIDE_DIST_PATH'] ??= '/nonexistent/electron';

/** The environment of the keychain worker: a private bus, say. */
export const keychainEnvironment: { env: NodeJS.ProcessEnv } = { env: process.env };

export const { fakeElectron, electron } = createFakeElectron({
  fork: () => forkKeychainWorker(keychainEnvironment.env),
});

/** A window that writes down what was done to it. */
export function createFakeWindow(state?: FakeWindowState): FakeWindow {
  return fakeElectron.createWindow(state);
}

export const {
  app,
  BaseWindow,
  BrowserWindow,
  clipboard,
  ipcMain,
  net,
  powerMonitor,
  protocol,
  session,
  shell,
  utilityProcess,
} = electron;

/** As in an Electron before 42, until a test puts the asynchronous functions in. */
export const safeStorage: typeof electron.safeStorage = {};
