// Which window comes to the front after a sign-in (adapters/pages/show-app.ts). The same runs with
// real windows in test/e2e/frames.spec.ts.
import type { WebContents } from 'electron';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createShowApp } from '../../../src/main/adapters/pages/show-app.js';
import type { AppWindow } from '../../../src/main/core/options/auth-options.js';
import { app, createFakeWindow, fakeElectron } from '../../support/fake-electron.js';
import { createFakeLog } from '../../support/fakes.js';

type Made = ReturnType<typeof createFakeWindow>;

let pages: WebContents[];
let log: ReturnType<typeof createFakeLog>;
let showApp: () => Promise<void>;

beforeEach(() => {
  fakeElectron.restart();
  pages = [];
  log = createFakeLog();
  showApp = make(null);
});

function make(appWindow: (() => AppWindow | null | undefined) | null): () => Promise<void> {
  const { show } = createShowApp({ appWindow, trusted: () => pages, log });
  return async () => {
    show();
    // It loads the rest first.
    await vi.dynamicImportSettled();
  };
}

/** A window whose page has loaded; `trusted` if it is one of the app's own. */
function open(state: Parameters<typeof createFakeWindow>[0], trusted = true): Made {
  const window = createFakeWindow(state);
  if (trusted) pages.push(window.webContents);
  window.webContents.emit('dom-ready');
  return window;
}

describe('the window that is shown', () => {
  it('is restored, shown and focused', async () => {
    const window = open({ minimized: true, visible: false });
    await showApp();
    expect(window.did).toEqual(['restore', 'show', 'focus']);
  });

  it('is the visible one that had the focus last, not one that had it before', async () => {
    const [first, second, third] = [open({}), open({}), open({})];
    second.emit('focus');
    first.emit('focus');
    await showApp();
    expect([first.did, second.did, third.did]).toEqual([['show', 'focus'], [], []]);
    first.destroy();
    await showApp();
    expect(second.did).toEqual(['show', 'focus']);
  });

  it('is one that shows a page of the app, though another had the focus last', async () => {
    const own = open({});
    const web = open({}, false);
    web.emit('focus');
    await showApp();
    expect([own.did, web.did]).toEqual([['show', 'focus'], []]);
  });

  it('is a visible one, though a hidden helper shows a page of the app and was made first', async () => {
    const helper = open({ visible: false });
    const web = open({}, false);
    await showApp();
    expect([helper.did, web.did]).toEqual([[], ['show', 'focus']]);
  });

  it('is the only window of a tray app, though it is hidden', async () => {
    const window = open({ visible: false });
    await showApp();
    expect(window.did).toEqual(['show', 'focus']);
  });

  it('is the hidden one that was in front before, and none if that cannot be known', async () => {
    const helper = open({ visible: false });
    const main = open({ visible: false });
    await showApp();
    expect([helper.did, main.did]).toEqual([[], []]);
    main.emit('focus');
    await showApp();
    expect([helper.did, main.did]).toEqual([[], ['show', 'focus']]);
  });

  it('is never a destroyed one, and may be missing', async () => {
    await expect(showApp()).resolves.toBeUndefined();
    const gone = open({ destroyed: true });
    await showApp();
    expect(gone.did).toEqual([]);
  });

  it('is watched from its first page on, also when a view gets the focus that came later', async () => {
    const first = open({});
    const late = createFakeWindow({});
    pages.push(late.webContents);
    late.webContents.emit('focus');
    late.emit('focus');
    await showApp();
    expect([first.did, late.did]).toEqual([[], ['show', 'focus']]);
  });

  it('is a minimized one, though a hidden helper was made first', async () => {
    const helper = open({ visible: false });
    const main = open({ visible: false, minimized: true });
    await showApp();
    expect([helper.did, main.did]).toEqual([[], ['restore', 'show', 'focus']]);
  });

  it('is the one that had the focus when its page loaded', async () => {
    const first = open({});
    const second = createFakeWindow({});
    pages.push(second.webContents);
    second.isFocused = () => true;
    second.webContents.emit('dom-ready');
    await showApp();
    expect([first.did, second.did]).toEqual([[], ['show', 'focus']]);
  });

  it('is one that an earlier sign-in had watched, and that has had the focus since', async () => {
    const [first, second] = [open({}), open({})];
    await app.whenReady();
    const later = make(null);
    second.emit('focus');
    await later();
    expect([first.did, second.did]).toEqual([[], ['show', 'focus']]);
  });

  it('leaves nothing behind when it is closed, and all are left at the stop', async () => {
    const warnings: unknown[] = [];
    const warn = (warning: Error): unknown => warnings.push(warning.name);
    process.on('warning', warn);
    const { stop } = createShowApp({ appWindow: null, trusted: () => pages, log });
    for (let round = 0; round < 30; round += 1) {
      const window = open({});
      window.emit('focus');
      expect(window.listenerCount('focus')).toBeGreaterThan(0);
      window.destroy();
      expect([window.listenerCount('focus'), window.listenerCount('closed')]).toEqual([0, 0]);
    }
    const windows = Array.from({ length: 30 }, () => open({}));
    const before = windows.map((window) => window.listenerCount('focus'));
    stop();
    expect(windows.map((window) => window.listenerCount('focus') + 1)).toEqual(before);
    // Node tells of a leak in the next turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', warn);
    expect(warnings).toEqual([]);
  });

  it('does not hurt when it is destroyed at this moment', async () => {
    const window = open({});
    window.show = () => {
      throw new TypeError('Object has been destroyed');
    };
    await expect(showApp()).resolves.toBeUndefined();
  });
});

describe('the option "appWindow"', () => {
  it('is asked each time, and its answer counts', async () => {
    const [main, other] = [open({}), open({ visible: false }, false)];
    let answer: AppWindow | null = other;
    const show = make(() => answer);
    await show();
    expect([main.did, other.did]).toEqual([[], ['show', 'focus']]);
    answer = null;
    await show();
    expect([main.did.length, other.did.length]).toEqual([0, 2]);
    answer = main;
    await show();
    expect([main.did.length, other.did.length]).toEqual([2, 2]);
  });

  it('may give no window yet: the default is used, and nothing is said', async () => {
    const window = open({});
    await make(() => undefined)();
    expect([window.did, log.names()]).toEqual([['show', 'focus'], []]);
  });

  it('may throw, or give a destroyed window or nonsense: the default is used', async () => {
    const window = open({});
    const gone = createFakeWindow({ destroyed: true });
    for (const answer of [
      () => gone,
      () => Promise.resolve(window) as unknown as AppWindow,
      () => {
        throw new TypeError('a secret');
      },
    ])
      await make(answer)();
    expect(window.did).toEqual(['show', 'focus', 'show', 'focus', 'show', 'focus']);
    expect(log.names()).toEqual(['app-window-failed', 'app-window-failed']);
    expect(JSON.stringify(log.events)).not.toContain('secret');
  });
});
