// Electron's main process without Electron: what Latchkey and a typical host use of it, in plain
// Node. Everything is typed by `Pick<typeof Electron…>`: when Electron's API changes, the compiler
// says so.
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Electron from 'electron';
import type { AuthBridge } from '../../contract.js';
import { createFakeNetSession, fakeNetRequest } from './fake-net.js';
import { createFakeKeyring } from './fake-keyring.js';
import type { FakeKeyring } from './fake-keyring.js';
import { openFakePage } from './fake-page.js';
import { createFakeSafeStorage } from './fake-safe-storage.js';
import { createFakeWindow, createWindowStatics } from './fake-window.js';
import type { FakeWindow, FakeWindowState } from './fake-window.js';
import { createPerson } from '../person/person.js';
import type { Person } from '../person/person.js';
import type { SignInChoices } from '../person/page-person.js';

/** What a test may change and look at. */
export interface FakeElectron {
  appName: string;
  appVersion: string;
  isPackaged: boolean;
  appPath: string;
  /**
   * A folder of this process, in the system's folder for temporary files; gone when the process
   * ends.
   */
  userData: string;
  /** Whether this instance gets the single-instance lock. */
  lock: boolean;
  /** What `requestSingleInstanceLock` was given. */
  additionalData: unknown;
  /** What `net.isOnline()` says. */
  online: boolean;
  /**
   * True: `safeStorage` encrypts asynchronously, as in Electron ≥ 42. False, and so by default: it
   * has no such functions.
   */
  canEncrypt: boolean;
  readonly keyring: FakeKeyring;
  /** Every URL for the system browser, oldest first. */
  readonly openedUrls: string[];
  /**
   * Called by `shell.openExternal`: the system browser. Does nothing unless the test says
   * otherwise.
   */
  onOpen: (url: string) => void | Promise<void>;
  readonly preloads: string[];
  /** The exit code after `app.exit` or a quit that nobody prevented. */
  exitCode: number | null;
  /** The windows that are open, oldest first. */
  readonly windows: FakeWindow[];
  /**
   * The scripted person is the system browser from now on, and comes back to the app by whichever
   * redirect was used.
   */
  browseAs(choices?: SignInChoices, person?: Person): void;
  /**
   * The operating system brings a URL to the running app: `open-url` on macOS, else
   * `second-instance`.
   */
  deepLink(url: string): void;
  /**
   * Opens a page; resolves with its `window.latchkey`, or null when Latchkey does not trust the
   * URL.
   */
  openPage(url: string): Promise<AuthBridge | null>;
  /** A window that the host did not open itself. */
  createWindow(state?: FakeWindowState): FakeWindow;
  /** Calls a handler as a page would; `event` is what the handler sees of the sender. */
  invoke(
    channel: string,
    event: Partial<Electron.IpcMainInvokeEvent>,
    ...args: unknown[]
  ): Promise<unknown>;
  /** Sends a synchronous message as a preload would; answers `event.returnValue`. */
  sendSync(channel: string, event: Partial<Electron.IpcMainEvent>, ...args: unknown[]): unknown;
  /**
   * The process ends and the next one begins: windows, handlers and listeners are gone; keyring and
   * `userData` stay. First `await auth.stop()`.
   */
  restart(): void;
  /** As at the beginning: `restart`, and everything that was changed or stored is gone. */
  reset(): void;
}

/** The parts that Latchkey's own tests can replace. */
export interface FakeElectronParts {
  readonly fork?: (modulePath: string) => unknown;
}

type AppValues =
  | 'getName'
  | 'setName'
  | 'getPath'
  | 'setPath'
  | 'getAppPath'
  | 'getVersion'
  | 'getLocale'
  | 'isReady'
  | 'whenReady'
  | 'requestSingleInstanceLock'
  | 'hasSingleInstanceLock'
  | 'releaseSingleInstanceLock'
  | 'setAsDefaultProtocolClient'
  | 'isDefaultProtocolClient'
  | 'removeAsDefaultProtocolClient'
  | 'enableSandbox'
  | 'setAppUserModelId'
  | 'focus'
  | 'quit'
  | 'exit';
type CommandLineValues = 'hasSwitch' | 'appendSwitch' | 'getSwitchValue';
type SessionValues =
  'fetch' | 'registerPreloadScript' | 'unregisterPreloadScript' | 'getPreloadScripts';
type Emitting<Values> = EventEmitter & Values;

/** The parts of the module `electron`. */
export interface FakeModule {
  readonly app: Emitting<
    Pick<
      Electron.App,
      AppValues | 'isPackaged' | 'name' | 'commandLine' | 'on' | 'off' | 'once' | 'removeListener'
    >
  >;
  readonly BrowserWindow: Pick<
    typeof Electron.BrowserWindow,
    'getAllWindows' | 'getFocusedWindow' | 'fromId' | 'fromWebContents'
  > &
    (new (options?: Electron.BrowserWindowConstructorOptions) => FakeWindow);
  readonly BaseWindow: Pick<
    typeof Electron.BaseWindow,
    'getAllWindows' | 'getFocusedWindow' | 'fromId'
  >;
  readonly utilityProcess: Pick<typeof Electron.utilityProcess, 'fork'>;
  readonly shell: Pick<Electron.Shell, 'openExternal'>;
  readonly clipboard: Pick<Electron.Clipboard, 'readText' | 'writeText'>;
  readonly ipcMain: Emitting<
    Pick<Electron.IpcMain, 'handle' | 'removeHandler' | 'on' | 'once' | 'removeListener'>
  >;
  readonly session: Pick<typeof Electron.session, 'fromPartition' | 'defaultSession'>;
  readonly safeStorage: Partial<
    Pick<
      Electron.SafeStorage,
      'isAsyncEncryptionAvailable' | 'encryptStringAsync' | 'decryptStringAsync'
    >
  >;
  readonly powerMonitor: Emitting<
    Pick<Electron.PowerMonitor, 'on' | 'off' | 'once' | 'removeListener'>
  >;
  readonly net: Pick<Electron.Net, 'isOnline' | 'fetch' | 'request'>;
  readonly protocol: Pick<Electron.Protocol, 'registerSchemesAsPrivileged' | 'handle' | 'unhandle'>;
}

/** Makes one fake Electron. */
export function createFakeElectron(parts: FakeElectronParts = {}): {
  readonly fakeElectron: FakeElectron;
  readonly electron: FakeModule;
} {
  const { keyring, fork } = createFakeKeyring();
  const handlers = new Map<
    string,
    (event: Electron.IpcMainInvokeEvent, ...args: unknown[]) => unknown
  >();
  const switches = new Map<string, string>();
  const paths = new Map<string, string>();
  /** A process cannot take a registration back. */
  const standardSchemes = new Set<string>();
  const userData = join(realpathSync(tmpdir()), `latchkey-user-data-${randomUUID()}`);
  process.once('exit', () => rmSync(userData, { recursive: true, force: true }));
  let windowsMade = 0;
  let clipped = '';
  let isLockHeld = false;
  /** As soon as somebody has waited for it. */
  let isReady = false;

  const beginning = () => ({
    appName: 'Test App',
    appVersion: '1.2.3',
    isPackaged: false,
    // The project that is tested, as when it is started by its folder.
    appPath: process.cwd(),
    userData,
    lock: true,
    additionalData: undefined as unknown,
    online: true,
    canEncrypt: false,
    exitCode: null,
    onOpen: () => undefined,
  });
  const fake: FakeElectron = {
    ...beginning(),
    keyring,
    openedUrls: [],
    preloads: [],
    windows: [],
    browseAs(choices = {}, person = createPerson()) {
      fake.onOpen = async (url) => {
        const isLoopback =
          URL.canParse(url) &&
          new URL(url).searchParams.get('redirect_uri')?.startsWith('http:') === true;
        // Does not wait: a browser is a separate program.
        void person.signIn(url, { ...choices, visit: isLoopback }).then(
          ({ callbackUrl }) => isLoopback || fake.deepLink(callbackUrl),
          () => undefined,
        );
      };
    },
    deepLink(url) {
      const event = { preventDefault: () => undefined };
      if (process.platform === 'darwin') app.emit('open-url', event, url);
      else app.emit('second-instance', event, [process.execPath, url], process.cwd(), null);
    },
    openPage: (url) => openFakePage(fake, url),
    createWindow(state) {
      const window = createFakeWindow(
        fake.windows,
        () => (windowsMade += 1),
        state,
        standardSchemes,
      );
      app.emit('web-contents-created', {}, window.webContents);
      return window;
    },
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
    restart() {
      for (const list of [fake.preloads, fake.windows]) list.splice(0);
      for (const map of [handlers, switches, paths]) map.clear();
      for (const emitter of [app, ipcMain, powerMonitor]) emitter.removeAllListeners();
      fake.exitCode = null;
      isLockHeld = false;
      isReady = false;
    },
    reset() {
      fake.restart();
      Object.assign(fake, beginning());
      fake.openedUrls.splice(0);
      clipped = '';
      keyring.reset();
      rmSync(userData, { recursive: true, force: true });
    },
  };

  const appValues = {
    getName: () => fake.appName,
    setName(name) {
      fake.appName = name;
    },
    getPath: (name) =>
      paths.get(name) ?? (name === 'userData' ? fake.userData : join(fake.userData, name)),
    setPath: (name, path) => void paths.set(name, path),
    getAppPath: () => fake.appPath,
    getVersion: () => fake.appVersion,
    getLocale: () => 'en-US',
    isReady: () => isReady,
    async whenReady() {
      await Promise.resolve();
      isReady = true;
    },
    requestSingleInstanceLock(additionalData) {
      fake.additionalData = additionalData;
      isLockHeld = fake.lock;
      return isLockHeld;
    },
    hasSingleInstanceLock: () => isLockHeld,
    releaseSingleInstanceLock() {
      isLockHeld = false;
    },
    setAsDefaultProtocolClient: () => true,
    isDefaultProtocolClient: () => true,
    removeAsDefaultProtocolClient: () => true,
    enableSandbox: () => undefined,
    setAppUserModelId: () => undefined,
    focus: () => undefined,
    quit() {
      for (const name of ['before-quit', 'will-quit']) {
        let prevented = false;
        app.emit(name, { preventDefault: () => (prevented = true) });
        if (prevented) return;
      }
      fake.exitCode = 0;
    },
    exit(code = 0) {
      fake.exitCode = code;
    },
  } satisfies Pick<Electron.App, AppValues>;
  const commandLine = {
    hasSwitch: (name) => switches.has(name),
    appendSwitch: (name, value = '') => void switches.set(name, value),
    getSwitchValue: (name) => switches.get(name) ?? '',
  } satisfies Pick<Electron.CommandLine, CommandLineValues>;
  const app = Object.defineProperties(
    Object.assign(new EventEmitter(), appValues, { commandLine }),
    {
      isPackaged: { get: () => fake.isPackaged },
      name: { get: () => fake.appName },
    },
  ) as unknown as FakeModule['app'];

  const ipcMain = Object.assign(new EventEmitter(), {
    handle(channel, listener) {
      if (handlers.has(channel)) throw new Error(`a second handler for "${channel}"`);
      handlers.set(channel, listener);
    },
    removeHandler: (channel) => void handlers.delete(channel),
  } satisfies Pick<
    Electron.IpcMain,
    'handle' | 'removeHandler'
  >) as unknown as FakeModule['ipcMain'];

  const oneSession = {
    ...createFakeNetSession(),
    // Electron's fetch without a browser: what only Electron understands is left out.
    async fetch(input, init) {
      const { bypassCustomProtocolHandlers: _bypass, ...rest } = init ?? {};
      return await fetch(input, rest);
    },
    registerPreloadScript({ filePath }) {
      fake.preloads.push(filePath);
      // One file for each: its path is name enough.
      return filePath;
    },
    unregisterPreloadScript(id) {
      fake.preloads.splice(fake.preloads.indexOf(id), 1);
    },
    getPreloadScripts: () => [],
  } satisfies Pick<Electron.Session, SessionValues>;

  const statics = createWindowStatics(fake.windows);
  // Called with `new`: what a function returns then is the object that was made.
  const BrowserWindow = Object.assign(function BrowserWindow({
    show: visible = true,
  }: Electron.BrowserWindowConstructorOptions = {}) {
    return fake.createWindow({ visible });
  }, statics) as unknown as FakeModule['BrowserWindow'];

  const powerMonitor = new EventEmitter() as FakeModule['powerMonitor'];
  const electron: FakeModule = {
    app,
    BrowserWindow,
    BaseWindow: statics,
    ipcMain,
    powerMonitor,
    utilityProcess: {
      fork(modulePath) {
        if (!modulePath.endsWith('keychain-worker.js'))
          throw new Error('only the keychain worker of Latchkey can be forked here');
        return (parts.fork ?? fork)(modulePath) as Electron.UtilityProcess;
      },
    },
    shell: {
      async openExternal(url) {
        fake.openedUrls.push(url);
        await fake.onOpen(url);
      },
    },
    clipboard: {
      readText: async () => clipped,
      async writeText(text) {
        clipped = text;
      },
    },
    session: {
      fromPartition: () => oneSession as unknown as Electron.Session,
      defaultSession: oneSession as unknown as Electron.Session,
    },
    safeStorage: createFakeSafeStorage(() => fake.canEncrypt),
    net: {
      isOnline: () => fake.online,
      fetch: (input, init) => oneSession.fetch(input, init),
      request: fakeNetRequest,
    },
    protocol: {
      registerSchemesAsPrivileged(schemes) {
        for (const { scheme, privileges } of schemes)
          if (privileges?.standard === true) standardSchemes.add(scheme);
      },
      handle: () => undefined,
      unhandle: () => undefined,
    },
  };
  return { fakeElectron: fake, electron };
}
