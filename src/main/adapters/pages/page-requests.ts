// Requests of pages to APIs: one port for each. Gives the page an answer in chunks, each when it asks
// for one, and asks for the chunks of its body in the same way, so that neither side fills the
// memory. No token crosses: main makes the request. Loaded at the first request of a page.
import type { MessagePortMain } from 'electron';
import type {
  ApiResponse,
  AuthErrorView,
  PageRequest,
  PageRequestMessage,
  PageResponseMessage,
} from '../../../contract.js';
import { AuthError, stoppedError, toAuthError } from '../../core/base/errors.js';
import { LIMITS } from '../../core/base/limits.js';
import type { ApiFetch, ApiRequestInit } from '../../core/requests/api-fetch.js';
import { parsePageMessage, parsePageRequest } from '../../core/requests/page-request.js';

/** What a request needs of main. */
export interface PageRequestServer {
  /** Makes the request, for a page. */
  readonly fetch: () => Promise<ApiFetch>;
  readonly errorView: (error: AuthError) => Promise<AuthErrorView>;
  /** Those that are under way; each is stopped by its function. */
  readonly open: Set<() => void>;
  readonly isStopped: () => boolean;
}

/** Answers one request, until it is over or its document has gone. */
export async function servePageRequest(
  port: MessagePortMain,
  request: unknown,
  isTrusted: boolean,
  server: PageRequestServer,
): Promise<void> {
  const over = new AbortController();
  /** The page has gone or has lost interest: it is told nothing more. */
  let isGone = false;
  let pulled: () => void = () => undefined;
  const post = (message: PageResponseMessage): void => {
    if (!isGone) port.postMessage(message);
  };
  const upload = createUpload(() => post({ type: 'pull' }));
  const end = (reason?: unknown): void => {
    over.abort(reason);
    pulled();
  };
  const leave = (): void => {
    isGone = true;
    end();
  };
  const stop = (): void => end(stoppedError());
  port.on('close', leave);
  port.on('message', ({ data }) => {
    const message = parsePageMessage(data);
    if (message === null || message.type === 'abort') leave();
    else if (message.type === 'pull') pulled();
    else upload.take(message);
  });
  server.open.add(stop);
  port.start();
  try {
    if (!isTrusted) throw new AuthError('page-refused', 'this page may not use Latchkey');
    if (server.isStopped()) throw stoppedError();
    if (server.open.size > LIMITS.pageRequests)
      throw new TypeError(`fetch failed: pages have ${LIMITS.pageRequests} requests open`);
    const asked = parsePageRequest(request);
    const fetch = await server.fetch();
    const response = await fetch(asked.url, initOf(asked, upload.stream, over.signal));
    post(headOf(response));
    await sendBody(response);
    post({ type: 'end' });
  } catch (thrown) {
    if (!isGone) post(await failureOf(thrown, server));
  } finally {
    server.open.delete(stop);
    end();
    port.close();
  }

  /** One chunk for each that the page asks for. */
  async function sendBody({ body }: Response): Promise<void> {
    const reader = body?.getReader();
    while (reader !== undefined) {
      await new Promise<void>((resolve) => {
        pulled = resolve;
        if (over.signal.aborted) resolve();
      });
      if (over.signal.aborted) {
        await reader.cancel().catch(() => undefined);
        throw over.signal.reason;
      }
      const { done, value } = await reader.read();
      if (done) return;
      post({ type: 'chunk', bytes: value });
    }
  }
}

/** The body of a page's request. Each chunk is asked for when the network wants it. */
function createUpload(ask: () => void): {
  readonly stream: ReadableStream<Uint8Array>;
  take(message: Extract<PageRequestMessage, { type: 'chunk' | 'end' }>): void;
} {
  let arrived: ((bytes: Uint8Array | null) => void) | null = null;
  return {
    stream: new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const bytes = await new Promise<Uint8Array | null>((resolve) => {
            arrived = resolve;
            ask();
          });
          if (bytes === null) controller.close();
          else controller.enqueue(bytes);
        },
      },
      { highWaterMark: 0 },
    ),
    /** What was not asked for is dropped. */
    take(message) {
      arrived?.(message.type === 'chunk' ? message.bytes : null);
      arrived = null;
    },
  };
}

function initOf(
  { method, headers, body, redirect, withCookies, account, stepUp }: PageRequest,
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): ApiRequestInit {
  return {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    ...(body === null ? {} : { body: (body === 'stream' ? stream : body) as BodyInit }),
    redirect,
    signal,
    ...(withCookies ? { credentials: 'include' as const } : {}),
    ...(account === null ? {} : { account }),
    ...(stepUp ? { stepUp: 'ask' as const } : {}),
  };
}

/** Without cookies, which browsers hide from pages, too. */
function headOf(response: ApiResponse): PageResponseMessage {
  const { url, redirected, status, statusText, headers, body, challenge } = response;
  return {
    type: 'response',
    url,
    redirected,
    status,
    statusText,
    headers: [...headers].filter(([name]) => name !== 'set-cookie'),
    hasBody: body !== null,
    challenge,
  };
}

/** Of the network's reasons only the words of our own: they hold nothing of the request. */
async function failureOf(
  thrown: unknown,
  { errorView }: PageRequestServer,
): Promise<PageResponseMessage> {
  if (!(thrown instanceof TypeError))
    return { type: 'failed', error: await errorView(toAuthError(thrown)) };
  const { message, cause } = thrown;
  const reason = cause instanceof Error && 'trouble' in cause ? ` (${cause.message})` : '';
  return { type: 'unreachable', message: message + reason };
}
