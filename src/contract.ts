// The messages between the main process and pages: types only. May import account.ts only, and may
// not name a token, code, verifier, state or nonce.

import type { AccountView, ActiveAccountView } from './account.js';

export type { AccountClaims, AccountView, ActiveAccountView, ClaimValue } from './account.js';

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
 * What the caller should do: wait (`automatic`: Latchkey has planned the next try), offer a button
 * that calls `retry()` (`user`), offer to sign in (`sign-in`), or change code or configuration
 * (`never`). While nobody is signed in, a page offers to sign in whatever it says.
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
  /** A closer word for the error, such as Entra's `suberror`. */
  readonly suberror?: string;
  /** The provider's id of the request, for its support. */
  readonly correlationId?: string;
  /** The provider's id of what it did for the request, for its support. */
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
  /** The error in a few words. */
  readonly title: string;
  /** What the error says. */
  readonly what: string;
  /** Why a desktop app gets this error. */
  readonly why: string;
  /** Step by step. */
  readonly fix: readonly string[];
  /** A common recommendation that does not help. */
  readonly tempting?: { readonly fix: string; readonly fails: string };
  /** Pages to read next. */
  readonly links: readonly { readonly title: string; readonly url: string }[];
  /**
   * The source and its date. `verified` false: general knowledge, for which no written source was
   * found.
   */
  readonly source: { readonly url: string; readonly date: string; readonly verified: boolean };
}

/** An error as a page may see it. Every text is free of secrets and of URL queries. */
export interface AuthErrorView {
  /** Never changes its meaning. docs/errors.md lists all codes. */
  readonly code: AuthErrorCode;
  /** What the page should offer in this state. */
  readonly retry: AuthErrorRetry;
  /** For developers, in English. Do not show it to people: choose words by `code`. */
  readonly message: string;
  /** The provider's own `error` (RFC 6749 §5.2), if it is a plain short word. */
  readonly serverError?: string;
  /** What the provider adds for its support. */
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
  /**
   * `preparing`: a redirect is being opened. `waiting`: it is the person's turn. `redeeming`: the
   * answer is here and is exchanged for tokens.
   */
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
  /** When the attempt began. */
  readonly startedAt: number;
  /** When the attempt, or the device code that is shown, ends by itself. */
  readonly expiresAt: number;
}

/** The state of the access token and what happens next. Times are milliseconds since 1970. */
export type RenewalView = FreshView | RenewingView | RenewalWaitingView;

/** The token is valid. */
export interface FreshView {
  readonly state: 'fresh';
  /** When the token arrived. */
  readonly since: number;
  /** When the token expires; null: never. */
  readonly expiresAt: number | null;
  /** When Latchkey renews it; null: never, for it does not expire or cannot be renewed. */
  readonly renewAt: number | null;
}

/** A renewal is running. */
export interface RenewingView {
  readonly state: 'renewing';
  /** When the renewal began. */
  readonly since: number;
  /** When the old token expires; null: never. */
  readonly expiresAt: number | null;
}

/** The last renewal failed for a temporary reason. The person is still signed in. */
export interface RenewalWaitingView {
  readonly state: 'waiting';
  /** When the last renewal failed. */
  readonly since: number;
  /** When the old token expires; null: never. */
  readonly expiresAt: number | null;
  /** When Latchkey tries again by itself. `retry()` does it now. */
  readonly nextTryAt: number;
  /** Why the last renewal failed. */
  readonly error: AuthErrorView;
}

/** `never`: nobody ever was; `signed-out`: by the user; `ended`: by the server, or by its time. */
export type SignedOutReason = 'never' | 'signed-out' | 'ended';

/**
 * Where the secret of the session is kept, the refresh token if there is one: `keychain`;
 * `safe-storage`, a file that Electron's safeStorage encrypts; or `memory` until the app ends.
 */
export type SecretStoreKind = 'keychain' | 'safe-storage' | 'memory';

interface WithOthers {
  /**
   * With the option `accounts: 'several'`: the other signed-in accounts. `switchAccount()` makes
   * one of them active. Absent: there are none.
   */
  readonly otherAccounts?: readonly AccountView[];
}

/** Everything that a page may know. Sent to every window at every change. */
export type AuthView = StartingView | SignedOutView | SigningInView | SignedInView | LockedView;

/** Latchkey is reading what is stored. Show neither a person nor a button yet. */
export interface StartingView {
  readonly status: 'starting';
}

/** Nobody is signed in. Offer to sign in, whatever `error` says. */
export interface SignedOutView extends WithOthers {
  readonly status: 'signed-out';
  /** Why nobody is signed in. */
  readonly reason: SignedOutReason;
  /** The account that was signed in last, for "sign in again as …". */
  readonly lastAccount?: AccountView;
  /** Why the last attempt or session ended, if the user did not end it. */
  readonly error?: AuthErrorView;
}

/** A sign-in is under way, and nobody is signed in yet. */
export interface SigningInView extends WithOthers {
  readonly status: 'signing-in';
  /** The newest open attempt. */
  readonly attempt: AttemptView;
  /** The account that was signed in last. */
  readonly lastAccount?: AccountView;
}

/** Somebody is signed in. */
export interface SignedInView extends WithOthers {
  readonly status: 'signed-in';
  /** Who is signed in: the active account. */
  readonly account: ActiveAccountView;
  /** False if the session ends with the app, because no keyring stored its secret. */
  readonly remembered: boolean;
  /** Where the secret of the session is kept. */
  readonly store: SecretStoreKind;
  /** The state of the access token. */
  readonly renewal: RenewalView;
  /** Why `remembered` is false, or why the last attempt failed. */
  readonly error?: AuthErrorView;
  /** An open attempt (for another account, for example) while this account is signed in. */
  readonly attempt?: AttemptView;
}

/**
 * An account is stored, but the keyring does not open. Or an account may be stored, but the file
 * that names it cannot be read (`storage-failed`, without `lastAccount`). Nothing is lost;
 * `retry()` tries again.
 */
export interface LockedView extends WithOthers {
  readonly status: 'locked';
  /** The account that is stored. */
  readonly lastAccount?: AccountView;
  /** Why the session cannot be opened. */
  readonly error: AuthErrorView;
  /** An open attempt to sign in without the stored session. */
  readonly attempt?: AttemptView;
}

/**
 * What a page without a bridge to Latchkey gets: nothing can be known or asked there. Only
 * `latchkey/renderer` makes it. `error.message` says to developers what is missing.
 */
export interface UnavailableView {
  readonly status: 'unavailable';
  /** Always `page-refused`. Every call of the page rejects with it. */
  readonly error: AuthErrorView;
}

/** The view in a page. */
export type PageView = AuthView | UnavailableView;

/** What a page may choose for a sign-in. Main decides the rest. */
export interface SignInRequest {
  /** Sent as `prompt` (OpenID Connect Core §3.1.2.1). */
  readonly prompt?: 'login' | 'select_account' | 'consent';
  /** Sent as `login_hint`: at most 320 characters. */
  readonly loginHint?: string;
  /**
   * Scopes in addition to the option `scopes` and to what is granted already. Like the following
   * three, a page may ask only for what the option `pagesMayAsk` lists; docs/step-up.md.
   */
  readonly scopes?: readonly string[];
  /**
   * Sent as `acr_values`, the best first (RFC 9470 §4). The `acr` of the new ID token must be one of
   * them; otherwise the sign-in fails with `id-token-invalid`.
   */
  readonly acrValues?: readonly string[];
  /**
   * Sent as `max_age`, in seconds. The `auth_time` of the new ID token must fit (OpenID Connect Core
   * §3.1.3.7).
   */
  readonly maxAge?: number;
  /**
   * Sent as `claims` (OpenID Connect Core §5.5). An essential `acr` with values, and a `sub` with a
   * value, are checked in the new ID token.
   */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** What asks for more than an ordinary sign-in. */
export type StepUpRequest = Pick<SignInRequest, 'scopes' | 'acrValues' | 'maxAge' | 'claims'>;

/** Who signs out, and where. */
export interface SignOutRequest {
  /** The `id` of an account of the view. Default: the active one. */
  readonly account?: string;
  /** True: ends the session of the system browser, too (RP-Initiated Logout 1.0). Default false. */
  readonly endBrowserSession?: boolean;
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
  readonly signOut: { channel: 'latchkey:sign-out'; takes: [request?: string | SignOutRequest] };
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

/** The channel map: preload → main, synchronous, once per document, before its first script. */
export interface AuthSyncCalls {
  /** `isolated`: whether the page's scripts run in a world of their own (`contextIsolation`). */
  'latchkey:view': (isolated: boolean) => AuthView | null;
}

/** The channel map: main → pages. */
export interface AuthPushes {
  'latchkey:view-changed': (view: AuthView) => void;
}

/**
 * The channel map: preload → main, each time with one port, by which the messages of one request go.
 */
export interface AuthPortCalls {
  'latchkey:fetch': (request: PageRequest) => void;
}

/** A request of a page to an API, as it crosses. Main checks each member. */
export interface PageRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** `stream`: main asks for its chunks, one at a time. */
  readonly body: Uint8Array | 'stream' | null;
  readonly redirect: RequestRedirect;
  readonly withCookies: boolean;
  readonly account: string | null;
  readonly stepUp: boolean;
}

/** What a page says about a request that is under way. Main gives one chunk for each `pull`. */
export type PageRequestMessage =
  | { readonly type: 'pull' }
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }
  | { readonly type: 'end' }
  | { readonly type: 'abort' };

/** What main says about a request. The page gives one chunk of its body for each `pull`. */
export type PageResponseMessage =
  | { readonly type: 'pull' }
  | {
      readonly type: 'response';
      readonly url: string;
      readonly redirected: boolean;
      readonly status: number;
      readonly statusText: string;
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly hasBody: boolean;
      readonly challenge: StepUpRequest | null;
    }
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }
  | { readonly type: 'end' }
  /** As the `AuthFailure` of a call. */
  | { readonly type: 'failed'; readonly error: AuthErrorView }
  /** As the `TypeError` of `fetch`. */
  | { readonly type: 'unreachable'; readonly message: string };

/**
 * The API on `window.latchkey`, from the preload: one method for each call, and nothing else.
 */
export interface AuthBridge extends AuthCallMethods<Promise<AuthReply>> {
  readonly initialView: AuthView;
  readonly onView: (listener: (view: AuthView) => void) => () => void;
  /**
   * Begins a request and returns what sends messages about it. Calls `onMessage` with each message
   * of main, and with null when no more will come.
   */
  readonly openRequest: (
    request: PageRequest,
    onMessage: (message: PageResponseMessage | null) => void,
  ) => (message: PageRequestMessage) => void;
}

/** `RequestInit` of the Fetch Standard, and whose token it is. */
export interface PageRequestInit extends RequestInit {
  /** The `id` of an account of the view. Default: the active one. */
  readonly account?: string;
  /** `ask`: if the API demands a stronger sign-in, the person is asked once (docs/step-up.md). */
  readonly stepUp?: 'ask';
}

/** An answer of an API, and what it demands: null when it demands nothing more. */
export interface ApiResponse extends Response {
  readonly challenge: StepUpRequest | null;
}

/**
 * The API for pages, exported by `latchkey/renderer`. Its members are functions that need no
 * `this`: you may pass them on one by one.
 */
export interface AuthApi {
  /**
   * Returns the latest view: the same object until the next change, so it fits
   * `useSyncExternalStore`. Never throws; without a bridge the view says `unavailable`.
   */
  readonly getSnapshot: () => PageView;
  /**
   * Calls the listener with the view now and after each change. Returns a function that stops this.
   */
  readonly subscribe: (listener: (view: PageView) => void) => () => void;
  /** Opens the system browser. Resolves when the person is signed in, or rejects (`AuthFailure`). */
  readonly signIn: (request?: SignInRequest) => Promise<void>;
  /** Ends every open attempt. */
  readonly cancelSignIn: () => Promise<void>;
  /**
   * Opens the page of the waiting attempt again. With a device code: opens the page for the code on
   * this computer.
   */
  readonly reopenBrowser: () => Promise<void>;
  /**
   * For "Nothing happened?": opens the next redirect of the waiting attempt. Earlier redirects stay
   * open. Does nothing if none is left.
   */
  readonly tryAnotherWay: () => Promise<void>;
  /**
   * Passes on what the person copied from the browser: a whole callback URL, or the code that a
   * page shows (`redirect` is `paste`). Resolves when an open attempt has accepted it; rejects with
   * `callback-invalid` if it answers none.
   */
  readonly pasteCallback: (text: string) => Promise<void>;
  /** Signs out the active account, or the one with this `id`. */
  readonly signOut: (request?: string | SignOutRequest) => Promise<void>;
  /**
   * Makes one of `otherAccounts` active, by its `id`. If its session cannot be opened, rejects with
   * `signed-out` or a code of the keyring, and changes nothing.
   */
  readonly switchAccount: (accountId: string) => Promise<void>;
  /** Does at once what Latchkey waits to do: opens the keyring again, or renews. */
  readonly retry: () => Promise<void>;
  /**
   * Calls an API with the token of the session, in the shape of `fetch`: main makes the request, and
   * the token does not enter the page. Only APIs of the option `apis` with `pages: true`. Rejects
   * with an `AuthFailure` if there is no token or the page may not ask (`page-refused`), and with a
   * `TypeError` if the API cannot be reached.
   */
  readonly fetch: (input: string | URL | Request, init?: PageRequestInit) => Promise<ApiResponse>;
}
