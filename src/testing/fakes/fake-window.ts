// Windows without a screen: they remember what was done to them and what was sent to their pages.
import { EventEmitter } from 'node:events';
import type * as Electron from 'electron';

type WindowValues =
  | 'id'
  | 'loadURL'
  | 'loadFile'
  | 'isDestroyed'
  | 'isVisible'
  | 'isMinimized'
  | 'isFocused'
  | 'restore'
  | 'minimize'
  | 'show'
  | 'hide'
  | 'focus'
  | 'close'
  | 'destroy'
  | 'setTitle'
  | 'getTitle'
  | 'setMenuBarVisibility'
  | 'webContents';

/** A window, as far as it is one, and its memory. */
export type FakeWindow = EventEmitter &
  Pick<Electron.BrowserWindow, WindowValues> & {
    /** What was done, oldest first: `show`, `restore`, `focus` … */
    readonly did: readonly string[];
    /** What was sent to its page; the event `sent` tells at once. */
    readonly sent: readonly { readonly channel: string; readonly args: readonly unknown[] }[];
  };

/** How a window is in the beginning. */
export interface FakeWindowState {
  readonly visible?: boolean;
  readonly minimized?: boolean;
  readonly destroyed?: boolean;
}

/** Makes a window. `windows` holds all that are open. */
export function createFakeWindow(
  windows: FakeWindow[],
  nextId: () => number,
  state: FakeWindowState = {},
  standardSchemes: ReadonlySet<string> = new Set(),
): FakeWindow {
  const did: string[] = [];
  const sent: { readonly channel: string; readonly args: readonly unknown[] }[] = [];
  let { visible = true, minimized = false, destroyed = false } = state;
  let url = '';
  let title = '';
  const id = nextId();

  const send = (channel: string, ...args: unknown[]): void => {
    sent.push({ channel, args });
    window.emit('sent', channel, ...args);
  };
  const contents = Object.assign(new EventEmitter(), {
    id,
    send,
    getURL: () => url,
    isDestroyed: () => destroyed,
    // Frames of a real page come and go; this one stays.
    mainFrame: {
      get url() {
        return url;
      },
      get origin() {
        return originOf(url, standardSchemes);
      },
      parent: null,
      detached: false,
      send,
    },
  } satisfies Pick<Electron.WebContents, 'id' | 'send' | 'getURL' | 'isDestroyed'> & {
    mainFrame: Pick<Electron.WebFrameMain, 'url' | 'origin' | 'parent' | 'detached' | 'send'>;
  });
  const load = async (loaded: string): Promise<void> => {
    url = loaded;
    setImmediate(() => contents.emit('did-finish-load'));
  };
  const end = (): void => {
    if (destroyed) return;
    destroyed = true;
    windows.splice(windows.indexOf(window), 1);
    contents.emit('destroyed');
    window.emit('closed');
  };

  const window = Object.assign(new EventEmitter(), {
    id,
    did,
    sent,
    webContents: contents as unknown as Electron.WebContents,
    loadURL: load,
    loadFile: (path) => load(new URL(path, 'file:///').href),
    isDestroyed: () => destroyed,
    isVisible: () => visible,
    isMinimized: () => minimized,
    isFocused: () => false,
    restore() {
      did.push('restore');
      minimized = false;
    },
    minimize() {
      did.push('minimize');
      minimized = true;
    },
    show() {
      did.push('show');
      visible = true;
    },
    hide() {
      did.push('hide');
      visible = false;
    },
    focus: () => void did.push('focus'),
    close: end,
    destroy: end,
    setTitle(next) {
      title = next;
    },
    getTitle: () => title,
    setMenuBarVisibility: () => undefined,
  } satisfies Pick<Electron.BrowserWindow, WindowValues> & Pick<FakeWindow, 'did' | 'sent'>);
  windows.push(window);
  // As in a real Electron.
  Object.defineProperty(window, 'id', {
    enumerable: true,
    get: () => {
      if (destroyed) throw new TypeError('Object has been destroyed');
      return id;
    },
  });
  return window;
}

/** As Chromium gives it: a scheme that is not standard has no origins. */
function originOf(url: string, standardSchemes: ReadonlySet<string>): string {
  if (!URL.canParse(url)) return 'null';
  const { protocol, host } = new URL(url);
  if (protocol === 'file:') return 'file://';
  const isStandard = /^https?:$/.test(protocol) || standardSchemes.has(protocol.slice(0, -1));
  return isStandard ? `${protocol}//${host}` : 'null';
}

/** What the classes BrowserWindow and BaseWindow find among the open windows. */
export function createWindowStatics(windows: readonly FakeWindow[]) {
  return {
    getAllWindows: () => [...windows] as unknown as Electron.BrowserWindow[],
    // The browser is in front, as it is during every sign-in.
    getFocusedWindow: () => null,
    fromId: (id) =>
      (windows.find((window) => window.id === id) ??
        null) as unknown as Electron.BrowserWindow | null,
    fromWebContents: (contents) =>
      (windows.find(({ webContents }) => webContents === contents) ??
        null) as unknown as Electron.BrowserWindow | null,
  } satisfies Pick<
    typeof Electron.BrowserWindow,
    'getAllWindows' | 'getFocusedWindow' | 'fromId' | 'fromWebContents'
  >;
}
