// One HTTP exchange with a time limit and a size limit, over the port Network. The only place that
// reads bodies. Gives the OAuth library a complete Response or throws a network error code; checks
// no OAuth content.
import { AuthError, stoppedError } from '../base/errors.js';
import { note } from '../base/evidence.js';
import { LIMITS } from '../base/limits.js';
import { httpDate, retryAfterSeconds } from '../base/backoff.js';
import type { Clock, Network, NetworkFailure, NetworkTrouble } from '../base/ports.js';

/** The form of `fetch` that the OAuth library calls. */
export type BoundedFetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: URLSearchParams | Uint8Array | string | null | undefined;
    readonly signal?: AbortSignal | undefined;
  },
) => Promise<Response>;

export interface FetchLimits {
  readonly timeoutMs: number;
  readonly responseBytes: number;
}

/**
 * Makes the fetch. It rejects with `network-timeout`, `network-failed`, `server-unavailable` (5xx,
 * 408, 429) or `response-invalid` (too large, a redirect, or not an HTTP status). With every other
 * status it resolves with the whole answer, within the limits. `ended` makes every exchange reject
 * with `stopped`, running and later ones.
 */
export function createBoundedFetch(
  network: Network,
  clock: Clock,
  limits: FetchLimits,
  ended: AbortSignal = new AbortController().signal,
): BoundedFetch {
  // One listener for all of them: Node warns of a leak from eleven on.
  const running = new Set<() => void>();
  ended.addEventListener('abort', () => {
    for (const end of [...running]) end();
  });

  return async (url, init) => {
    const abort = new AbortController();
    const host = new URL(url).host;
    if (ended.aborted) throw stoppedError();
    let status: number | undefined;
    let cancelTimer = (): void => undefined;
    let onEnd = (): void => undefined;
    const cut = new Promise<never>((_resolve, reject) => {
      const end = (error: AuthError): void => {
        reject(error);
        abort.abort();
      };
      cancelTimer = clock.after(limits.timeoutMs, () => {
        end(new AuthError('network-timeout', `no answer from "${host}" in time`));
      });
      onEnd = (): void => {
        end(stoppedError());
      };
      running.add(onEnd);
    });
    try {
      // A network that ignores its signal must not outlast the limit, so the limit races against
      // it too.
      return await Promise.race([exchange(), cut]);
    } catch (error) {
      throw error instanceof AuthError ? note(error, { url, status }) : error;
    } finally {
      cancelTimer();
      running.delete(onEnd);
    }

    async function exchange(): Promise<Response> {
      let response: Response;
      let body: Uint8Array<ArrayBuffer>;
      try {
        const request = { method: init.method, headers: { ...init.headers }, signal: abort.signal };
        response = await network.fetch(
          url,
          init.body === undefined || init.body === null
            ? request
            : { ...request, body: bodyText(init.body) },
        );
        ({ status } = response);
        body = await readBody(response, limits.responseBytes, abort);
      } catch (cause) {
        if (cause instanceof AuthError) throw cause;
        throw noAnswer(host, cause);
      }
      assertUsableStatus(response, host, clock.now());
      return rebuild(response, body);
    }
  };
}

/** What failed, and what helps. */
const TROUBLES: Readonly<Record<Exclude<NetworkTrouble, 'status'>, (host: string) => string>> = {
  unreachable: (host) => `"${host}" could not be reached`,
  'client-certificate': (host) =>
    `"${host}" asks for a client certificate, which this app cannot give: the server must not ask for one at this address`,
  'proxy-password': (host) =>
    `the proxy on the way to "${host}" asks for a password, which Latchkey does not give: let this address pass without one`,
  proxy: (host) =>
    `the proxy on the way to "${host}" does not let the request pass: check the proxy settings of the system and of the app`,
  certificate: (host) =>
    `the certificate of "${host}" is refused: this computer may lack a root certificate, or its clock may be wrong`,
  'cut-off': (host) => `the answer of "${host}" broke off before its end`,
};

function noAnswer(host: string, cause: unknown): AuthError {
  const { trouble = 'unreachable', status } = (
    cause instanceof Error ? cause : {}
  ) as Partial<NetworkFailure>;
  if (trouble === 'status')
    return new AuthError('response-invalid', `"${host}" answered with status ${status ?? 0}`, {
      cause,
    });
  return new AuthError('network-failed', TROUBLES[trouble](host), { cause });
}

function bodyText(body: URLSearchParams | Uint8Array | string): string {
  return body instanceof Uint8Array ? new TextDecoder().decode(body) : body.toString();
}

async function readBody(
  response: Response,
  maxBytes: number,
  abort: AbortController,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (response.body !== null) {
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.byteLength;
      if (length > maxBytes) {
        abort.abort();
        reader.cancel().catch(() => undefined);
        throw new AuthError('response-invalid', `the answer is larger than ${maxBytes} bytes`);
      }
      chunks.push(value);
    }
  }
  const body = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}

function assertUsableStatus(response: Response, host: string, nowMs: number): void {
  const { status } = response;
  if (status >= 500 || status === 429 || status === 408) {
    throw new AuthError('server-unavailable', `"${host}" answered with status ${status}`, {
      retryAfterSeconds: askedSeconds(response, nowMs),
    });
  }
  if (status < 200 || (status >= 300 && status < 400))
    throw new AuthError('response-invalid', `"${host}" answered with status ${status}`);
}

/**
 * A date in `Retry-After` follows the server's clock. Only the server's `Date` tells what that
 * clock shows; a cached answer has aged by its `Age`.
 */
function askedSeconds({ headers }: Response, nowMs: number): number | undefined {
  const header = headers.get('retry-after');
  const age = /^\d{1,9}$/.test(headers.get('age') ?? '') ? Number(headers.get('age')) : 0;
  const date = httpDate(headers.get('date'));
  const own = retryAfterSeconds(header, nowMs);
  const asked = date === undefined ? own : retryAfterSeconds(header, date + age * 1000);
  // A proxy's clock may be hours behind. That must not make the pause longer than by our own clock.
  return asked !== undefined && own !== undefined && asked * 1000 > LIMITS.retryAfterMaxMs
    ? Math.min(asked, own)
    : asked;
}

/**
 * The server's clock when it made this answer (RFC 9110 §6.6.1), in milliseconds since 1970, or
 * undefined. An answer with `Age` was made earlier, for another request (RFC 9111 §5.1).
 */
export function serverDate({ headers }: Response): number | undefined {
  return headers.has('age') ? undefined : httpDate(headers.get('date'));
}

/**
 * Some providers label JSON as text, or misspell its type. A body that parses as a JSON object
 * counts as JSON (RFC 8259 needs no label).
 */
function rebuild(response: Response, body: Uint8Array<ArrayBuffer>): Response {
  const headers = new Headers(response.headers);
  const type = (headers.get('content-type') ?? '').toLowerCase();
  if (!type.startsWith('application/jwt') && jsonObject(body) !== undefined)
    headers.set('content-type', 'application/json');
  headers.delete('content-encoding');
  headers.delete('content-length');
  return new Response(response.status === 204 || response.status === 205 ? null : body, {
    status: response.status,
    headers,
  });
}

/** The bytes as a JSON object, or undefined when they are not one. */
export function jsonObject(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The members that can be written as JSON again, however deep the body is: strings, numbers,
 * booleans, and lists of these.
 */
export function flatMembers(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(body).filter(
      ([, value]) => isScalar(value) || (Array.isArray(value) && value.every(isScalar)),
    ),
  );
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
