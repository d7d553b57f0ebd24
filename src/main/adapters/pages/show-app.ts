// Remembers which window had the focus last: while the browser is in front, none has it.
import { BaseWindow, BrowserWindow, app } from 'electron';
import type { WebContents } from 'electron';
import type { ShowAppOptions, Window } from './app-window.js';

type Watchable = Window & Pick<BaseWindow, 'on' | 'off' | 'isFocused'>;

export interface ShowApp {
  /** Brings the app's window to the front. */
  show(): void;
  stop(): void;
}

/** Watches from now on. */
export function createShowApp(options: ShowAppOptions): ShowApp {
  /** The last one first. */
  let focused: readonly Window[] = [];
  /** Each open window, and how to leave it. */
  const watched = new Map<Window, () => void>();
  let isStopped = false;

  function watch(window: Watchable): void {
    if (isStopped || watched.has(window)) return;
    const note = (): void => {
      focused = [window, ...focused.filter((one) => one !== window)];
    };
    // An app that runs for weeks opens many windows: a closed one leaves nothing behind.
    const leave = (): void => {
      watched.delete(window);
      focused = focused.filter((one) => one !== window);
      window.off('focus', note);
      window.off('closed', leave);
    };
    watched.set(window, leave);
    window.on('focus', note);
    window.on('closed', leave);
    if (window.isFocused()) note();
  }

  // Not `browser-window-focus`, which a BaseWindow with views does not cause.
  const onContents = (_event: unknown, contents: Pick<WebContents, 'on'>): void => {
    const watchWindow = (): void => {
      const window = BrowserWindow.fromWebContents(contents as WebContents);
      if (window !== null) watch(window);
    };
    contents.on('dom-ready', watchWindow);
    contents.on('focus', watchWindow);
  };
  app.on('web-contents-created', onContents);
  // There are windows already if an earlier sign-in was stopped.
  if (app.isReady()) for (const window of BaseWindow.getAllWindows()) watch(window);

  return {
    show: () =>
      void import('./app-window.js').then(
        ({ showWindow }) => showWindow(options, focused),
        // The sign-in goes on; what else is missing is told elsewhere.
        () => undefined,
      ),
    stop() {
      app.off('web-contents-created', onContents);
      isStopped = true;
      for (const leave of watched.values()) leave();
    },
  };
}
