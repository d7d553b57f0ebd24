// What is left of the boundary to pages when something breaks: a window that crashes, pages of the
// browser itself, a flood.
import type { IpcMainEvent, IpcMainInvokeEvent } from 'electron';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuthView } from '../../../src/contract.js';
import { exposeToPages } from '../../../src/main/adapters/pages/ipc.js';
import { toErrorView } from '../../../src/main/core/base/errors.js';
import { fakeElectron } from '../../support/fake-electron.js';
import { createFakeLog } from '../../support/fakes.js';

const trust = {
  trustedOrigins: ['https://app.example.com'],
  appPath: '/opt/test-app',
};
const signedOut: AuthView = { status: 'signed-out', reason: 'never' };
const nothing = (): void => undefined;

let push: (view: AuthView) => void;
let log: ReturnType<typeof createFakeLog>;
let remove: () => void;

beforeEach(() => {
  log = createFakeLog();
  ({ remove } = exposeToPages(
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
      fetch: () => Promise.reject(new Error('not asked for')),
    },
    trust,
    log,
  ));
});
afterEach(() => {
  remove();
});

/** A window that asked for its view. */
function windowThat(send: (channel: string, view: unknown) => void): { mainFrame: object } {
  const page = { url: 'file:///opt/test-app/index.html', origin: 'file://' };
  const contents = { isDestroyed: () => false, once: nothing, mainFrame: { ...page, send } };
  fakeElectron.sendSync('latchkey:view', {
    sender: contents,
    senderFrame: { ...page, parent: null, detached: false },
  } as unknown as Partial<IpcMainEvent>);
  return contents;
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
    Object.defineProperty(windowThat(nothing).mainFrame, 'url', {
      get() {
        throw new Error('Render frame was disposed before WebFrameMain could be accessed');
      },
    });
    windowThat(() => {
      heard.push('last');
    });
    push(signedOut);
    expect(heard).toEqual(['first', 'last', 'last']);
  });
});

describe('a window', () => {
  it('that goes to a stranger and back, again and again, is listened to once', () => {
    let listeners = 0;
    const sender = { once: () => (listeners += 1) };
    const ask = (url: string): unknown =>
      fakeElectron.sendSync('latchkey:view', {
        sender,
        senderFrame: { url, origin: new URL(url).origin, parent: null, detached: false },
      } as unknown as Partial<IpcMainEvent>);
    for (let round = 0; round < 20; round += 1) {
      expect(ask('https://app.example.com/')).toEqual(signedOut);
      expect(ask('https://evil.example/')).toBeNull();
    }
    expect(listeners).toBe(1);
  });
});

describe('a page', () => {
  it.each([
    ['of another origin', 'https://evil.example', null],
    ['without an origin', 'null', null],
    ['of a frame', 'https://evil.example', {}],
  ])(
    'that is refused costs one reading of its address, however long it is: one %s',
    async (_, origin, parent) => {
      let readings = 0;
      const senderFrame = {
        get url() {
          readings += 1;
          return 'https://evil.example/';
        },
        origin,
        parent,
        detached: false,
      };
      const event = { sender: {}, senderFrame } as unknown as Partial<IpcMainInvokeEvent>;
      for (let number = 0; number < 100; number += 1)
        expect(await fakeElectron.invoke('latchkey:retry', event)).toMatchObject({ ok: false });
      expect(readings).toBe(1);
      await vi.dynamicImportSettled();
      expect(log.events).toHaveLength(1);
    },
  );

  it('that is refused does not fill the log, however many origins try', async () => {
    for (let number = 0; number < 200; number += 1) {
      await fakeElectron.invoke('latchkey:retry', {
        senderFrame: {
          url: `https://evil-${number}.example/`,
          origin: `https://evil-${number}.example`,
          parent: null,
          detached: false,
        },
      } as unknown as Partial<IpcMainInvokeEvent>);
    }
    await vi.dynamicImportSettled();
    expect(log.events).toHaveLength(32);
  });
});
