// The messages between the main process and pages: types only. May not import anything, and may not
// name a token, code, verifier, state or nonce.

/** A signed-in person: one issuer, one subject. Contains no secret. */
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

/** Every error code of Latchkey. docs/errors.md says what to do about each. */
export type AuthErrorCode =
  | 'invalid-options'
  | 'signed-out'
  | 'sign-in-cancelled'
  | 'sign-in-expired'
  | 'sign-in-denied'
  | 'sign-in-refused'
  | 'session-ended'
  | 'session-busy'
  | 'resource-refused'
  | 'discovery-failed'
  | 'issuer-mismatch'
  | 'id-token-invalid'
  | 'response-invalid'
  | 'network-failed'
  | 'network-timeout'
  | 'server-unavailable'
  | 'redirect-unavailable'
  | 'browser-failed'
  | 'callback-invalid'
  | 'keyring-locked'
  | 'keyring-unavailable'
  | 'storage-failed'
  | 'page-refused'
  | 'files-missing'
  | 'stopped'
  | 'internal';

/**
 * What the caller should do: wait (`automatic`: Latchkey tries again by itself), offer a button
 * that tries again (`user`), offer to sign in (`sign-in`), or change code or configuration
 * (`never`).
 */
export type AuthErrorRetry = 'automatic' | 'user' | 'sign-in' | 'never';

/**
 * What a provider adds to its `error` for its own support: codes and ids, never a text. Latchkey
 * keeps each only in its known form.
 */
export interface ProviderErrorView {
  /**
   * The provider's own number, such as `AADSTS9002327`. For people only: it may change, and nothing
   * may depend on it.
   */
  readonly code?: string;
  readonly suberror?: string;
  readonly correlationId?: string;
  readonly traceId?: string;
  /** In the provider's format, in UTC. */
  readonly timestamp?: string;
}

/**
 * What a developer can do about an error. The text is Latchkey's own; nothing comes from outside.
 */
export interface AdviceView {
  /** The explained code, as in docs/errors. */
  readonly code: string;
  readonly title: string;
  readonly what: string;
  /** Why a desktop app gets this error. */
  readonly why: string;
  /** Step by step. */
  readonly fix: readonly string[];
  /** A common recommendation that does not help. */
  readonly tempting?: { readonly fix: string; readonly fails: string };
  readonly links: readonly { readonly title: string; readonly url: string }[];
  /**
   * The source and its date. `verified` false: general knowledge, for which no written source was
   * found.
   */
  readonly source: { readonly url: string; readonly date: string; readonly verified: boolean };
}

/** An error as a page may see it. Every text is free of secrets and of URL queries. */
export interface AuthErrorView {
  readonly code: AuthErrorCode;
  readonly retry: AuthErrorRetry;
  readonly message: string;
  /** The provider's own `error` (RFC 6749 §5.2), if it is a plain short word. */
  readonly serverError?: string;
  readonly provider?: ProviderErrorView;
  /** For developers; present only if the option `showAdvice` allows it. */
  readonly advice?: AdviceView;
}

/**
 * How the provider's answer comes back to the app. `custom-scheme`, `loopback`: the browser on this
 * computer brings it. `device-code`: the person types a short code on any device (RFC 8628).
 * `paste`: the person copies it out of the browser.
 */
export type RedirectKind = 'custom-scheme' | 'loopback' | 'device-code' | 'paste';

/** What the person needs to sign in on another device (RFC 8628 §3.3). Show it. */
export interface DeviceView {
  /**
   * The person types it on that page. At most 64 letters, digits, blanks, dashes, dots and
   * underscores.
   */
  readonly userCode: string;
  /** An `https:` URL, or an `http:` URL of this computer. */
  readonly verificationUri: string;
  /**
   * The same page with the code filled in, for a QR code (RFC 8628 §3.3.1). Show the code beside
   * it: the page asks the person to compare.
   */
  readonly verificationUriComplete?: string;
}

/** One open sign-in attempt. Times are milliseconds since 1970. */
export interface AttemptView {
  readonly stage: 'preparing' | 'waiting' | 'redeeming';
  /** The newest open redirect. Absent while it is prepared. Earlier redirects stay open. */
  readonly redirect?: RedirectKind;
  /**
   * The redirect that `tryAnotherWay()` would open next. Absent if none is left, or while the
   * current one is prepared.
   */
  readonly otherWay?: RedirectKind;
  /** Present while the newest redirect is a device code. */
  readonly device?: DeviceView;
  readonly startedAt: number;
  readonly expiresAt: number;
}

/** The state of the access token and what happens next. Times are milliseconds since 1970. */
export type RenewalView =
  /** The token is valid. `renewAt` is null if the token never expires or cannot be renewed. */
  | {
      readonly state: 'fresh';
      readonly since: number;
      readonly expiresAt: number | null;
      readonly renewAt: number | null;
    }
  | { readonly state: 'renewing'; readonly since: number; readonly expiresAt: number | null }
  /** The last renewal failed for a temporary reason. The person is still signed in. */
  | {
      readonly state: 'waiting';
      readonly since: number;
      readonly expiresAt: number | null;
      readonly nextTryAt: number;
      readonly error: AuthErrorView;
    };

/**
 * Why nobody is signed in. `never`: nobody ever was; `signed-out`: the user signed out; `ended`:
 * the server ended the session.
 */
export type SignedOutReason = 'never' | 'signed-out' | 'ended';

/**
 * Where the refresh token is kept: `keychain`; `safe-storage`, a file that Electron's safeStorage
 * encrypts; or `memory` until the app ends.
 */
export type SecretStoreKind = 'keychain' | 'safe-storage' | 'memory';

/**
 * With the option `accounts: 'several'`: the other signed-in accounts. `switchAccount()` makes one
 * of them active. Absent: there are none.
 */
interface WithOthers {
  readonly otherAccounts?: readonly AccountView[];
}

/** Everything that a page may know. Sent to every window at every change. */
export type AuthView =
  | { readonly status: 'starting' }
  | (WithOthers & {
      readonly status: 'signed-out';
      readonly reason: SignedOutReason;
      /** The account that was signed in last, for "sign in again as …". */
      readonly lastAccount?: AccountView;
      /** Why the last attempt or session ended, if the user did not end it. */
      readonly error?: AuthErrorView;
    })
  | (WithOthers & {
      readonly status: 'signing-in';
      readonly attempt: AttemptView;
      readonly lastAccount?: AccountView;
    })
  | (WithOthers & {
      readonly status: 'signed-in';
      readonly account: AccountView;
      /** False if the session ends with the app, because no keyring stored the refresh token. */
      readonly remembered: boolean;
      readonly store: SecretStoreKind;
      readonly renewal: RenewalView;
      /** Why `remembered` is false, or why the last attempt failed. */
      readonly error?: AuthErrorView;
      /** An open attempt (for another account, for example) while this account is signed in. */
      readonly attempt?: AttemptView;
    })
  /**
   * An account is stored, but the keyring does not open. Or an account may be stored, but the file
   * that names it cannot be read (`storage-failed`, without `lastAccount`). Nothing is lost;
   * `retry()` tries again.
   */
  | (WithOthers & {
      readonly status: 'locked';
      readonly lastAccount?: AccountView;
      readonly error: AuthErrorView;
      readonly attempt?: AttemptView;
    });

/** What a page may choose for a sign-in. Main decides the rest. */
export interface SignInRequest {
  /** Sent as `prompt` (OpenID Connect Core §3.1.2.1). */
  readonly prompt?: 'login' | 'select_account' | 'consent';
  /** Sent as `login_hint`: at most 320 characters. */
  readonly loginHint?: string;
}

/**
 * The answer to every call from a page. A refusal is a value, so that no stack or cause crosses.
 */
export type AuthReply =
  { readonly ok: true } | { readonly ok: false; readonly error: AuthErrorView };

/**
 * The calls of a page, each once: its channel to main, and what it takes. Answered once, with an
 * `AuthReply`. The bridge, main's handlers and the lists of channels are made of this map.
 */
export interface AuthCalls {
  readonly signIn: { channel: 'latchkey:sign-in'; takes: [request: SignInRequest] };
  readonly cancelSignIn: { channel: 'latchkey:cancel-sign-in'; takes: [] };
  readonly reopenBrowser: { channel: 'latchkey:reopen-browser'; takes: [] };
  readonly tryAnotherWay: { channel: 'latchkey:try-another-way'; takes: [] };
  readonly pasteCallback: { channel: 'latchkey:paste-callback'; takes: [text: string] };
  readonly signOut: { channel: 'latchkey:sign-out'; takes: [accountId?: string] };
  readonly switchAccount: { channel: 'latchkey:switch-account'; takes: [accountId: string] };
  readonly retry: { channel: 'latchkey:retry'; takes: [] };
}

/** The map as a list that a program can hold: the channel of each call, and how much it takes. */
export type AuthCallList = {
  readonly [Call in keyof AuthCalls]: readonly [
    channel: AuthCalls[Call]['channel'],
    takes: Required<AuthCalls[Call]['takes']>['length'],
  ];
};

/** A method for each call. */
export type AuthCallMethods<Answer> = {
  [Call in keyof AuthCalls]: (...values: AuthCalls[Call]['takes']) => Answer;
};

/**
 * The channel map: preload → main, synchronous, once for each document, before its first script.
 */
export interface AuthSyncCalls {
  'latchkey:view': () => AuthView | null;
}

/** The channel map: main → pages. */
export interface AuthPushes {
  'latchkey:view-changed': (view: AuthView) => void;
}

/**
 * The API on `window.latchkey`, from the preload: one method for each call, and nothing else.
 */
export interface AuthBridge extends AuthCallMethods<Promise<AuthReply>> {
  readonly initialView: AuthView;
  onView(listener: (view: AuthView) => void): () => void;
}

/** The API for pages, exported by `latchkey/renderer`. */
export interface AuthApi {
  /**
   * Returns the latest view: the same object until the next change, so it fits
   * `useSyncExternalStore`.
   */
  getSnapshot(): AuthView;
  /**
   * Calls the listener with the view now and after each change. Returns a function that stops this.
   */
  subscribe(listener: (view: AuthView) => void): () => void;
  /**
   * Opens the system browser. Resolves when the person is signed in; rejects with an `AuthFailure`.
   */
  signIn(request?: SignInRequest): Promise<void>;
  cancelSignIn(): Promise<void>;
  /**
   * Opens the page of the waiting attempt again. With a device code: opens the page for the code on
   * this computer.
   */
  reopenBrowser(): Promise<void>;
  /**
   * For "Nothing happened?": opens the next redirect of the waiting attempt. Earlier redirects stay
   * open. Does nothing if none is left.
   */
  tryAnotherWay(): Promise<void>;
  /**
   * Passes on what the person copied from the browser: a whole callback URL, or the code that a
   * page shows (`redirect` is `paste`). Resolves when an open attempt has accepted it; rejects with
   * `callback-invalid` if it answers none.
   */
  pasteCallback(text: string): Promise<void>;
  /** Signs out the active account, or the one with this `id`. */
  signOut(accountId?: string): Promise<void>;
  /**
   * Makes one of `otherAccounts` active, by its `id`. If its session cannot be opened, rejects with
   * `signed-out` or a code of the keyring, and changes nothing.
   */
  switchAccount(accountId: string): Promise<void>;
  /** Does at once what Latchkey waits to do: opens the keyring again, or renews. */
  retry(): Promise<void>;
}
