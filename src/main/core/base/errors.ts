// The only error class, the closed list of codes with the kind of retry, and the view of an error.
// No other file may declare an error class. A message must not contain a secret, a value from
// outside, or the query of a URL.
import type {
  AuthErrorCode,
  AuthErrorRetry,
  AuthErrorView,
  ProviderErrorView,
} from '../../../contract.js';

/**
 * Every code, and what the caller should do. error-codes.ts says what each means; apps do not load
 * those texts.
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

/** What Latchkey had sent when the provider refused. For advice; never goes to a page. */
export interface ExchangeFacts {
  readonly redirectUri: string | null;
  readonly sentVerifier: boolean;
  readonly sentSecret: boolean;
}

/** What may be known about an error in addition to its code and message. */
export interface ErrorDetails {
  readonly cause?: unknown;
  readonly serverError?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly provider?: ProviderErrorView | undefined;
  readonly exchange?: ExchangeFacts | undefined;
  /** Default: what the list says of the code. */
  readonly retry?: AuthErrorRetry;
}

/**
 * The only error that Latchkey throws or rejects with. `cause` is for logs in main and never goes
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
  /** The provider's own code and ids, for its support. Only provider-error.ts makes them. */
  readonly provider: ProviderErrorView | undefined;
  readonly exchange: ExchangeFacts | undefined;

  constructor(code: AuthErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retry = details.retry ?? RETRY[code];
    this.serverError = plainWord(details.serverError);
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.provider = details.provider;
    this.exchange = details.exchange;
  }
}

/** The error as a page may see it. Never throws. */
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
 * Makes an `AuthError` of anything thrown. An `AuthError` stays as it is; anything else becomes the
 * cause of an `internal` one.
 */
export function toAuthError(thrown: unknown): AuthError {
  return thrown instanceof AuthError
    ? thrown
    : new AuthError('internal', 'an unexpected failure', { cause: thrown });
}

/** The error for a file that is loaded later and is missing. */
export function partMissingError(cause: unknown): AuthError {
  return new AuthError(
    'files-missing',
    'a part of latchkey could not be loaded: ship all of it (docs/bundlers.md)',
    { cause },
  );
}

/** The error for calls after `stop()`, and for calls that `stop()` ended. */
export function stoppedError(): AuthError {
  return new AuthError('stopped', 'authentication was stopped');
}

/** Keeps a server's word only if it cannot contain markup and is too short for a secret. */
export function plainWord(word: unknown): string | undefined {
  return typeof word === 'string' && /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(word) ? word : undefined;
}

/**
 * Closes an exhaustive switch. The error does not contain the value, which may be an event with
 * tokens.
 */
export function assertNever(_value: never): never {
  throw new AuthError('internal', 'a case that does not exist');
}
