// The bridge between a page and Latchkey in main: one method for each message, nothing generic,
// nothing secret. One CommonJS file that requires only electron, because a sandboxed preload can
// load nothing else. Main decides which page is trusted; when it does not say so, nothing is
// exposed.
import type {
  AuthBridge,
  AuthCalls,
  AuthPushes,
  AuthSyncCalls,
  AuthView,
} from './contract.js' with { 'resolution-mode': 'import' };

// `import … = require` is not erasable syntax, and `import … from` is not CommonJS: what is left is
// a plain require.
const { contextBridge, ipcRenderer } = require('electron') as typeof import('electron');
const viewChannel: keyof AuthSyncCalls = 'latchkey:view';
const pushChannel: keyof AuthPushes = 'latchkey:view-changed';
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
    const answer = ipcRenderer.sendSync(viewChannel) as ReturnType<AuthSyncCalls['latchkey:view']>;
    return typeof answer === 'object' ? answer : null;
  } catch {
    return null;
  }
}

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
    onView(listener) {
      const own = (view: AuthView): void => listener(view);
      listeners.add(own);
      // A change between this preload and the page's first script would otherwise be missed.
      if (latestView !== initialView) tell(own, latestView);
      return () => {
        listeners.delete(own);
      };
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

function tell(listener: (view: AuthView) => void, view: AuthView): void {
  try {
    listener(view);
  } catch (thrown) {
    console.error('latchkey: a listener of the page threw', thrown);
  }
}

function call<Channel extends keyof AuthCalls>(
  channel: Channel,
  ...values: Parameters<AuthCalls[Channel]>
): Promise<ReturnType<AuthCalls[Channel]>> {
  return ipcRenderer.invoke(channel, ...values) as Promise<ReturnType<AuthCalls[Channel]>>;
}

attach();
