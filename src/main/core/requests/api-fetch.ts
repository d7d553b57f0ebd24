// Requests to APIs with the token of a session (RFC 6750 §2.1). Follows redirects, repeats a request
// that an API refused with a token that may be better, and lets a token go nowhere but to an API of
// the option "apis". Knows no Electron and no session; step-up.ts says which token is better.
import type { ApiResponse } from '../../../contract.js';
import { AuthError } from '../base/errors.js';
import type { ApiNetwork } from '../base/ports.js';
import type { ApiSettings } from '../options/auth-options.js';
import type { AccountHold } from '../session/token-request.js';
import { type ApiAddress, type Requester, apiFor, isFor, isPlain, listed } from './api-list.js';
import type { Caller, RequestTokens } from './step-up.js';
import { challengeOf } from './step-up-challenge.js';

/** `RequestInit` of the Fetch Standard, and whose token it is. */
export interface ApiRequestInit extends RequestInit {
  /**
   * The `id` of an account of the view. Default: the active one. Others need the option `accounts:
   * 'several'`.
   */
  readonly account?: string;
  /**
   * `ask`: when the API demands a stronger or newer sign-in, more scopes or claims, the person signs
   * in once in the browser, and the request is repeated. Rejects as `signIn()` does if that fails.
   * Default: the answer is yours, and its `challenge` says what to ask of `signIn()`.
   */
  readonly stepUp?: 'ask';
}

/** The shape of `fetch`. */
export type ApiFetch = (
  input: string | URL | Request,
  init?: ApiRequestInit,
) => Promise<ApiResponse>;

/** Fetch Standard, "HTTP-redirect fetch". */
const REDIRECTS_MAX = 20;
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];
/** Fetch Standard, "request-body-header name". */
const BODY_HEADERS = ['content-encoding', 'content-language', 'content-location', 'content-type'];
/** Fetch Standard, "normalize a method": any other is sent as it is written. */
const NORMALIZED_METHOD = /^(delete|get|head|options|post|put)$/i;
/** Chromium sets these itself. */
const CONNECTION_HEADERS =
  'connection content-length expect host keep-alive te trailer transfer-encoding upgrade'.split(
    ' ',
  );
/** They are for the origin that they were written for. */
const CREDENTIAL_HEADERS = ['authorization', 'cookie'];

/** One request on its way, which a redirect changes. */
interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly hasBody: boolean;
  /** Null: this address gets no token any more. */
  readonly api: ApiSettings | null;
}

/** What requests ask of the sessions. */
export interface RequestSessions {
  readonly tokensFor: (caller: Caller) => RequestTokens;
  readonly hold: (accountId: string | undefined) => AccountHold;
}

/** For a page, nothing leads to an address that the list does not name for pages. */
export function createApiFetch(
  apis: readonly ApiSettings[],
  network: ApiNetwork,
  { tokensFor, hold }: RequestSessions,
  requester: Requester,
): ApiFetch {
  return async (input, { account, stepUp, ...init } = {}) => {
    if (stepUp !== undefined && (stepUp as unknown) !== 'ask')
      throw new AuthError('invalid-options', '"stepUp" must be "ask", or left out');
    const address = input instanceof Request ? input.url : String(input);
    // Before anything parses the address.
    const given = init.method ?? (input instanceof Request ? input.method : 'GET');
    const method = NORMALIZED_METHOD.test(given) ? given.toUpperCase() : given;
    const found = apiFor(apis, address, method, requester);
    const request = requestOf(input, init);
    if (request.headers.has('authorization'))
      throw new AuthError(
        'invalid-options',
        'auth.fetch() sets the header "authorization" itself: leave it out, or use fetch()',
      );
    const held = hold(account);
    const signal = AbortSignal.any([request.signal, held.signedOut]);
    let isBegun = false;
    const tokens = tokensFor({
      api: found.api,
      // As soon as there is a token: another account may become the active one meanwhile.
      get account() {
        return isBegun ? held.account() : account;
      },
      asks: stepUp === 'ask',
      signal,
    });
    const first = async (): Promise<string> => {
      const token = await tokens.first();
      isBegun = true;
      return token;
    };
    return await follow(found, request, input, init, { ...tokens, first }, signal);
  };

  async function follow(
    { api, url }: ApiAddress,
    request: Request,
    input: string | URL | Request,
    init: RequestInit,
    tokens: RequestTokens,
    signal: AbortSignal,
  ): Promise<ApiResponse> {
    const isRepeatable = !(input instanceof Request && request.body !== null) && isWhole(init.body);
    let unsent: Request | null = request;
    const body = async (): Promise<Uint8Array | ReadableStream<Uint8Array> | null> => {
      const next = unsent ?? requestOf(input, init);
      unsent = null;
      if (!hop.hasBody || next.body === null) return null;
      return isShort(init.body) && isRepeatable
        ? new Uint8Array(await next.arrayBuffer())
        : next.body;
    };
    let hop: Hop = {
      url,
      method: request.method,
      headers: ownHeaders(request.headers),
      hasBody: request.body !== null,
      api,
    };
    const cookies = init.credentials === 'include';
    const send = async (token: string | null): Promise<Response> => {
      const headers = new Headers(hop.headers);
      if (token !== null) headers.set('authorization', `Bearer ${token}`);
      return await exchanged(network, hop, headers, await body(), signal, cookies);
    };

    for (let redirects = 0; ; redirects += 1) {
      let token = hop.api === null ? null : await tokens.first();
      let response = await send(token);
      while (token !== null) {
        const better = await betterToken(tokens, token, response, isRepeatable || !hop.hasBody);
        if (better === null) break;
        await response.body?.cancel();
        token = better;
        response = await send(token);
      }
      const location = response.headers.get('location');
      const isRedirect = REDIRECT_STATUSES.includes(response.status) && location !== null;
      if (!isRedirect || request.redirect === 'manual')
        return told(response, hop.url, redirects > 0);
      if (request.redirect === 'error') throw new TypeError('fetch failed: the API redirects');
      if (redirects === REDIRECTS_MAX) throw new TypeError('fetch failed: too many redirects');
      hop = redirected(apis, hop, response.status, location);
      if (requester === 'page') requireListed(hop);
      if (hop.hasBody && !isRepeatable)
        throw new TypeError('fetch failed: the API redirects a body that is a stream');
    }
  }

  /** Chromium lets a page read another origin only if that one agrees. Main would not ask. */
  function requireListed({ url, method }: Hop): void {
    const api = listed(apis, url, method);
    if (api === null || !isFor(api, requester))
      throw new TypeError('fetch failed: the API redirects to an address that pages may not call');
  }
}

/**
 * The token to repeat a request with; null when the answer is the caller's. A renewal helps the next
 * request too; the person is asked only for one that can be sent again.
 */
async function betterToken(
  tokens: RequestTokens,
  token: string,
  response: Response,
  isRepeatable: boolean,
): Promise<string | null> {
  const challenge = challengeOf(response);
  if (challenge === null ? response.status !== 401 : !isRepeatable) return null;
  try {
    const better =
      challenge === null ? await tokens.renewed(token) : await tokens.stronger(token, challenge);
    return isRepeatable ? better : null;
  } catch (thrown) {
    await response.body?.cancel();
    throw thrown;
  }
}

/** The next address, and what may go there (Fetch Standard, "HTTP-redirect fetch"). */
function redirected(apis: readonly ApiSettings[], hop: Hop, status: number, location: string): Hop {
  if (!isPlain(location))
    throw new TypeError('fetch failed: the API redirects to something else than a web address');
  const url = new URL(location);
  url.hash = '';
  const becomesGet =
    (status === 303 && !['GET', 'HEAD'].includes(hop.method)) ||
    ((status === 301 || status === 302) && hop.method === 'POST');
  const method = becomesGet ? 'GET' : hop.method;
  const headers = new Headers(hop.headers);
  if (becomesGet) for (const name of BODY_HEADERS) headers.delete(name);
  const isSameOrigin = url.origin === hop.url.origin;
  if (!isSameOrigin) for (const name of CREDENTIAL_HEADERS) headers.delete(name);
  // What has been at another origin gets no token again, not even of an API that is listed.
  const api =
    isSameOrigin && hop.api !== null && listed(apis, url, method) === hop.api ? hop.api : null;
  return { url, method, headers, hasBody: hop.hasBody && !becomesGet, api };
}

async function exchanged(
  network: ApiNetwork,
  { url, method }: Hop,
  headers: Headers,
  body: Uint8Array | ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
  cookies: boolean,
): Promise<Response> {
  try {
    return await network.fetch(url.href, {
      method,
      headers: Object.fromEntries(headers),
      signal,
      cookies,
      ...(body === null ? {} : { body }),
    });
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    if (thrown instanceof TypeError) throw thrown;
    throw new TypeError('fetch failed', { cause: thrown });
  }
}

/** Never throws for a URL or a Request that was made already. */
function requestOf(input: string | URL | Request, init: RequestInit): Request {
  // A body that is a stream needs it, and nothing else minds.
  return new Request(input, { ...init, duplex: 'half' } as RequestInit);
}

/** It can be sent again: nobody has read it away. */
function isWhole(body: RequestInit['body']): boolean {
  return !(body instanceof ReadableStream) && !isAsyncIterable(body);
}

/** It is short, and its length is known: many servers want a Content-Length. */
function isShort(body: RequestInit['body']): boolean {
  return isWhole(body) && !(body instanceof Blob) && !(body instanceof FormData);
}

function isAsyncIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function ownHeaders(given: Headers): Headers {
  const headers = new Headers(given);
  for (const name of CONNECTION_HEADERS) headers.delete(name);
  return headers;
}

function told(response: Response, url: URL, wasRedirected: boolean): ApiResponse {
  return Object.defineProperties(response, {
    url: { value: url.href },
    redirected: { value: wasRedirected },
    challenge: { value: challengeOf(response) },
  }) as ApiResponse;
}
