// Brings the app's window to the front after the browser has sent the person back. May not create a
// window: that is the host's decision.
import { app, BrowserWindow } from 'electron';

type Window = ReturnType<typeof BrowserWindow.getAllWindows>[number];

/**
 * Restores, shows and focuses the window that had the focus last, else the first visible one. Does
 * nothing without a window.
 */
export function showApp(): void {
  const windows = BrowserWindow.getAllWindows().filter((window) => !window.isDestroyed());
  const window =
    BrowserWindow.getFocusedWindow() ??
    lastFocused(windows) ??
    windows.find((candidate) => candidate.isVisible()) ??
    windows[0];
  if (window === undefined) return;
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
  // macOS gives a background app the focus only if the app asks for it.
  if (process.platform === 'darwin') app.focus({ steal: true });
}

let lastFocusedId: number | null = null;

/**
 * Remembers from now on which window had the focus last: when the browser is in front, none has it.
 */
export function rememberFocus(): void {
  app.on('browser-window-focus', (_event, window) => {
    lastFocusedId = window.id;
  });
}

function lastFocused(windows: readonly Window[]): Window | undefined {
  return windows.find((window) => window.id === lastFocusedId);
}
