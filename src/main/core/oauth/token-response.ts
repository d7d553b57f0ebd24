// Prepares token answers for the OAuth library: an error gets an error status, and malformed
// optional members are dropped. Changes the form of an answer, never its meaning; checks only the
// token type.
import { flatMembers, jsonObject } from './bounded-fetch.js';
import { AuthError, plainWord } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { TokenSet } from '../base/tokens.js';
import { lifetimeSeconds } from '../base/backoff.js';

/**
 * The answer of a token endpoint. A malformed optional member must not lose tokens that the server
 * has issued, so it is dropped; the library checks the required members. An `error` with status
 * 200, as GitHub sends it, gets status 400. Throws `response-invalid` when status 200 brings an
 * error and tokens at once: then neither is trusted.
 */
export async function readTokenAnswer(response: Response, keepIdToken: boolean): Promise<Response> {
  const body = await bodyOf(response);
  if (body === undefined) return response;
  if (response.status === 200 && saysError(body['error']) && holdsTokens(body)) {
    throw new AuthError(
      'response-invalid',
      'the token endpoint answered with an error and with tokens at once',
    );
  }
  if (isError(body) && (response.status === 200 || response.status >= 400))
    return errorAnswer(response, body);
  if (response.status !== 200) return response;
  const {
    id_token: idToken,
    expires_in: expiresIn,
    refresh_token: refreshToken,
    scope,
    ...rest
  } = body;
  const lifetime =
    typeof expiresIn === 'string' && /^\d{1,12}$/.test(expiresIn) ? Number(expiresIn) : expiresIn;
  const kept = {
    ...flatMembers(rest),
    ...(keepIdToken && typeof idToken === 'string' ? { id_token: idToken } : {}),
    ...(typeof lifetime === 'number' && Number.isFinite(lifetime) && lifetime >= 0
      ? { expires_in: lifetime }
      : {}),
    ...(typeof refreshToken === 'string' && refreshToken !== ''
      ? { refresh_token: refreshToken }
      : {}),
    ...(typeof scope === 'string' && scope.length <= LIMITS.recordMemberBytes ? { scope } : {}),
  };
  return json(200, kept);
}

/**
 * Checks that the token endpoint itself may have refused a refresh token. Throws `response-invalid`
 * if a portal, a proxy or a firewall is just as likely: for a page, and for every error status
 * other than 400 and 401, unless the answer has an error code that ends a session (`invalid_grant`,
 * which Auth0 sends with 403, and the preset's own codes).
 */
export async function assertServerRefused(
  response: Response,
  endingErrors: readonly string[],
): Promise<void> {
  const { status } = response;
  if (status < 400) return;
  const body = await bodyOf(response);
  const error = body?.['error'];
  if (error === 'invalid_grant' || (typeof error === 'string' && endingErrors.includes(error)))
    return;
  const isPage =
    body === undefined &&
    (/html/i.test(response.headers.get('content-type') ?? '') ||
      (await response.clone().text()).trimStart().startsWith('<'));
  if ((status === 400 || status === 401) && !isPage) return;
  throw new AuthError(
    'response-invalid',
    `the token endpoint answered with status ${status}${isPage ? ' and a page' : ''}: perhaps a proxy`,
    { serverError: plainWord(error) },
  );
}

/**
 * The answer of another endpoint: the error in the body counts, even with a `WWW-Authenticate`
 * challenge beside it.
 */
export async function readErrorAnswer(response: Response): Promise<Response> {
  const body = response.status >= 400 ? await bodyOf(response) : undefined;
  return body !== undefined && isError(body) ? errorAnswer(response, body) : response;
}

/**
 * RFC 6749 §5.2. Ignores all other members: a 4xx answer with tokens in its body has issued none.
 */
function isError(body: Readonly<Record<string, unknown>>): boolean {
  return typeof body['error'] === 'string' && body['error'] !== '';
}

/** Some servers send an empty `error` instead of leaving it out. */
function saysError(error: unknown): boolean {
  return error !== undefined && error !== null && error !== '' && error !== false && error !== 0;
}

function holdsTokens(body: Readonly<Record<string, unknown>>): boolean {
  return ['access_token', 'refresh_token', 'id_token'].some(
    (name) => typeof body[name] === 'string' && body[name] !== '',
  );
}

// Without `WWW-Authenticate`: the library would stop at the challenge and not read the error.
function errorAnswer(response: Response, body: Readonly<Record<string, unknown>>): Response {
  return json(response.status === 200 ? 400 : response.status, flatMembers(body));
}

/** The body as a JSON object; the answer can still be read afterwards. */
export async function bodyOf(response: Response): Promise<Record<string, unknown> | undefined> {
  return jsonObject(new Uint8Array(await response.clone().arrayBuffer()));
}

function json(status: number, body: Readonly<Record<string, unknown>>): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json' },
  });
}

/** The members of a successful token answer, as the OAuth library has checked them. */
export interface TokenMembers {
  readonly access_token: string;
  readonly token_type: string;
  readonly refresh_token?: string;
  readonly expires_in?: number;
  readonly scope?: string;
}

/**
 * Makes the token set. The lifetime counts from `requestedAt`, never from later. Keeps
 * `oldRefreshToken` if the server sent no new one.
 */
export function toTokenSet(
  tokenResponse: TokenMembers,
  requestedAt: number,
  oldRefreshToken: string | null,
  scope: string,
): TokenSet {
  if (tokenResponse.token_type !== 'bearer')
    throw new AuthError(
      'response-invalid',
      'answer member "token_type" must be "bearer" (RFC 6750)',
    );
  const refreshToken = tokenResponse.refresh_token ?? oldRefreshToken;
  const endless = tokenResponse.expires_in === undefined && refreshToken === null;
  return {
    accessToken: tokenResponse.access_token,
    obtainedAt: requestedAt,
    expiresAt: endless ? null : requestedAt + lifetimeSeconds(tokenResponse.expires_in) * 1000,
    refreshToken,
    scope: tokenResponse.scope ?? scope,
  };
}
