// The one error class, the closed list of codes with what each means, and the view of an error.
// No other file may declare an error class. A message never holds a secret, a value from outside, or a URL's query.
import type { AuthErrorCode, AuthErrorRetry, AuthErrorView, ProviderErrorView } from '../../contract.js';

/** Every code: what the caller should do, and one sentence each on what it means and what helps. */
export const ERROR_CODES: {
  readonly [Code in AuthErrorCode]: { readonly retry: AuthErrorRetry; readonly means: string; readonly todo: string };
} = {
  'invalid-options': { retry: 'never', means: 'An option given to createAuth, or an argument of a call, is not what it must be.', todo: 'Change the option that the message names.' },
  'signed-out': { retry: 'sign-in', means: 'A token was asked for while nobody is signed in.', todo: 'Offer to sign in.' },
  'sign-in-cancelled': { retry: 'sign-in', means: 'The user or the host ended the attempt, or a new attempt took its place.', todo: 'Nothing; offer to sign in.' },
  'sign-in-expired': { retry: 'sign-in', means: 'The browser did not come back in time.', todo: 'Offer to sign in again.' },
  'sign-in-denied': { retry: 'sign-in', means: 'The person, or a rule at the provider, said no (access_denied).', todo: 'Offer to sign in again, perhaps with another account.' },
  'sign-in-refused': { retry: 'never', means: 'The provider refused the request of this app, at the sign-in page or at the token endpoint.', todo: 'Read serverError; most often the registration at the provider differs from the options.' },
  'session-ended': { retry: 'sign-in', means: 'The provider no longer accepts the refresh token (invalid_grant).', todo: 'Offer to sign in again as the same person.' },
  'session-busy': { retry: 'automatic', means: 'Another process of this app is renewing the session and does not finish.', todo: 'Nothing; it is tried again. A process that was halted may have to be ended.' },
  'discovery-failed': { retry: 'user', means: 'The issuer publishes no usable metadata (OpenID Connect Discovery or RFC 8414).', todo: 'Check the issuer, or give the endpoints by hand.' },
  'issuer-mismatch': { retry: 'never', means: 'Metadata or callback name another issuer than the one configured (RFC 8414 §3.3, RFC 9207).', todo: 'Check the issuer, character by character; if it is right, suspect an attack.' },
  'id-token-invalid': { retry: 'sign-in', means: 'The ID token failed a check (OpenID Connect Core §3.1.3.7).', todo: 'Try again; if it stays, check client id, issuer and the clock of this computer.' },
  'response-invalid': { retry: 'user', means: 'An answer broke the protocol: too large, not JSON, or a member missing or of the wrong type.', todo: 'Try again; a captive portal or a proxy may stand in between.' },
  'network-failed': { retry: 'automatic', means: 'The provider could not be reached.', todo: 'Nothing; a session is renewed when the network is back.' },
  'network-timeout': { retry: 'automatic', means: 'The provider did not answer in time.', todo: 'Nothing; a session is renewed later.' },
  'server-unavailable': { retry: 'automatic', means: 'The provider is out of order or asks to slow down (5xx, 429, temporarily_unavailable).', todo: 'Nothing; a session is renewed later.' },
  'redirect-unavailable': { retry: 'never', means: 'None of the redirects can work here.', todo: 'Add a loopback redirect; auth.diagnose() tells what stands in the way of each (docs/doctor.md).' },
  'browser-failed': { retry: 'user', means: 'The system browser could not be started.', todo: 'Check the default browser, then try again.' },
  'callback-invalid': { retry: 'user', means: 'What was pasted is not the answer of an open sign-in.', todo: 'Copy the whole address of the last page, or the whole code that it shows; if it stays, sign in again.' },
  'keyring-locked': { retry: 'user', means: 'The keyring is locked or waits for its password.', todo: 'Unlock it, then call retry().' },
  'keyring-unavailable': { retry: 'user', means: 'No keyring took the refresh token; the session ends with the app.', todo: 'Install or start a keyring (Linux: a Secret Service).' },
  'storage-failed': { retry: 'user', means: 'The file latchkey.json could not be written, so the next start would not find the session or the attempt.', todo: 'Look at the disk and at the rights of the userData folder, then call retry().' },
  'page-refused': { retry: 'never', means: 'A page that is not trusted called.', todo: 'Name its origin in the option "trustedOrigins", if it is yours.' },
  'files-missing': { retry: 'never', means: 'Latchkey was bundled into the main process, or packaged in part: its preload or its keychain worker is not beside it.', todo: 'Declare "latchkey" as external and ship the whole package, see docs/bundlers.md.' },
  stopped: { retry: 'never', means: 'The call came after stop(), or stop() ended it.', todo: 'Nothing.' },
  internal: { retry: 'user', means: 'Latchkey broke one of its own promises.', todo: 'Report it.' },
};

/** What Latchkey itself sent when the provider refused. For advice; it never crosses to a page. */
export interface ExchangeFacts {
  readonly redirectUri: string | null;
  readonly sentVerifier: boolean;
  readonly sentSecret: boolean;
}

/** What may be known of an error beside its code and message. */
export interface ErrorDetails {
  readonly cause?: unknown;
  readonly serverError?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly provider?: ProviderErrorView | undefined;
  readonly exchange?: ExchangeFacts | undefined;
}

/** The one error that Latchkey throws or rejects with. `cause` is for logs in main and never crosses to a page. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code: AuthErrorCode;
  readonly retry: AuthErrorRetry;
  /** The provider's `error` (RFC 6749 §5.2) when it is a plain short word. */
  readonly serverError: string | undefined;
  /** Seconds that the server asked to wait (`Retry-After`, RFC 9110 §10.2.3). */
  readonly retryAfterSeconds: number | undefined;
  /** The provider's own code and ids, for its support; made by provider-error.ts only. */
  readonly provider: ProviderErrorView | undefined;
  readonly exchange: ExchangeFacts | undefined;

  constructor(code: AuthErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retry = ERROR_CODES[code].retry;
    this.serverError = plainWord(details.serverError);
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.provider = details.provider;
    this.exchange = details.exchange;
  }
}

/** Gives the error as a page may see it. Never throws. */
export function toErrorView(error: AuthError): AuthErrorView {
  const { code, retry, message, serverError, provider } = error;
  return { code, retry, message, ...(serverError === undefined ? {} : { serverError }), ...(provider === undefined ? {} : { provider }) };
}

/** What a log event may say of an error: codes and the ids by which the provider's support finds it. */
export function errorFields(error: AuthError | null): { readonly code: string | null; readonly serverError: string | null; readonly providerCode: string | null; readonly providerCorrelationId: string | null } {
  return { code: error?.code ?? null, serverError: error?.serverError ?? null, providerCode: error?.provider?.code ?? null, providerCorrelationId: error?.provider?.correlationId ?? null };
}

/** Makes an `AuthError` of anything thrown; what is not one already becomes `internal` with it as the cause. */
export function toAuthError(thrown: unknown): AuthError {
  return thrown instanceof AuthError ? thrown : new AuthError('internal', 'an unexpected failure', { cause: thrown });
}

/** Keeps a word that a server sent only if it can carry neither markup nor a secret's length. */
export function plainWord(word: unknown): string | undefined {
  return typeof word === 'string' && /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(word) ? word : undefined;
}

/** Closes an exhaustive switch. The value is not carried along: it may be an event that holds tokens. */
export function assertNever(_value: never): never {
  throw new AuthError('internal', 'a case that does not exist');
}
