// Entry latchkey/renderer: typed access to the preload's `window.latchkey`. Runs in a page: may not
// import electron or Node, and knows only what the view says.
import type { AuthApi, AuthBridge, AuthErrorView, AuthReply, AuthView } from '../contract.js';

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
 * Sign-in for this page. Importing never throws. If the bridge is missing, `getSnapshot` and
 * `subscribe` throw, and the calls reject with an `AuthFailure` of code `page-refused`. You may
 * pass on the functions without `auth`.
 */
export const auth: AuthApi = createApi(() => globalThis.window?.latchkey);

/**
 * Creates an `AuthApi` over a bridge, which it looks up at first use. Hosts use `auth`; tests pass
 * their own bridge.
 */
export function createApi(findBridge: () => AuthBridge | undefined): AuthApi {
  const listeners = new Set<(view: AuthView) => void>();
  let connection: { readonly bridge: AuthBridge; view: AuthView } | null = null;

  function connect(): { readonly bridge: AuthBridge; view: AuthView } {
    if (connection !== null) return connection;
    const bridge = findBridge();
    if (bridge === undefined) throw bridgeMissing();
    // Read only once: each read of a bridged value may be a fresh copy, and a snapshot must stay
    // the same object.
    const opened = { bridge, view: bridge.initialView };
    connection = opened;
    bridge.onView((view) => {
      opened.view = view;
      for (const listener of [...listeners]) tell(listener, view);
    });
    return opened;
  }

  return {
    getSnapshot: () => connect().view,
    subscribe(listener) {
      const { view } = connect();
      const own = (next: AuthView): void => listener(next);
      listeners.add(own);
      tell(own, view);
      return () => {
        listeners.delete(own);
      };
    },
    signIn: (request = {}) => settle(() => connect().bridge.signIn(request)),
    cancelSignIn: () => settle(() => connect().bridge.cancelSignIn()),
    reopenBrowser: () => settle(() => connect().bridge.reopenBrowser()),
    tryAnotherWay: () => settle(() => connect().bridge.tryAnotherWay()),
    pasteCallback: (text) => settle(() => connect().bridge.pasteCallback(text)),
    signOut: (accountId) => settle(() => connect().bridge.signOut(accountId)),
    switchAccount: (accountId) => settle(() => connect().bridge.switchAccount(accountId)),
    retry: () => settle(() => connect().bridge.retry()),
  };
}

async function settle(send: () => Promise<AuthReply>): Promise<void> {
  let reply: AuthReply;
  try {
    reply = await send();
  } catch (thrown) {
    if (isAuthFailure(thrown)) throw thrown;
    throw createFailure({
      code: 'internal',
      retry: 'user',
      message: 'the call did not reach the main process',
    });
  }
  if (!reply.ok) throw createFailure(reply.error);
}

function bridgeMissing(): AuthFailure {
  return createFailure({
    code: 'page-refused',
    retry: 'never',
    message:
      '"window.latchkey" is missing: Latchkey\'s preload is not attached to this window, or main does not trust this page (option "trustedOrigins")',
  });
}

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

function tell(listener: (view: AuthView) => void, view: AuthView): void {
  try {
    listener(view);
  } catch (thrown) {
    // One broken listener must not keep the view from the others. The page still gets the error.
    reportError(thrown);
  }
}
