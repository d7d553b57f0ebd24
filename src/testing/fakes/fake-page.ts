// A page without a browser: what Latchkey's preload would put on its `window`, over the same
// messages.
import { EventEmitter } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { IpcMainEvent, IpcMainInvokeEvent, MessagePortMain } from 'electron';
import type {
  AuthBridge,
  AuthCallList,
  AuthCallMethods,
  AuthPortCalls,
  AuthPushes,
  AuthReply,
  AuthSyncCalls,
  AuthView,
  PageResponseMessage,
} from '../../contract.js';
import type { FakeWindow } from './fake-window.js';

const CALLS = {
  signIn: ['latchkey:sign-in', 1],
  cancelSignIn: ['latchkey:cancel-sign-in', 0],
  reopenBrowser: ['latchkey:reopen-browser', 0],
  tryAnotherWay: ['latchkey:try-another-way', 0],
  pasteCallback: ['latchkey:paste-callback', 1],
  signOut: ['latchkey:sign-out', 1],
  switchAccount: ['latchkey:switch-account', 1],
  retry: ['latchkey:retry', 0],
} as const satisfies AuthCallList;

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
    true,
  ) as AuthView | null;
  if (initialView === null) return null;

  return {
    initialView,
    onView(listener) {
      const onSent = (channel: string, view: AuthView): void => {
        if (channel === ('latchkey:view-changed' satisfies keyof AuthPushes)) listener(view);
      };
      window.on('sent', onSent);
      return () => void window.off('sent', onSent);
    },
    openRequest(request, onMessage) {
      const { port1: port, port2: other } = new MessageChannel();
      port.on('message', (message: PageResponseMessage) => onMessage(message));
      port.on('close', () => onMessage(null));
      const sent = { ...event, ports: [mainPort(other) as MessagePortMain] };
      electron.sendSync('latchkey:fetch' satisfies keyof AuthPortCalls, sent, request);
      return (message) => port.postMessage(message);
    },
    ...(Object.fromEntries(
      Object.entries(CALLS).map(([name, [channel, takes]]) => [
        name,
        async (...values: unknown[]) =>
          electron.invoke(
            channel,
            event,
            ...Array.from({ length: takes }, (_, index) => values[index]),
          ),
      ]),
    ) as AuthCallMethods<Promise<AuthReply>>),
  };
}

/** A port as Electron gives it to main. */
function mainPort(port: MessagePort): object {
  const main = new EventEmitter();
  return Object.assign(main, {
    start: () =>
      void port
        .on('message', (data: unknown) => main.emit('message', { data, ports: [] }))
        .on('close', () => main.emit('close')),
    close: () => port.close(),
    postMessage: (message: unknown) => port.postMessage(message),
  });
}
