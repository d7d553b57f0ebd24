// Checks the argument of getAccessToken(): which account, which target, and the token that an API
// has refused. And that of getIdToken(). Throws "invalid-options" with the name of the member; never repeats a value.
import { AuthError } from '../base/errors.js';
import type { TokenTarget } from '../base/tokens.js';
import { DEMAND_MEMBERS, toClaims } from '../options/sign-in-demand.js';
import { isResource, isScope } from '../options/syntax.js';

/** Which access token is wanted. Default: the token of the sign-in. */
export interface TokenRequest {
  /**
   * The `id` of an account of the view. Default: the active one. Others need the option `accounts:
   * 'several'`.
   */
  readonly account?: string;
  /**
   * The API that it is for (RFC 8707 §2.2): an absolute URI without fragment, at most 2,048
   * characters. Most providers require it at the sign-in too: see the option `resources`.
   */
  readonly resource?: string;
  /**
   * At most the scopes that were granted at the sign-in (RFC 6749 §6). Entra reads the API from
   * them: `api://…/.default`.
   */
  readonly scopes?: readonly string[];
  /**
   * Sent as the parameter `claims` (OpenID Connect Core §5.5), for an API that has demanded them, as
   * Entra's do. The provider may want the person for that: then `resource-refused`.
   */
  readonly claims?: Readonly<Record<string, unknown>>;
  /**
   * An access token that the API has refused. Another one is fetched, unless there is one already.
   * Callers at the same time, or with a token that was replaced in the meantime, cause one renewal.
   * A token younger than 5 seconds is not replaced. Without a refresh token there is no other one:
   * the session ends, with `session-ended`.
   */
  readonly refused?: string;
}

/**
 * Who says that a token was refused. An API's 401 alone ends no session: one of several APIs may be
 * wrong.
 */
export type RefusedBy = 'host' | 'api';

/** Whose ID token is wanted. */
export interface IdTokenRequest {
  /**
   * The `id` of an account of the view. Default: the active one. Others need the option `accounts:
   * 'several'`.
   */
  readonly account?: string;
}

/** The account whose token a request has. */
export interface AccountHold {
  /** Its id as far as it is known yet: another one may become active meanwhile. */
  account(): string | undefined;
  /** Aborted when it signs out, with an `AuthError`. */
  readonly signedOut: AbortSignal;
}

/** The checked request. */
export interface ParsedTokenRequest {
  /** Null: the active account. */
  readonly account: string | null;
  /** Null: the token of the sign-in. */
  readonly target: TokenTarget | null;
  readonly refused: string | null;
}

const MEMBERS = new Set(['account', 'resource', 'scopes', 'claims', 'refused']);

const PLAIN: ParsedTokenRequest = { account: null, target: null, refused: null };

export function parseTokenRequest(request: TokenRequest | undefined): ParsedTokenRequest {
  if (request === undefined) return PLAIN;
  if (typeof request !== 'object' || (request as unknown) === null)
    throw new AuthError('invalid-options', 'the token request must be an object');
  for (const name in request)
    if (!MEMBERS.has(name))
      throw new AuthError(
        'invalid-options',
        `the token request may hold ${[...MEMBERS].join(', ')} only`,
      );
  const { account, resource, scopes, claims, refused } = request;
  if (refused !== undefined && typeof refused !== 'string')
    throw new AuthError('invalid-options', '"refused" must be an access token');
  return {
    account: account === undefined ? null : parseAccountId(account),
    target: targetOf(resource, scopes, claims),
    refused: refused ?? null,
  };
}

/** Null: the active account. */
export function parseIdTokenRequest(request: IdTokenRequest = {}): string | null {
  if (typeof request !== 'object' || (request as unknown) === null)
    throw new AuthError('invalid-options', 'the ID token request must be an object');
  for (const name in request)
    if (name !== 'account')
      throw new AuthError('invalid-options', 'the ID token request may hold account only');
  return request.account === undefined ? null : parseAccountId(request.account);
}

/** Checks the `id` of an account that a page or a host gives. */
export function parseAccountId(argument: unknown): string {
  if (typeof argument === 'string' && argument.length > 0 && argument.length <= 256)
    return argument;
  throw new AuthError('invalid-options', 'the account must be the "id" of an account of the view');
}

function targetOf(
  resource: string | undefined,
  scopes: readonly string[] | undefined,
  claims: unknown,
): TokenTarget | null {
  if (resource === undefined && scopes === undefined && claims === undefined) return null;
  if (resource !== undefined && !isResource(resource))
    throw new AuthError(
      'invalid-options',
      '"resource" must be an absolute URI without fragment (RFC 8707 §2)',
    );
  if (scopes !== undefined && !isScopes(scopes))
    throw new AuthError(
      'invalid-options',
      '"scopes" must be a list of 1 to 100 scopes (RFC 6749 §3.3)',
    );
  const scope = scopes === undefined ? null : [...new Set(scopes)].sort().join(' ');
  const asked = claims === undefined ? undefined : toClaims(claims);
  if (asked === null)
    throw new AuthError('invalid-options', `"claims" must be ${DEMAND_MEMBERS.claims}`);
  // None contains a line break, so the key is unique.
  const key = `${resource ?? ''}\n${scope ?? ''}`;
  return {
    key: asked === undefined ? key : `${key}\n${JSON.stringify(asked)}`,
    resource: resource ?? null,
    scope,
    ...(asked === undefined ? {} : { claims: asked }),
  };
}

function isScopes(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= 100 &&
    value.every((scope) => typeof scope === 'string' && isScope(scope))
  );
}
