// The public interface of the sign-in in the main process, with every obligation. Types only:
// index.ts makes it, assembly.ts brings the parts that can wait.
import type { AuthView, SignOutRequest } from '../contract.js';
import type { SignInOptions } from './core/authorization/sign-in-request.js';
import type { AuthEvent } from './core/base/events.js';
import type { ApiFetch } from './core/requests/api-fetch.js';
import type { IdTokenRequest, TokenRequest } from './core/session/token-request.js';
import type { DiagnoseOptions, Diagnosis } from './diagnosis/diagnosis.js';
import type { SupportBundle, SupportBundleOptions } from './diagnosis/support-bundle.js';

/**
 * The result for one scheme. `done` false: the scheme does not belong to this app, and `detail`
 * says to whom it belongs.
 */
export interface SchemeRemoval {
  readonly scheme: string;
  readonly done: boolean;
  readonly detail: string;
}

/**
 * Sign-in for the main process. Promises reject only with `AuthError`, and always settle within a
 * bounded time. The members are functions that need no `this`: you may pass them on one by one.
 */
export interface Auth {
  /** Returns the latest view: a frozen object, the same until the next change. */
  readonly getView: () => AuthView;
  /**
   * Calls the listener with the view now and after each change. Returns a function that stops this.
   */
  readonly onView: (listener: (view: AuthView) => void) => () => void;
  /**
   * Opens the system browser. Resolves when the person is signed in and the session is stored;
   * rejects if the attempt failed, expired or was cancelled. `open` hands the URL to you instead.
   * After a sign-out the provider offers the choice of account, if it is known to know how.
   */
  readonly signIn: (request?: SignInOptions) => Promise<void>;
  /** Ends every open attempt. */
  readonly cancelSignIn: () => Promise<void>;
  /** Opens the page of the newest waiting attempt again. */
  readonly reopenBrowser: () => Promise<void>;
  /**
   * Opens the next redirect of the newest waiting attempt. Earlier redirects stay open. Does
   * nothing if none is left.
   */
  readonly tryAnotherWay: () => Promise<void>;
  /**
   * Accepts a whole callback URL, or the code that a page shows. Resolves when an attempt has
   * accepted it; otherwise rejects with `callback-invalid`.
   */
  readonly pasteCallback: (text: string) => Promise<void>;
  /**
   * Forgets the session on this computer first, also offline. Then tells the server that the token
   * is over (RFC 7009), in the background and until it has answered, also after restarts. Default:
   * the active account. With `endBrowserSession`, resolves when the browser was given the logout
   * page; if there is none, the event `end-session-trouble` says why.
   */
  readonly signOut: (request?: string | SignOutRequest) => Promise<void>;
  /**
   * Signs this account out and removes what this computer knows of the person: names, the last
   * account, the record. Rejects with `storage-failed` if the disk refuses. docs/storage.md lists what
   * stays until a revocation is done.
   */
  readonly forgetAccount: (accountId: string) => Promise<void>;
  /**
   * Makes one of `otherAccounts` active, by its `id`. If its session cannot be opened, rejects with
   * `signed-out` or a code of the keyring, and changes nothing.
   */
  readonly switchAccount: (accountId: string) => Promise<void>;
  /** Does at once what Latchkey waits to do: opens the keyring, renews, or stores again. */
  readonly retry: () => Promise<void>;
  /**
   * Resolves with the access token. Renews it first if it is due; concurrent callers share one
   * request. The token must not reach a page. `request` asks for another account, another API, or a
   * replacement for a refused token. Rejects with `resource-refused` if the provider gives none.
   */
  readonly getAccessToken: (request?: TokenRequest) => Promise<string>;
  /**
   * Resolves with the ID token (OpenID Connect Core §2) as it came, for a backend that exchanges it:
   * the newest that has not expired. It must not reach a page, and it is no access token. If there is
   * none, Latchkey renews first; rejects with `id-token-invalid` if that brings none, as many
   * providers do, with `invalid-options` without the scope `openid`, and otherwise as
   * `getAccessToken` does.
   */
  readonly getIdToken: (request?: IdTokenRequest) => Promise<string>;
  /**
   * Calls an API of the option `apis` with the token that is meant for it, as `fetch` would. After a
   * 401 it renews the token once, for all who were refused, and repeats the request once if its body
   * can be sent again. What the API answers is an answer, whatever its status. Rejects with an
   * `AuthError` if there is no token (as `getAccessToken` does) or if the option lists no API with
   * this address and method (`invalid-options`); with a `TypeError` if the API cannot be reached; with
   * the reason of the signal; with `signed-out` if the account signs out meanwhile, also while you
   * read the body. docs/apis.md lists what differs from `fetch`.
   */
  readonly fetch: ApiFetch;
  /**
   * Checks everything that a sign-in needs on this computer: scheme, loopback, keyring, network,
   * clock, provider. It does what a sign-in does, and no more: it registers the scheme, writes and
   * removes a keyring entry, asks the provider. Rejects only with `files-missing`, if Latchkey was
   * not shipped whole, and with `stopped` after `stop()`.
   */
  readonly diagnose: (options?: DiagnoseOptions) => Promise<Diagnosis>;
  /**
   * Resolves with a report that a person can send to somebody who helps them: a diagnosis,
   * versions, options, view and the last log events, redacted. Rejects as `diagnose` does.
   */
  readonly supportBundle: (options?: SupportBundleOptions) => Promise<SupportBundle>;
  /**
   * For an uninstaller, as the last call before `stop()`: removes the registration of the custom
   * schemes. A later start registers them again. Rejects as `diagnose` does.
   */
  readonly unregisterSchemes: () => Promise<readonly SchemeRemoval[]>;
  /**
   * Calls the listener with every event from now on, for telemetry. Returns a function that stops
   * this. docs/events.md lists all events.
   */
  readonly onEvent: (listener: (event: AuthEvent) => void) => () => void;
  /**
   * Finishes what is being stored and ends everything, within 2.5 seconds. Latchkey calls it itself
   * when the app quits. It gives back all that `createAuth` took, the single-instance lock too,
   * unless the app had that before. Then you may call `createAuth` again. Pages that are open keep
   * their last view, until the next sign-in sends them its own.
   */
  readonly stop: () => Promise<void>;
}
