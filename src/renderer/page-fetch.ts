// auth.fetch() of a page: a request that main makes, in the shape of `fetch`. Each side asks the other
// for the next chunk of a body. Runs in a page, like index.ts.
import type {
  ApiResponse,
  AuthBridge,
  AuthErrorView,
  PageRequest,
  PageRequestInit,
  PageResponseMessage,
} from '../contract.js';

/** As main takes them (`pageRequestChunkBytes`): a chunk, and the longest body that is sent whole. */
const CHUNK_BYTES = 1_048_576;

interface Chunks {
  /** Null at the end. */
  next(): Promise<Uint8Array | null>;
  cancel(): void;
}

/** `failureOf` makes the error that a call would reject with. */
export async function fetchByMain(
  bridge: AuthBridge,
  input: string | URL | Request,
  { account, stepUp, ...init }: PageRequestInit,
  failureOf: (error: AuthErrorView) => Error,
): Promise<ApiResponse> {
  const request = new Request(input, { ...init, duplex: 'half' } as RequestInit);
  const { signal } = request;
  signal.throwIfAborted();
  const body = await bodyOf(request, input, init.body);
  signal.throwIfAborted();
  const upload = body instanceof ReadableStream ? chunksOf(body) : null;
  const head: PageRequest = {
    // As it was written: main refuses what parsers read differently.
    url: input instanceof Request ? input.url : String(input),
    method: request.method,
    headers: [...request.headers],
    body: upload === null ? (body as Uint8Array | null) : 'stream',
    redirect: request.redirect,
    withCookies: init.credentials === 'include',
    account: account ?? null,
    stepUp: stepUp === 'ask',
  };
  return await new Promise((resolve, reject) => {
    let answer: ReadableStreamDefaultController<Uint8Array> | null = null;
    let isOver = false;
    const send = bridge.openRequest(head, receive);
    signal.addEventListener('abort', abort);

    function receive(message: PageResponseMessage | null): void {
      if (isOver) return;
      if (message === null) fail(new TypeError('fetch failed: the main process ended the request'));
      else if (message.type === 'failed') fail(failureOf(message.error));
      else if (message.type === 'unreachable') fail(new TypeError(message.message));
      else if (message.type === 'pull') void sendChunk();
      else if (message.type === 'chunk') answer?.enqueue(message.bytes);
      else if (message.type === 'end') {
        end();
        answer?.close();
      } else {
        const stream = new ReadableStream<Uint8Array>(
          {
            start: (controller) => void (answer = controller),
            pull: () => send({ type: 'pull' }),
            cancel: leave,
          },
          { highWaterMark: 0 },
        );
        resolve(responseOf(message, stream));
      }
    }

    async function sendChunk(): Promise<void> {
      try {
        const bytes = (await upload?.next()) ?? null;
        if (!isOver) send(bytes === null ? { type: 'end' } : { type: 'chunk', bytes });
      } catch (thrown) {
        leave();
        fail(thrown);
      }
    }

    function abort(): void {
      leave();
      fail(signal.reason);
    }

    function leave(): void {
      if (!isOver) send({ type: 'abort' });
      end();
    }

    function fail(reason: unknown): void {
      end();
      reject(reason);
      answer?.error(reason);
    }

    function end(): void {
      isOver = true;
      signal.removeEventListener('abort', abort);
      upload?.cancel();
    }
  });
}

/** Whole if it is short and there: then main can send it again after a 401. */
async function bodyOf(
  request: Request,
  input: string | URL | Request,
  given: RequestInit['body'],
): Promise<Uint8Array | ReadableStream<Uint8Array> | null> {
  if (request.body === null) return null;
  const isLive = given instanceof ReadableStream || (input instanceof Request && !given);
  if (isLive) return request.body;
  const blob = given instanceof Blob ? given : await request.blob();
  return blob.size > CHUNK_BYTES ? blob.stream() : new Uint8Array(await blob.arrayBuffer());
}

function chunksOf(stream: ReadableStream<unknown>): Chunks {
  const reader = stream.getReader();
  let rest = new Uint8Array();
  return {
    async next() {
      while (rest.byteLength === 0) {
        const { done, value } = await reader.read();
        if (done) return null;
        if (!(value instanceof Uint8Array))
          throw new TypeError('a body that is a stream must give chunks of Uint8Array');
        rest = new Uint8Array(value);
      }
      // A copy: a part of a buffer crosses with all of it.
      const chunk = rest.slice(0, CHUNK_BYTES);
      rest = rest.subarray(CHUNK_BYTES);
      return chunk;
    },
    cancel: () => void reader.cancel().catch(() => undefined),
  };
}

function responseOf(
  head: Extract<PageResponseMessage, { type: 'response' }>,
  stream: ReadableStream<Uint8Array>,
): ApiResponse {
  const { url, redirected, status, statusText, headers, hasBody, challenge } = head;
  const response = new Response(hasBody ? stream : null, {
    status,
    statusText,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
  });
  return Object.defineProperties(response, {
    url: { value: url },
    redirected: { value: redirected },
    challenge: { value: challenge },
  }) as ApiResponse;
}
