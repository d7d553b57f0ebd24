// Token answers as the OAuth engine should see them: errors as errors whatever their status, odd
// members dropped. Changes an answer's shape, never its meaning; judges nothing but the type of the
// token.
import { flatMembers, jsonObject } from './bounded-fetch.js';
import { AuthError, plainWord } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { TokenSet } from './client.js';
import { lifetimeSeconds } from '../base/backoff.js';

/**
 * The answer of a token endpoint. A wrong optional member must not cost tokens that were already
 * given: it is dropped, the required ones are judged by the engine. An `error` beside status 200,
 * as GitHub sends it, becomes one with status 400. Throws `response-invalid` when status 200 brings
 * an error and tokens at once: then neither is believed.
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
 * Whether the token endpoint itself may have refused a refresh token. Throws `response-invalid`
 * where a portal, a proxy or a firewall is as likely: for a page, and for each status but 400 and
 * 401, unless the answer says a word that ends a session (`invalid_grant`, which Auth0 says with
 * 403, and the preset's own).
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
 * The answer of another endpoint: what the body says of an error counts, also where a challenge
 * stands beside it.
 */
export async function readErrorAnswer(response: Response): Promise<Response> {
  const body = response.status >= 400 ? await bodyOf(response) : undefined;
  return body !== undefined && isError(body) ? errorAnswer(response, body) : response;
}

/**
 * RFC 6749 §5.2. Whatever stands beside it: a status of 4xx with tokens in its body has given none.
 */
function isError(body: Readonly<Record<string, unknown>>): boolean {
  return typeof body['error'] === 'string' && body['error'] !== '';
}

/** Some write out that there is none. */
function saysError(error: unknown): boolean {
  return error !== undefined && error !== null && error !== '' && error !== false && error !== 0;
}

function holdsTokens(body: Readonly<Record<string, unknown>>): boolean {
  return ['access_token', 'refresh_token', 'id_token'].some(
    (name) => typeof body[name] === 'string' && body[name] !== '',
  );
}

// Without `WWW-Authenticate`: the engine would stop at the challenge and not read why.
function errorAnswer(response: Response, body: Readonly<Record<string, unknown>>): Response {
  return json(response.status === 200 ? 400 : response.status, flatMembers(body));
}

/** The body as a JSON object; the answer can still be read after it. */
export async function bodyOf(response: Response): Promise<Record<string, unknown> | undefined> {
  return jsonObject(new Uint8Array(await response.clone().arrayBuffer()));
}

function json(status: number, body: Readonly<Record<string, unknown>>): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json' },
  });
}

/** The members of a good token answer, as the engine has checked them. */
export interface TokenMembers {
  readonly access_token: string;
  readonly token_type: string;
  readonly refresh_token?: string;
  readonly expires_in?: number;
  readonly scope?: string;
}

/**
 * Dates the tokens: from when they were asked for, never later. `oldRefreshToken` stays where the
 * server gave no new one.
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
