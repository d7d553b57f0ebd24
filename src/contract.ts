// What crosses the boundary between the main process and pages: types only.
// May not import anything, and may not name a token, code, verifier, state or nonce.

/** Where a signed-in person is known: one issuer, one subject. Holds no secret. */
export interface AccountView {
  /** Opaque and stable: the same person at the same issuer always has the same id. */
  readonly id: string;
  readonly issuer: string;
  /** The `sub` claim (OpenID Connect Core §2). */
  readonly subject: string;
  readonly name?: string;
  readonly username?: string;
  readonly email?: string;
  /** An `https:` URL. A page that shows it must allow it in its CSP. */
  readonly picture?: string;
}

/** Every error code that Latchkey has; docs/errors.md tells what to do about each. */
export type AuthErrorCode =
  | 'invalid-options'
  | 'signed-out'
  | 'sign-in-cancelled'
  | 'sign-in-expired'
  | 'sign-in-denied'
  | 'sign-in-refused'
  | 'session-ended'
  | 'session-busy'
  | 'discovery-failed'
  | 'issuer-mismatch'
  | 'id-token-invalid'
  | 'response-invalid'
  | 'network-failed'
  | 'network-timeout'
  | 'server-unavailable'
  | 'redirect-unavailable'
  | 'browser-failed'
  | 'keyring-locked'
  | 'keyring-unavailable'
  | 'storage-failed'
  | 'page-refused'
  | 'stopped'
  | 'internal';

/**
 * What the caller should do: wait (`automatic`: Latchkey tries again by itself), offer a button that
 * tries again (`user`), offer to sign in (`sign-in`), or change code or configuration (`never`).
 */
export type AuthErrorRetry = 'automatic' | 'user' | 'sign-in' | 'never';

/** An error as a page may see it. Every text is free of secrets and of URL queries. */
export interface AuthErrorView {
  readonly code: AuthErrorCode;
  readonly retry: AuthErrorRetry;
  readonly message: string;
  /** The provider's own `error` (RFC 6749 §5.2), kept only when it is a plain short word. */
  readonly serverError?: string;
}

export type RedirectKind = 'custom-scheme' | 'loopback';

/** One trip to the browser, while it is open. Times are milliseconds since 1970. */
export interface AttemptView {
  readonly stage: 'preparing' | 'waiting' | 'redeeming';
  /** How the browser will come back; absent while it is being prepared. */
  readonly redirect?: RedirectKind;
  readonly startedAt: number;
  readonly expiresAt: number;
}

/** How old the access token is and what happens next. Times are milliseconds since 1970. */
export type RenewalView =
  /** Valid. `renewAt` is null when the token never expires or cannot be renewed. */
  | { readonly state: 'fresh'; readonly since: number; readonly expiresAt: number | null; readonly renewAt: number | null }
  | { readonly state: 'renewing'; readonly since: number; readonly expiresAt: number | null }
  /** The last renewal failed in a way that passes; the person is still signed in. */
  | {
      readonly state: 'waiting';
      readonly since: number;
      readonly expiresAt: number | null;
      readonly nextTryAt: number;
      readonly error: AuthErrorView;
    };

/** Why nobody is signed in. `never`: nobody was; `signed-out`: the user did it; `ended`: the server did. */
export type SignedOutReason = 'never' | 'signed-out' | 'ended';

/**
 * Where the refresh token is kept: `keychain`; `safe-storage`, a file that Electron's safeStorage encrypts; or `memory`
 * until the app ends.
 */
export type SecretStoreKind = 'keychain' | 'safe-storage' | 'memory';

/** All that a page may know. Broadcast to every window at every change. */
export type AuthView =
  | { readonly status: 'starting' }
  | {
      readonly status: 'signed-out';
      readonly reason: SignedOutReason;
      /** Who was signed in last, for "sign in again as …". */
      readonly lastAccount?: AccountView;
      /** Why the last attempt or session ended, when that was not the user's wish. */
      readonly error?: AuthErrorView;
    }
  | { readonly status: 'signing-in'; readonly attempt: AttemptView; readonly lastAccount?: AccountView }
  | {
      readonly status: 'signed-in';
      readonly account: AccountView;
      /** False when the session ends with the app, because no keyring took the refresh token. */
      readonly remembered: boolean;
      readonly store: SecretStoreKind;
      readonly renewal: RenewalView;
      /** Why `remembered` is false, or why the last attempt failed. */
      readonly error?: AuthErrorView;
      /** A further trip to the browser (another account, say) while this one is signed in. */
      readonly attempt?: AttemptView;
    }
  /** An account is stored, but the keyring does not open. Nothing is lost; `retry()` asks again. */
  | { readonly status: 'locked'; readonly lastAccount?: AccountView; readonly error: AuthErrorView; readonly attempt?: AttemptView };

/** What a page may ask of a sign-in. Main decides the rest. */
export interface SignInRequest {
  /** Sent as `prompt` (OpenID Connect Core §3.1.2.1). */
  readonly prompt?: 'login' | 'select_account' | 'consent';
  /** Sent as `login_hint`: at most 320 characters. */
  readonly loginHint?: string;
}

/** The answer to every call from a page: a refusal is a value, so that no stack or cause crosses. */
export type AuthReply = { readonly ok: true } | { readonly ok: false; readonly error: AuthErrorView };

/** The channel map: page → main, answered once. */
export interface AuthCalls {
  'latchkey:sign-in': (request: SignInRequest) => AuthReply;
  'latchkey:cancel-sign-in': () => AuthReply;
  'latchkey:reopen-browser': () => AuthReply;
  'latchkey:sign-out': () => AuthReply;
  'latchkey:retry': () => AuthReply;
}

/** The channel map: preload → main, synchronous, once for each document, before its first script. */
export interface AuthSyncCalls {
  'latchkey:view': () => AuthView | null;
}

/** The channel map: main → pages. */
export interface AuthPushes {
  'latchkey:view-changed': (view: AuthView) => void;
}

/** What the preload puts on `window.latchkey`: one method for each message, and nothing else. */
export interface AuthBridge {
  readonly initialView: AuthView;
  onView(listener: (view: AuthView) => void): () => void;
  signIn(request: SignInRequest): Promise<AuthReply>;
  cancelSignIn(): Promise<AuthReply>;
  reopenBrowser(): Promise<AuthReply>;
  signOut(): Promise<AuthReply>;
  retry(): Promise<AuthReply>;
}

/** The typed access that `latchkey/renderer` gives a page. */
export interface AuthApi {
  /** The latest view; the same object until the next change, so it fits `useSyncExternalStore`. */
  getSnapshot(): AuthView;
  /** Calls the listener with the view now and after each change. Returns the way to stop. */
  subscribe(listener: (view: AuthView) => void): () => void;
  /** Opens the system browser. Resolves when signed in; rejects with an `AuthFailure`. */
  signIn(request?: SignInRequest): Promise<void>;
  cancelSignIn(): Promise<void>;
  /** Opens the page of the attempt that is waiting once more. */
  reopenBrowser(): Promise<void>;
  signOut(): Promise<void>;
  /** Does now what Latchkey is waiting for: opens the keyring again, or renews. */
  retry(): Promise<void>;
}
