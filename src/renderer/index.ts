// Entry latchkey/renderer: typed access to the preload's `window.latchkey`. Runs in a page: may not
// import electron or Node, and knows only what the view says.
import type {
  AuthApi,
  AuthBridge,
  AuthErrorView,
  AuthReply,
  PageView,
  UnavailableView,
} from '../contract.js';
import { fetchByMain } from './page-fetch.js';

export type * from '../contract.js';

declare global {
  interface Window {
    /** Latchkey's preload sets it, only in pages that main trusts. */
    readonly latchkey?: AuthBridge;
  }
}

/**
 * The error of the calls of `auth`: an `Error` that also says what to do. It contains no stack or
 * cause of the main process.
 */
export interface AuthFailure extends Error, AuthErrorView {
  readonly name: 'AuthFailure';
  readonly message: string;
}

/** True if a caught value is a failure that Latchkey reported. Never throws. */
export function isAuthFailure(thrown: unknown): thrown is AuthFailure {
  return (
    thrown instanceof Error &&
    thrown.name === 'AuthFailure' &&
    'code' in thrown &&
    'retry' in thrown
  );
}

/**
 * Sign-in for this page. Importing never throws, also where there is no window. If the bridge is
 * missing, the view says `unavailable`, and the calls reject with an `AuthFailure` of code
 * `page-refused`.
 */
export const auth: AuthApi = createApi(() => globalThis.window?.latchkey);

/**
 * Creates an `AuthApi` over a bridge, which it looks up at first use. Hosts use `auth`; tests pass
 * their own bridge.
 */
export function createApi(findBridge: () => AuthBridge | undefined): AuthApi {
  const listeners = new Set<(view: PageView) => void>();
  let connection: { readonly bridge: AuthBridge; view: PageView } | null = null;

  function connect(): { readonly bridge: AuthBridge; view: PageView } | null {
    if (connection !== null) return connection;
    const bridge = findBridge();
    if (bridge === undefined) return null;
    // Read only once: each read of a bridged value may be a fresh copy, and a snapshot must stay
    // the same object.
    const opened = { bridge, view: bridge.initialView as PageView };
    connection = opened;
    bridge.onView((view) => {
      // Each message is a copy. An equal one is no change: the page would draw itself again.
      if (JSON.stringify(view) === JSON.stringify(opened.view)) return;
      opened.view = view;
      for (const listener of [...listeners]) tell(listener, view);
    });
    return opened;
  }

  const getSnapshot = (): PageView => connect()?.view ?? UNAVAILABLE;
  const call = async (send: (bridge: AuthBridge) => Promise<AuthReply>): Promise<void> =>
    settle(connect()?.bridge, send);

  return {
    getSnapshot,
    subscribe(listener) {
      const view = getSnapshot();
      const own = (next: PageView): void => listener(next);
      listeners.add(own);
      tell(own, view);
      return () => {
        listeners.delete(own);
      };
    },
    signIn: (request = {}) => call((bridge) => bridge.signIn(request)),
    cancelSignIn: () => call((bridge) => bridge.cancelSignIn()),
    reopenBrowser: () => call((bridge) => bridge.reopenBrowser()),
    tryAnotherWay: () => call((bridge) => bridge.tryAnotherWay()),
    pasteCallback: (text) => call((bridge) => bridge.pasteCallback(text)),
    signOut: (request) => call((bridge) => bridge.signOut(request)),
    switchAccount: (accountId) => call((bridge) => bridge.switchAccount(accountId)),
    retry: () => call((bridge) => bridge.retry()),
    async fetch(input, init = {}) {
      const bridge = connect()?.bridge;
      if (bridge === undefined) throw createFailure(UNAVAILABLE.error);
      return await fetchByMain(bridge, input, init, createFailure);
    },
  };
}

async function settle(
  bridge: AuthBridge | undefined,
  send: (bridge: AuthBridge) => Promise<AuthReply>,
): Promise<void> {
  if (bridge === undefined) throw createFailure(UNAVAILABLE.error);
  let reply: AuthReply;
  try {
    reply = await send(bridge);
  } catch {
    throw createFailure({
      code: 'internal',
      retry: 'user',
      message: 'the call did not reach the main process',
    });
  }
  if (!reply.ok) throw createFailure(reply.error);
}

/** One object: a snapshot must stay the same. A page cannot know which of the reasons it is. */
const UNAVAILABLE: UnavailableView = Object.freeze({
  status: 'unavailable',
  error: Object.freeze({
    code: 'page-refused',
    retry: 'never',
    message:
      '"window.latchkey" is missing. Either main does not trust this page: see "page-refused" in ' +
      'its log, and the option "trustedOrigins". Or the preload is not attached: with ' +
      '"attachPreload: false", or in another session than the default one, import ' +
      '"latchkey/preload" in the preload of the window. Or the window has "contextIsolation: ' +
      'false". Or it was opened before createAuth was called. Or this is no window of the app, ' +
      'but a browser or a server',
  }),
});

function createFailure(error: AuthErrorView): AuthFailure {
  const { code, retry, message, serverError, provider, advice } = error;
  const extra = {
    code,
    retry,
    ...(serverError === undefined ? {} : { serverError }),
    ...(provider === undefined ? {} : { provider }),
    ...(advice === undefined ? {} : { advice }),
  };
  const failure = Object.assign(new Error(message), extra);
  return Object.defineProperty(failure, 'name', { value: 'AuthFailure' }) as AuthFailure;
}

function tell(listener: (view: PageView) => void, view: PageView): void {
  try {
    listener(view);
  } catch (thrown) {
    // One broken listener must not keep the view from the others. The page still gets the error.
    reportError(thrown);
  }
}
