// Remembers which window had the focus last: while the browser is in front, none has it.
import { BaseWindow, BrowserWindow, app } from 'electron';
import type { WebContents } from 'electron';
import type { ShowAppOptions, Window } from './app-window.js';

export interface ShowApp {
  /** Brings the app's window to the front. */
  show(): void;
  stop(): void;
}

/** Watches from now on. */
export function createShowApp(options: ShowAppOptions): ShowApp {
  /** The last one first. */
  let focused: readonly Window[] = [];
  const watched = new WeakSet<Window>();
  const stopped = new AbortController();

  function watch(window: BaseWindow): void {
    if (stopped.signal.aborted || watched.has(window)) return;
    watched.add(window);
    const note = (): void => {
      focused = [window, ...focused.filter((one) => one !== window && !one.isDestroyed())];
    };
    window.on('focus', note);
    stopped.signal.addEventListener('abort', () => window.off('focus', note));
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
      stopped.abort();
    },
  };
}
