// Stands in for the module `electron` in unit, contract and flow tests (vitest.config.ts maps the name here).
// Everything exported is typed by `Pick<typeof Electron…>`, so that a change of Electron's API fails the compiler.
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Electron from 'electron';
import { forkKeychainWorker } from './keychain-process.js';

// electron-store imports the real npm package `electron`, which under Node answers the path of its binary, and would
// download that binary unless it is told where it is. The path is never used.
process.env['ELECTRON_OVERRIDE_DIST_PATH'] ??= '/nonexistent/electron';

/** Made by whoever writes first. */
const USER_DATA = join(realpathSync(tmpdir()), `latchkey-user-data-${randomUUID()}`);
process.once('exit', () => rmSync(USER_DATA, { recursive: true, force: true }));

type Values<Of, Keys extends keyof Of> = Pick<Of, Keys>;

/** What a test may change and look at. */
export interface FakeElectron {
  appName: string;
  isPackaged: boolean;
  appPath: string;
  userData: string;
  /** The environment of the keychain worker: a private bus, say. */
  keychainEnv: NodeJS.ProcessEnv;
  /** Whether this instance gets the single-instance lock. */
  lock: boolean;
  /** What `requestSingleInstanceLock` was given. */
  additionalData: unknown;
  readonly openedUrls: string[];
  /** Called by `shell.openExternal`: the system browser. */
  onOpen: (url: string) => void | Promise<void>;
  readonly preloads: string[];
  /** The exit code after `app.exit`. */
  exitCode: number | null;
  readonly windows: FakeWindow[];
  /** Calls a handler as a page would; `event` is what the handler sees of the sender. */
  invoke(channel: string, event: Partial<Electron.IpcMainInvokeEvent>, ...args: unknown[]): Promise<unknown>;
  /** Sends a synchronous message as a preload would; answers `event.returnValue`. */
  sendSync(channel: string, event: Partial<Electron.IpcMainEvent>, ...args: unknown[]): unknown;
}

export interface FakeWindow {
  readonly id: number;
  readonly did: string[];
  isDestroyed(): boolean;
  isVisible(): boolean;
  isMinimized(): boolean;
  restore(): void;
  show(): void;
  focus(): void;
}

const handlers = new Map<string, (event: Electron.IpcMainInvokeEvent, ...args: unknown[]) => unknown>();

export const fakeElectron: FakeElectron = {
  appName: 'Test App',
  isPackaged: false,
  appPath: '/opt/test-app',
  userData: USER_DATA,
  keychainEnv: process.env,
  lock: true,
  additionalData: undefined,
  openedUrls: [],
  onOpen: () => {},
  preloads: [],
  exitCode: null,
  windows: [],
  async invoke(channel, event, ...args) {
    const handler = handlers.get(channel);
    if (handler === undefined) throw new Error(`no handler for "${channel}"`);
    return await handler(event as Electron.IpcMainInvokeEvent, ...args);
  },
  sendSync(channel, event, ...args) {
    const sent = { ...event, returnValue: undefined as unknown };
    ipcMain.emit(channel, sent, ...args);
    return sent.returnValue;
  },
};

/** A window that writes down what was done to it. */
export function createFakeWindow(state: { readonly visible?: boolean; readonly minimized?: boolean; readonly destroyed?: boolean } = {}): FakeWindow {
  const did: string[] = [];
  const window: FakeWindow = {
    id: fakeElectron.windows.length + 1,
    did,
    isDestroyed: () => state.destroyed ?? false,
    isVisible: () => state.visible ?? true,
    isMinimized: () => state.minimized ?? false,
    restore: () => void did.push('restore'),
    show: () => void did.push('show'),
    focus: () => void did.push('focus'),
  } satisfies Values<Electron.BrowserWindow, 'id' | 'isDestroyed' | 'isVisible' | 'isMinimized' | 'restore' | 'show' | 'focus'> & { did: string[] };
  fakeElectron.windows.push(window);
  return window;
}

type AppValues =
  | 'getName'
  | 'getPath'
  | 'getAppPath'
  | 'getVersion'
  | 'isReady'
  | 'whenReady'
  | 'requestSingleInstanceLock'
  | 'setAsDefaultProtocolClient'
  | 'isDefaultProtocolClient'
  | 'removeAsDefaultProtocolClient'
  | 'hasSingleInstanceLock'
  | 'focus'
  | 'quit'
  | 'exit';

const appValues = {
  getName: () => fakeElectron.appName,
  getPath: (name) => (name === 'userData' ? fakeElectron.userData : join(fakeElectron.userData, name)),
  getAppPath: () => fakeElectron.appPath,
  getVersion: () => '1.2.3',
  isReady: () => true,
  whenReady: () => Promise.resolve(),
  requestSingleInstanceLock(additionalData) {
    fakeElectron.additionalData = additionalData;
    return fakeElectron.lock;
  },
  setAsDefaultProtocolClient: () => true,
  isDefaultProtocolClient: () => true,
  removeAsDefaultProtocolClient: () => true,
  hasSingleInstanceLock: () => fakeElectron.lock,
  focus: () => {},
  quit: () => void app.emit('will-quit'),
  exit(code = 0) {
    fakeElectron.exitCode = code;
  },
} satisfies Values<Electron.App, AppValues>;

const commandLine = { hasSwitch: () => false } satisfies Values<Electron.CommandLine, 'hasSwitch'>;

type FakeApp = EventEmitter & Pick<Electron.App, AppValues | 'on' | 'off' | 'once' | 'removeListener' | 'isPackaged' | 'commandLine'>;

export const app = Object.defineProperty(Object.assign(new EventEmitter(), appValues, { commandLine }), 'isPackaged', {
  get: () => fakeElectron.isPackaged,
}) as unknown as FakeApp;

export const BrowserWindow = {
  getAllWindows: () => fakeElectron.windows as unknown as Electron.BrowserWindow[],
  getFocusedWindow: () => null,
} satisfies Values<typeof Electron.BrowserWindow, 'getAllWindows' | 'getFocusedWindow'>;

export const utilityProcess = {
  fork(modulePath) {
    if (!modulePath.endsWith('keychain-worker.js')) throw new Error('only the keychain worker can be forked here');
    return forkKeychainWorker(fakeElectron.keychainEnv) as unknown as Electron.UtilityProcess;
  },
} satisfies Values<typeof Electron.utilityProcess, 'fork'>;

export const shell = {
  async openExternal(url) {
    fakeElectron.openedUrls.push(url);
    await fakeElectron.onOpen(url);
  },
} satisfies Values<Electron.Shell, 'openExternal'>;

type IpcValues = 'handle' | 'removeHandler';

const ipcValues = {
  handle(channel, listener) {
    if (handlers.has(channel)) throw new Error(`a second handler for "${channel}"`);
    handlers.set(channel, listener);
  },
  removeHandler: (channel) => void handlers.delete(channel),
} satisfies Values<Electron.IpcMain, IpcValues>;

export const ipcMain = Object.assign(new EventEmitter(), ipcValues) as unknown as EventEmitter &
  Pick<Electron.IpcMain, IpcValues | 'on' | 'once' | 'removeListener'>;

const oneSession = {
  /** Electron's fetch without a browser: what only Electron understands is left out. */
  async fetch(input, init) {
    const { bypassCustomProtocolHandlers: _bypass, ...rest } = init ?? {};
    return await fetch(input, rest);
  },
  registerPreloadScript({ filePath }) {
    fakeElectron.preloads.push(filePath);
    return 'preload';
  },
} satisfies Values<Electron.Session, 'fetch' | 'registerPreloadScript'>;

export const session = {
  fromPartition: () => oneSession as unknown as Electron.Session,
  defaultSession: oneSession as unknown as Electron.Session,
} satisfies Values<typeof Electron.session, 'fromPartition' | 'defaultSession'>;

/** As in an Electron before 42, until a test puts the asynchronous functions in. */
export const safeStorage: Partial<Values<Electron.SafeStorage, 'isAsyncEncryptionAvailable' | 'encryptStringAsync' | 'decryptStringAsync'>> = {};

export const powerMonitor = new EventEmitter() as unknown as EventEmitter & Pick<Electron.PowerMonitor, 'on' | 'removeListener'>;
