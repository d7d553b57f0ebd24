// What is left of the boundary to pages when something breaks: a window that crashes, pages of the
// browser itself, a flood.
import type { IpcMainEvent, IpcMainInvokeEvent } from 'electron';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuthView } from '../../../src/contract.js';
import { exposeToPages, isTrustedUrl } from '../../../src/main/adapters/pages/ipc.js';
import { toErrorView } from '../../../src/main/core/base/errors.js';
import { fakeElectron } from '../../support/fake-electron.js';
import { createFakeLog } from '../../support/fakes.js';

const trust = {
  trustedOrigins: ['https://app.example.com'],
  redirectSchemes: ['com.example.app'],
  appPath: '/opt/test-app',
};
const signedOut: AuthView = { status: 'signed-out', reason: 'never' };
const nothing = (): void => undefined;

let push: (view: AuthView) => void;
let log: ReturnType<typeof createFakeLog>;
let remove: () => void;

beforeEach(() => {
  log = createFakeLog();
  remove = exposeToPages(
    {
      view: () => signedOut,
      errorView: async (error) => toErrorView(error),
      onView(listener) {
        push = listener;
        return nothing;
      },
      signIn: async () => undefined,
      cancelSignIn: nothing,
      reopenBrowser: nothing,
      tryAnotherWay: nothing,
      pasteCallback: async () => undefined,
      signOut: async () => undefined,
      switchAccount: async () => undefined,
      retry: nothing,
    },
    trust,
    log,
  );
});
afterEach(() => {
  remove();
});

/** A window that asked for its view. */
function windowThat(send: (channel: string, view: unknown) => void): void {
  const url = 'file:///opt/test-app/index.html';
  const contents = { isDestroyed: () => false, once: nothing, mainFrame: { url, send } };
  fakeElectron.sendSync('latchkey:view', {
    sender: contents,
    senderFrame: { url, parent: null, detached: false },
  } as unknown as Partial<IpcMainEvent>);
}

describe('a change of the view', () => {
  it('reaches every window, though one of them crashes at this moment', () => {
    const heard: string[] = [];
    windowThat(() => {
      heard.push('first');
    });
    windowThat(() => {
      throw new Error('Render frame was disposed before WebFrameMain could be accessed');
    });
    windowThat(() => {
      heard.push('last');
    });
    push(signedOut);
    expect(heard).toEqual(['first', 'last']);
  });
});

describe('a page', () => {
  it.each([
    'chrome://gpu',
    'chrome-error://chromewebdata/',
    'chrome-untrusted://x',
    'view-source:https://evil.example',
    'about:srcdoc',
    'blob:file:///opt/test-app/1',
    'javascript:alert(1)',
    'COM.EXAMPLE.APP:/callback',
    'file:///opt/test-app/%2e%2e/evil.html',
    'file:///opt/test-app/..%2fevil.html',
    'file://server/opt/test-app/index.html',
    'file:///opt/test-app',
  ])('of the browser itself, of a callback or outside of the app is not trusted: %s', (url) => {
    expect(isTrustedUrl(url, trust)).toBe(false);
  });

  it('that is refused does not fill the log, however many origins try', async () => {
    for (let number = 0; number < 200; number += 1) {
      await fakeElectron.invoke('latchkey:retry', {
        senderFrame: { url: `https://evil-${number}.example/`, parent: null, detached: false },
      } as unknown as Partial<IpcMainInvokeEvent>);
    }
    expect(log.events.length).toBeLessThanOrEqual(32);
  });
});
