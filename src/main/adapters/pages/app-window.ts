// Chooses the app's window and brings it to the front. Loaded at the first callback. May not create
// a window: that is the host's decision.
import { type WebContents, BaseWindow, BrowserWindow, app } from 'electron';
import type { Log } from '../../core/base/ports.js';
import type { AppWindow } from '../../core/options/auth-options.js';

export type Window = AppWindow & Pick<BaseWindow, 'id' | 'isVisible'>;

export interface ShowAppOptions {
  /** The host's choice: asked each time, for its windows come and go. */
  readonly appWindow: (() => AppWindow | null | undefined) | null;
  /** The contents that show a trusted page now. */
  readonly trusted: () => readonly WebContents[];
  readonly log: Log;
}

/** Restores, shows and focuses the window. Does nothing without one, and never throws. */
export function showWindow(options: ShowAppOptions, focused: readonly Window[]): void {
  try {
    const window = namedWindow(options) ?? chosenWindow(options, focused);
    if (window === null || window === 'none') return;
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
    // macOS gives a background app the focus only if the app asks for it.
    if (process.platform === 'darwin') app.focus({ steal: true });
  } catch {
    // A window that is destroyed at this moment. The sign-in goes on.
  }
}

/** Null if the host names no window that exists. */
function namedWindow({ appWindow, log }: ShowAppOptions): AppWindow | 'none' | null {
  if (appWindow === null) return null;
  try {
    const window = appWindow();
    if (window === null) return 'none';
    return window?.isDestroyed() === false ? window : null;
  } catch (thrown) {
    const name = thrown instanceof Error ? thrown.name : typeof thrown;
    log.write({ level: 'error', event: 'app-window-failed', fields: { name } });
    return null;
  }
}

function chosenWindow({ trusted }: ShowAppOptions, focused: readonly Window[]): Window | null {
  const owners = new Set(trusted().map((contents) => BrowserWindow.fromWebContents(contents)?.id));
  const all: readonly Window[] = BaseWindow.getAllWindows().filter(
    (window) => !window.isDestroyed(),
  );
  const seen = all.filter((window) => window.isVisible() || window.isMinimized());
  const group = seen.length > 0 ? seen : all;
  const own = group.filter((window) => owners.has(window.id));
  const candidates = own.length > 0 ? own : group;
  // A destroyed window throws when it is asked for its id.
  const last = focused.find(
    (one) => !one.isDestroyed() && candidates.some(({ id }) => id === one.id),
  );
  if (last !== undefined) return last;
  // A hidden window that was never in front may be a helper that nobody is meant to see.
  return group === seen || candidates.length === 1 ? (candidates[0] ?? null) : null;
}
