// A page without a browser: what Latchkey's preload would put on its `window`, over the same
// messages.
import type { IpcMainEvent, IpcMainInvokeEvent } from 'electron';
import type {
  AuthBridge,
  AuthCalls,
  AuthPushes,
  AuthReply,
  AuthSyncCalls,
  AuthView,
} from '../../contract.js';
import type { FakeWindow } from './fake-window.js';

/** What a page needs of Electron: its window, and the two ways of a message to main. */
export interface PageElectron {
  createWindow(): FakeWindow;
  invoke(channel: string, event: Partial<IpcMainInvokeEvent>, ...args: unknown[]): Promise<unknown>;
  sendSync(channel: string, event: Partial<IpcMainEvent>, ...args: unknown[]): unknown;
}

/**
 * Opens a window on this URL and resolves with what `window.latchkey` is there; null when Latchkey
 * does not trust the page, as the preload then exposes nothing. `latchkey/renderer` finds it once
 * it is put on `globalThis.window`.
 */
export async function openFakePage(
  electron: PageElectron,
  url: string,
): Promise<AuthBridge | null> {
  const window = electron.createWindow();
  await window.loadURL(url);
  const event = { sender: window.webContents, senderFrame: window.webContents.mainFrame };
  const initialView = electron.sendSync(
    'latchkey:view' satisfies keyof AuthSyncCalls,
    event,
  ) as AuthView | null;
  if (initialView === null) return null;

  const call = async (channel: keyof AuthCalls, ...args: unknown[]): Promise<AuthReply> =>
    (await electron.invoke(channel, event, ...args)) as AuthReply;
  return {
    initialView,
    onView(listener) {
      const onSent = (channel: string, view: AuthView): void => {
        if (channel === ('latchkey:view-changed' satisfies keyof AuthPushes)) listener(view);
      };
      window.on('sent', onSent);
      return () => void window.off('sent', onSent);
    },
    signIn: (request) => call('latchkey:sign-in', request),
    cancelSignIn: () => call('latchkey:cancel-sign-in'),
    reopenBrowser: () => call('latchkey:reopen-browser'),
    tryAnotherWay: () => call('latchkey:try-another-way'),
    pasteCallback: (text) => call('latchkey:paste-callback', text),
    signOut: (accountId) => call('latchkey:sign-out', accountId),
    switchAccount: (accountId) => call('latchkey:switch-account', accountId),
    retry: () => call('latchkey:retry'),
  };
}
