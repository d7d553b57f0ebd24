// One HTTP exchange as two values: the request and the answer. Nothing here touches the network: a
// Node request listener is run on values, so that its answer can be altered before it is sent.
import { IncomingMessage, ServerResponse } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders, RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The endpoints by their names in the standards, and `api`, the demo resource; faults and the
 * request log use these words.
 */
export type Endpoint =
  | 'discovery'
  | 'jwks'
  | 'authorization'
  | 'token'
  | 'userinfo'
  | 'revocation'
  | 'end-session'
  | 'pushed-authorization'
  | 'api'
  | 'device-authorization';

/** The whole request, in memory. */
export interface Exchange {
  readonly method: string;
  /** Path and query as received. */
  readonly url: string;
  readonly path: string;
  /** Null for the provider's own pages and for unknown paths. */
  readonly endpoint: Endpoint | null;
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
  /** Empty unless the body is `application/x-www-form-urlencoded`. */
  readonly form: URLSearchParams;
  readonly body: Buffer;
}

/** The whole response, not yet sent. Header names are lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

/** The paths of the provider; the rest are its pages. */
export const PATHS = {
  authorization: '/auth',
  token: '/token',
  jwks: '/jwks',
  userinfo: '/userinfo',
  me: '/me',
  revocation: '/token/revocation',
  endSession: '/session/end',
  pushedAuthorization: '/request',
  deviceAuthorization: '/device/auth',
  device: '/device',
  openidConfiguration: '/.well-known/openid-configuration',
  oauthMetadata: '/.well-known/oauth-authorization-server',
  interaction: '/interaction',
  api: '/api',
} as const;

/**
 * Names the endpoint of a path; the way back from the pages (`/auth/…`) belongs to `authorization`.
 */
export function readEndpoint(path: string): Endpoint | null {
  if (path === PATHS.openidConfiguration || path === PATHS.oauthMetadata) return 'discovery';
  if (path === PATHS.authorization || path.startsWith(`${PATHS.authorization}/`))
    return 'authorization';
  if (path === PATHS.userinfo || path === PATHS.me) return 'userinfo';
  if (path === PATHS.endSession || path.startsWith(`${PATHS.endSession}/`)) return 'end-session';
  if (path === PATHS.token) return 'token';
  if (path === PATHS.jwks) return 'jwks';
  if (path === PATHS.revocation) return 'revocation';
  if (path === PATHS.pushedAuthorization) return 'pushed-authorization';
  if (path === PATHS.api) return 'api';
  if (path === PATHS.deviceAuthorization) return 'device-authorization';
  return null;
}

/**
 * Makes the value of a request whose body was read. A URL that cannot be parsed gives the path `/`.
 */
export function readExchange(
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  body: Buffer,
): Exchange {
  const url = request.url ?? '/';
  const parsed = parseUrl(url, 'http://127.0.0.1') ?? new URL('http://127.0.0.1/');
  const isForm = (request.headers['content-type'] ?? '').startsWith(
    'application/x-www-form-urlencoded',
  );
  return {
    method: request.method ?? 'GET',
    url,
    path: parsed.pathname,
    endpoint: readEndpoint(parsed.pathname),
    headers: request.headers,
    query: parsed.searchParams,
    form: new URLSearchParams(isForm ? body.toString('utf8') : ''),
    body,
  };
}

/** `new URL` without the exception. */
export function parseUrl(url: string, base?: string): URL | null {
  return URL.canParse(url, base) ? new URL(url, base) : null;
}

/** A JSON answer that nobody may cache, as RFC 6749 §5.1 asks. */
export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...headers,
    },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** The JSON object in a body, or null when it is something else. */
export function readJsonObject(body: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ...value }
      : null;
  } catch {
    return null;
  }
}

/**
 * Runs a Node request listener on an exchange and resolves with its whole answer; nothing is sent.
 * `socket` only tells the listener who asks. Never rejects by itself; a listener that never ends
 * its response never resolves.
 */
export function runListener(
  listener: RequestListener,
  exchange: Exchange,
  socket: Socket,
): Promise<Answer> {
  const request = new IncomingMessage(socket);
  request.method = exchange.method;
  request.url = exchange.url;
  request.httpVersion = '1.1';
  request.headers = exchange.headers;
  // Marks the message as read to its end, so that the listener can never close the real socket.
  request.complete = true;
  request.push(exchange.body);
  request.push(null);

  const response = new ServerResponse(request);
  const chunks: Buffer[] = [];
  const keep = (chunk: unknown): void => {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  };
  return new Promise((resolve) => {
    response.write = (chunk: unknown): boolean => {
      keep(chunk);
      return true;
    };
    response.end = (chunk?: unknown): ServerResponse => {
      keep(chunk);
      resolve({
        status: response.statusCode,
        headers: readHeaders(response.getHeaders()),
        body: Buffer.concat(chunks),
      });
      return response;
    };
    listener(request, response);
  });
}

function readHeaders(headers: OutgoingHttpHeaders): Answer['headers'] {
  const read: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    // The length and the framing follow from the body that is really sent.
    if (value === undefined || name === 'content-length' || name === 'transfer-encoding') continue;
    read[name] = Array.isArray(value) ? value : String(value);
  }
  return read;
}
