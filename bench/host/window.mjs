// @ts-check
// Windows of the apps that are measured, and what their pages say.
import { app, BrowserWindow, ipcMain } from 'electron';
import { join } from 'node:path';

/** @typedef {{ what: string, value: any, from: number }} Said */

/** @type {Set<(said: Said) => void>} */
const listeners = new Set();
ipcMain.on('bench', (event, what, value) => {
  for (const listener of [...listeners])
    listener({ what: String(what), value: /** @type {unknown} */ (value), from: event.sender.id });
});

/**
 * Resolves with the first thing said that matches.
 * @param {(said: Said) => boolean} matches
 * @returns {Promise<Said>}
 */
export function heard(matches) {
  return new Promise((resolve) => {
    const listener = (/** @type {Said} */ said) => {
      if (!matches(said)) return;
      listeners.delete(listener);
      resolve(said);
    };
    listeners.add(listener);
  });
}

/**
 * A window with the bench's page; resolves when the page's script has run.
 * @param {boolean} show
 */
export async function openWindow(show) {
  const window = new BrowserWindow({
    width: 400,
    height: 300,
    show,
    webPreferences: {
      preload: join(app.getAppPath(), 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      backgroundThrottling: false,
    },
  });
  const loaded = heard(({ what, from }) => what === 'loaded' && from === window.webContents.id);
  void window.loadFile(join(app.getAppPath(), 'page.html'));
  await loaded;
  return window;
}

/** @returns {Promise<{ paintMs: number }>} milliseconds from the start of the process */
export async function firstPaint() {
  const painted = heard(({ what }) => what === 'first-paint');
  await openWindow(true);
  const { value } = await painted;
  return { paintMs: Number(value) - performance.timeOrigin };
}
