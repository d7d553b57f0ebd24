// The bridge between a page and Latchkey in main: one method for each message, nothing generic,
// nothing secret. Without context isolation main answers nothing. One CommonJS file that requires only electron, because a sandboxed preload can
// load nothing else. Main decides which page is trusted; when it does not say so, nothing is
// exposed.
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
} from './contract.js' with { 'resolution-mode': 'import' };

// `import … = require` is not erasable syntax, and `import … from` is not CommonJS: what is left is
// a plain require.
const { contextBridge, ipcRenderer } = require('electron') as typeof import('electron');
/** Of its own, for it can import nothing; the compiler holds it against the map of contract.ts. */
const calls = {
  signIn: ['latchkey:sign-in', 1],
  cancelSignIn: ['latchkey:cancel-sign-in', 0],
  reopenBrowser: ['latchkey:reopen-browser', 0],
  tryAnotherWay: ['latchkey:try-another-way', 0],
  pasteCallback: ['latchkey:paste-callback', 1],
  signOut: ['latchkey:sign-out', 1],
  switchAccount: ['latchkey:switch-account', 1],
  retry: ['latchkey:retry', 0],
} as const satisfies AuthCallList;
const viewChannel: keyof AuthSyncCalls = 'latchkey:view';
const pushChannel: keyof AuthPushes = 'latchkey:view-changed';
const requestChannel: keyof AuthPortCalls = 'latchkey:fetch';
// Preloads of a session and of a window share one isolated world, so this mark is seen by both
// copies.
const attachedMark = Symbol.for('latchkey.preload.attached');

function attach(): void {
  if (Reflect.has(globalThis, attachedMark)) return;
  Object.defineProperty(globalThis, attachedMark, { value: true });
  const initialView = askForView();
  if (initialView !== null) contextBridge.exposeInMainWorld('latchkey', createBridge(initialView));
}

function askForView(): AuthView | null {
  try {
    const answer = ipcRenderer.sendSync(viewChannel, process.contextIsolated) as ReturnType<
      AuthSyncCalls['latchkey:view']
    >;
    return typeof answer === 'object' ? answer : null;
  } catch {
    return null;
  }
}

/** A port that nothing holds may be collected, which would end its request. */
const ports = new Set<MessagePort>();

/** Each request has a port of its own, which ends with the document. */
const openRequest: AuthBridge['openRequest'] = (request, onMessage) => {
  const { port1: port, port2: other } = new MessageChannel();
  ports.add(port);
  port.onmessage = ({ data }: MessageEvent<PageResponseMessage>) => onMessage(data);
  port.addEventListener('close', () => {
    ports.delete(port);
    onMessage(null);
  });
  ipcRenderer.postMessage(requestChannel, request, [other]);
  return (message) => port.postMessage(message);
};

function createBridge(initialView: AuthView): AuthBridge {
  const listeners = new Set<(view: AuthView) => void>();
  let latestView = initialView;
  // The event object holds `sender`, through which a page could send anything: only the view goes
  // on.
  ipcRenderer.on(pushChannel, (_event, view: AuthView) => {
    latestView = view;
    for (const listener of [...listeners]) tell(listener, view);
  });
  return {
    initialView,
    openRequest,
    onView(listener) {
      const own = (view: AuthView): void => listener(view);
      listeners.add(own);
      // A change between this preload and the page's first script would otherwise be missed.
      if (latestView !== initialView) tell(own, latestView);
      return () => {
        listeners.delete(own);
      };
    },
    ...(Object.fromEntries(
      Object.entries(calls).map(([name, [channel, takes]]) => [
        name,
        // As much as the call takes: what a page says besides is not sent.
        (...values: unknown[]) =>
          ipcRenderer.invoke(
            channel,
            ...Array.from({ length: takes }, (_, index) => values[index]),
          ),
      ]),
    ) as AuthCallMethods<Promise<AuthReply>>),
  };
}

function tell(listener: (view: AuthView) => void, view: AuthView): void {
  try {
    listener(view);
  } catch (thrown) {
    console.error('latchkey: a listener of the page threw', thrown);
  }
}

attach();
