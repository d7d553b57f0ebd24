// Remembers which window had the focus last: while the browser is in front, none has it.
import { BrowserWindow, app } from 'electron';
import type { ShowAppOptions, Window } from './app-window.js';

/** Watches from now on. Returns a function that brings the app's window to the front. */
export function createShowApp(options: ShowAppOptions): () => void {
  /** The last one first. */
  let focused: readonly Window[] = [];
  const watched = new WeakSet<Window>();

  // Not `browser-window-focus`, which a BaseWindow with views does not cause.
  app.on('web-contents-created', (_event, contents) => {
    const watch = (): void => {
      const window = BrowserWindow.fromWebContents(contents);
      if (window === null || watched.has(window)) return;
      watched.add(window);
      const note = (): void => {
        focused = [window, ...focused.filter((one) => one !== window && !one.isDestroyed())];
      };
      window.on('focus', note);
      if (window.isFocused()) note();
    };
    contents.on('dom-ready', watch);
    contents.on('focus', watch);
  });

  return () =>
    void import('./app-window.js').then(
      ({ showWindow }) => showWindow(options, focused),
      // The sign-in goes on; what else is missing is told elsewhere.
      () => undefined,
    );
}
