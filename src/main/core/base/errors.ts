// The one error class, the closed list of codes with what to do, and the view of an error. No other
// file may declare an error class. A message never holds a secret, a value from outside, or a URL's
// query.
import type {
  AuthErrorCode,
  AuthErrorRetry,
  AuthErrorView,
  ProviderErrorView,
} from '../../../contract.js';

/**
 * Every code, and what the caller should do. What each means stands in error-codes.ts: the texts
 * are not loaded with an app.
 */
export const RETRY: { readonly [Code in AuthErrorCode]: AuthErrorRetry } = {
  'invalid-options': 'never',
  'signed-out': 'sign-in',
  'sign-in-cancelled': 'sign-in',
  'sign-in-expired': 'sign-in',
  'sign-in-denied': 'sign-in',
  'sign-in-refused': 'never',
  'session-ended': 'sign-in',
  'session-busy': 'automatic',
  'resource-refused': 'never',
  'discovery-failed': 'user',
  'issuer-mismatch': 'never',
  'id-token-invalid': 'sign-in',
  'response-invalid': 'user',
  'network-failed': 'automatic',
  'network-timeout': 'automatic',
  'server-unavailable': 'automatic',
  'redirect-unavailable': 'never',
  'browser-failed': 'user',
  'callback-invalid': 'user',
  'keyring-locked': 'user',
  'keyring-unavailable': 'user',
  'storage-failed': 'user',
  'page-refused': 'never',
  'files-missing': 'never',
  stopped: 'never',
  internal: 'user',
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

/**
 * The one error that Latchkey throws or rejects with. `cause` is for logs in main and never crosses
 * to a page.
 */
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
    this.retry = RETRY[code];
    this.serverError = plainWord(details.serverError);
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.provider = details.provider;
    this.exchange = details.exchange;
  }
}

/** Gives the error as a page may see it. Never throws. */
export function toErrorView(error: AuthError): AuthErrorView {
  const { code, retry, message, serverError, provider } = error;
  return {
    code,
    retry,
    message,
    ...(serverError === undefined ? {} : { serverError }),
    ...(provider === undefined ? {} : { provider }),
  };
}

/**
 * Makes an `AuthError` of anything thrown; what is not one already becomes `internal` with it as
 * the cause.
 */
export function toAuthError(thrown: unknown): AuthError {
  return thrown instanceof AuthError
    ? thrown
    : new AuthError('internal', 'an unexpected failure', { cause: thrown });
}

/** A part that is loaded later is not where it belongs. */
export function partMissingError(cause: unknown): AuthError {
  return new AuthError(
    'files-missing',
    'a part of latchkey could not be loaded: ship all of it (docs/bundlers.md)',
    { cause },
  );
}

/** What calls reject with that come after `stop()`, or that it ended. */
export function stoppedError(): AuthError {
  return new AuthError('stopped', 'authentication was stopped');
}

/** Keeps a word that a server sent only if it can carry neither markup nor a secret's length. */
export function plainWord(word: unknown): string | undefined {
  return typeof word === 'string' && /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(word) ? word : undefined;
}

/**
 * Closes an exhaustive switch. The value is not carried along: it may be an event that holds
 * tokens.
 */
export function assertNever(_value: never): never {
  throw new AuthError('internal', 'a case that does not exist');
}
