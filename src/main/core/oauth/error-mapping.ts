// Maps an error of the OAuth library, at a known step, to one of our codes. Pure. Reads only codes
// and the server's `error` member, never texts, and passes on no text from outside.
import type { AuthErrorCode } from '../../../contract.js';
import { type Evidence, note, shownClient, shownIssuer } from '../base/evidence.js';
import { codeExpired } from './device-authorization.js';
import { AuthError, type ErrorDetails, type ExchangeFacts, plainWord } from '../base/errors.js';
import { readCallbackError, readProviderError } from './provider-error.js';

/** The step that failed: one library error means different things at different steps. */
export type ExchangeStep =
  | 'discovery'
  | 'push'
  | 'callback'
  | 'redeem'
  | 'device'
  | 'poll'
  | 'id-token'
  | 'userinfo'
  | 'renew'
  | 'revoke';

/** Temporary errors of RFC 6749 §4.1.2.1 and §5.2. */
const TRANSIENT = new Set(['temporarily_unavailable', 'server_error', 'slow_down']);

/** What a mapping may pass on. `ends`: what this provider sends instead of `invalid_grant`. */
interface Details extends ErrorDetails {
  readonly ends: readonly string[];
}

/** Codes that the OAuth library throws only while it reads an ID token. */
const ID_TOKEN_CODES = new Set([
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_KEY_SELECTION_FAILED',
]);

/**
 * What is known in addition to the failure: what was sent, and the provider's own error codes for a
 * refresh token that is no longer valid.
 */
export interface RequestContext {
  readonly exchange?: ExchangeFacts;
  readonly endingErrors?: readonly string[];
  /** Where the request of this step goes. */
  readonly url?: string | undefined;
}

/** Makes the AuthError, and notes what was asked; an AuthError keeps its code and message. */
export function toAuthErrorAt(
  step: ExchangeStep,
  thrown: unknown,
  context: RequestContext = {},
): AuthError {
  const error = thrown instanceof AuthError ? thrown : mapError(step, thrown, context);
  return note(error, { asked: endpointOf(step), url: context.url, ...evidenceIn(thrown) });
}

function mapError(step: ExchangeStep, thrown: unknown, context: RequestContext): AuthError {
  const { code, error, cause } = fields(thrown);
  // The library's errors contain bodies, claims and callbacks, so only their names may become the
  // cause.
  const details: Details = {
    cause: code ?? (thrown instanceof Error ? thrown.name : typeof thrown),
    exchange: context.exchange,
    ends: context.endingErrors ?? [],
  };
  if (step === 'callback') return mapCallbackError(code, cause, details);
  if (code === 'OAUTH_RESPONSE_BODY_ERROR')
    return mapServerError(step, error, {
      ...details,
      serverError: plainWord(error),
      provider: readProviderError(cause),
    });
  if (step === 'id-token' || (code !== undefined && ID_TOKEN_CODES.has(code)))
    return new AuthError('id-token-invalid', `ID token: ${idTokenDetail(code, cause)}`, details);
  if (code === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE')
    return new AuthError(refusedBy(step), `the ${endpointOf(step)} refused this client`, details);
  // An error answer without JSON is still an error: the status tells which one.
  if (code === 'OAUTH_RESPONSE_IS_NOT_CONFORM' || code === 'OAUTH_RESPONSE_IS_NOT_JSON')
    return mapStatus(step, cause, details);
  if (code === 'OAUTH_UNSUPPORTED_OPERATION' && isGrant(step))
    return new AuthError(
      'id-token-invalid',
      'the ID token or the token type is of a kind that is not supported',
      details,
    );
  if (code === 'OAUTH_INVALID_RESPONSE' && isGrant(step) && isIdTokenPart(cause))
    return new AuthError('id-token-invalid', 'ID token: it breaks OpenID Connect Core §2', details);
  return new AuthError(
    'response-invalid',
    `the ${endpointOf(step)} gave an answer that breaks the protocol`,
    details,
  );
}

/** Runs the step; throws only an AuthError. */
export async function mapped<T>(
  step: ExchangeStep,
  run: () => Promise<T>,
  context: RequestContext = {},
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toAuthErrorAt(step, error, context);
  }
}

function mapCallbackError(code: string | undefined, cause: unknown, details: Details): AuthError {
  if (code === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR' && cause instanceof URLSearchParams) {
    const error = cause.get('error');
    const known = { ...details, serverError: plainWord(error), provider: readCallbackError(cause) };
    if (error === 'access_denied')
      return new AuthError('sign-in-denied', 'the sign-in was denied', known);
    if (error !== null && TRANSIENT.has(error))
      return new AuthError('server-unavailable', 'the provider asks to try again later', known);
    return new AuthError(
      'sign-in-refused',
      'the provider refused the authorization request',
      known,
    );
  }
  if (code !== 'OAUTH_INVALID_RESPONSE')
    return new AuthError(
      'response-invalid',
      'the callback is not an answer to an authorization request for a code',
      details,
    );
  return new AuthError(
    'issuer-mismatch',
    'callback parameter "iss" is not the configured issuer (RFC 9207 §2.4)',
  );
}

/** The poll answer for a person who has not answered yet (RFC 8628 §3.5), or null. */
export function pendingWord(thrown: unknown): 'pending' | 'slow-down' | null {
  const { code, error } = fields(thrown);
  if (code !== 'OAUTH_RESPONSE_BODY_ERROR') return null;
  return error === 'authorization_pending' ? 'pending' : error === 'slow_down' ? 'slow-down' : null;
}

function mapServerError(step: ExchangeStep, error: unknown, details: Details): AuthError {
  if (step === 'poll' && error === 'expired_token') return codeExpired();
  // RFC 8628 §3.5 defines access_denied; Entra has its own code.
  if (step === 'poll' && (error === 'access_denied' || error === 'authorization_declined'))
    return new AuthError('sign-in-denied', 'the sign-in was denied', details);
  if (typeof error === 'string' && TRANSIENT.has(error))
    return new AuthError(
      'server-unavailable',
      `the ${endpointOf(step)} asks to try again later`,
      details,
    );
  if (step === 'renew' && (error === 'invalid_grant' || details.ends.includes(String(error))))
    return new AuthError(
      'session-ended',
      'the provider no longer accepts the refresh token',
      details,
    );
  return new AuthError(refusedBy(step), `the ${endpointOf(step)} refused the request`, details);
}

function mapStatus(step: ExchangeStep, cause: unknown, details: Details): AuthError {
  const status = cause instanceof Response ? cause.status : 0;
  // While a device code is open, every answer but the last one has status 400. An answer without an
  // error code comes from a portal or a proxy.
  if (status >= 400 && status < 500 && step !== 'poll')
    return new AuthError(
      refusedBy(step),
      `the ${endpointOf(step)} answered with status ${status}`,
      details,
    );
  return new AuthError(
    'response-invalid',
    `the ${endpointOf(step)} gave an answer that breaks the protocol`,
    details,
  );
}

function isGrant(step: ExchangeStep): boolean {
  return step === 'redeem' || step === 'poll';
}

function refusedBy(step: ExchangeStep): AuthErrorCode {
  return step === 'discovery' ? 'discovery-failed' : 'sign-in-refused';
}

function endpointOf(step: ExchangeStep): string {
  if (step === 'callback') return 'authorization endpoint';
  if (step === 'redeem' || step === 'poll' || step === 'renew') return 'token endpoint';
  if (step === 'device') return 'device authorization endpoint';
  if (step === 'push') return 'pushed authorization request endpoint';
  if (step === 'revoke') return 'revocation endpoint';
  if (step === 'userinfo') return 'userinfo endpoint';
  return step === 'discovery' ? 'discovery document' : 'key set';
}

/** The claims whose values are no secrets; a nonce is one. */
const OPEN_CLAIMS: Readonly<Record<string, (value: unknown) => string>> = {
  iss: shownIssuer,
  aud: shownClient,
  azp: shownClient,
};

/** What the library's error says of the answer: its status, and what in it differs. */
function evidenceIn(thrown: unknown): Evidence {
  const { cause } = fields(thrown);
  const { status } = (thrown ?? {}) as { readonly status?: unknown };
  const code = cause instanceof Response ? cause.status : status;
  const found: Evidence = typeof code === 'number' ? { status: code } : {};
  if (typeof cause !== 'object' || cause === null) return found;
  const { claim, claims, expected, parameters } = cause as Readonly<Record<string, unknown>>;
  if (parameters instanceof URLSearchParams && expected !== undefined)
    return {
      member: 'the parameter "iss"',
      expected: shownIssuer(expected),
      got: shownIssuer(parameters.get('iss')),
    };
  const name = plainWord(claim);
  if (name === undefined) return found;
  const member = `the claim "${name}"`;
  const show = Object.hasOwn(OPEN_CLAIMS, name) ? OPEN_CLAIMS[name] : undefined;
  if (show === undefined || expected === undefined || typeof claims !== 'object' || claims === null)
    return { ...found, member };
  const got = show((claims as Readonly<Record<string, unknown>>)[name]);
  return { ...found, member, expected: show(expected), got };
}

function idTokenDetail(code: string | undefined, cause: unknown): string {
  const claim =
    typeof cause === 'object' && cause !== null && 'claim' in cause
      ? plainWord(cause.claim)
      : undefined;
  if (claim !== undefined) return `claim "${claim}" is not as expected`;
  if (code === 'OAUTH_KEY_SELECTION_FAILED') return 'no key of the issuer fits';
  return 'the signature does not verify';
}

/**
 * The library's cause is what it rejects: claims, a header whose `alg` is not allowed, or a string
 * that is not a JWT.
 */
function isIdTokenPart(cause: unknown): boolean {
  return (
    typeof cause === 'string' ||
    (typeof cause === 'object' && cause !== null && ('claims' in cause || 'header' in cause))
  );
}

function fields(thrown: unknown): {
  readonly code: string | undefined;
  readonly error: unknown;
  readonly cause: unknown;
} {
  if (typeof thrown !== 'object' || thrown === null)
    return { code: undefined, error: undefined, cause: undefined };
  const { code, error, cause } = thrown as { code?: unknown; error?: unknown; cause?: unknown };
  return { code: typeof code === 'string' ? code : undefined, error, cause };
}
