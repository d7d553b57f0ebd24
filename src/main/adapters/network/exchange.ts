// One exchange over Electron's net stack: the app's proxy settings and the certificates of the
// operating system are honoured. `session.fetch` is not used: it throws outside of its promise at
// answers that `Headers` or `Response` cannot hold. Here no event throws, whatever a server sends.
import type { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { net } from 'electron';
import { chromiumFailure, networkFailure } from './failures.js';

/** Fetch Standard, "null body status", of those that Chromium hands on. */
const WITHOUT_BODY = [204, 205, 304];

/** What `Response` takes (RFC 9112 §4). */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]{0,200}$/;

export interface ExchangeRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  /** A stream is sent in chunks (RFC 9112 §7.1), as fast as the server takes them. */
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly signal: AbortSignal;
  /** Those of the session are sent, and what the server sets is kept there. Default false. */
  readonly cookies?: boolean;
}

/** `over` is called once: `clean` when the answer came to its end. */
export function exchange(
  session: Electron.Session,
  url: string,
  { method, headers, body, signal, cookies = false }: ExchangeRequest,
  over: (clean: boolean) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    let begun = false;
    let passwordWanted = false;
    let answer: ReadableStreamDefaultController<Uint8Array> | undefined;
    /** Null when all of the body was given to Chromium. */
    let upload: ReadableStreamDefaultReader<unknown> | null = null;
    const request = net.request({
      url,
      method,
      headers,
      session,
      redirect: 'manual',
      credentials: cookies ? 'include' : 'omit',
      useSessionCookies: cookies,
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      bypassCustomProtocolHandlers: true,
    });

    const end = (failure: { readonly reason: unknown } | null, clean = false): void => {
      if (isOver) return;
      isOver = true;
      signal.removeEventListener('abort', abort);
      if (failure !== null) {
        reject(failure.reason);
        answer?.error(failure.reason);
      }
      // A server may answer before it has taken the whole body.
      const isClean = clean && upload === null;
      if (!isClean) request.abort();
      upload?.cancel().catch(() => undefined);
      over(isClean);
    };
    const fail = (thrown: unknown): void =>
      end({ reason: chromiumFailure(thrown, { begun, passwordWanted }) });
    const abort = (): void => end({ reason: signal.reason as unknown });
    /**
     * Electron calls these outside of any promise: an error thrown there ends the app. Late and
     * double events are ignored.
     */
    const guarded =
      <Args extends unknown[]>(run: (...args: Args) => void) =>
      (...args: Args): void => {
        if (isOver) return;
        try {
          run(...args);
        } catch (thrown) {
          fail(thrown);
        }
      };

    request.on('error', guarded(fail));
    // Without an answer it waits for ever. Only proxies ask here: the server's own challenges are
    // normal answers.
    request.on('login', (info, give) => {
      passwordWanted ||= info.isProxy;
      give();
    });
    // A redirect may come from somebody other than the provider. That is a different error than no
    // answer.
    request.on(
      'redirect',
      guarded((status, _method, location) => {
        resolve(new Response(null, { status, headers: { location } }));
        end(null);
      }),
    );
    request.on(
      'response',
      guarded((response) => {
        begun = true;
        const { statusCode: status } = response;
        const incoming = response as unknown as Readable;
        incoming.on('error', guarded(fail));
        if (status === 407)
          return end({
            reason: networkFailure('proxy-password', 'the proxy answered with status 407'),
          });
        if (!(status >= 200 && status <= 599))
          return end({
            reason: networkFailure('status', 'a status that HTTP does not have', status),
          });
        incoming.on('aborted', guarded(fail));
        incoming.on('close', guarded(fail));
        let bytes = 0;
        incoming.on(
          'end',
          guarded(() => {
            if (announced !== null && bytes !== announced) return fail(undefined);
            answer?.close();
            end(null, true);
          }),
        );
        const fields = readHeaders(response.rawHeaders);
        const { statusMessage } = response;
        const head = {
          status,
          statusText: REASON_PHRASE.test(statusMessage) ? statusMessage : '',
          headers: fields,
        };
        const announced =
          method === 'HEAD' || WITHOUT_BODY.includes(status) ? null : announcedBytes(fields);
        if (WITHOUT_BODY.includes(status)) {
          incoming.resume();
          return resolve(new Response(null, head));
        }
        // Nothing is taken from Chromium before the reader wants it: an answer that never ends must
        // not fill the memory.
        incoming.pause();
        incoming.on(
          'data',
          guarded((chunk: Uint8Array) => {
            incoming.pause();
            bytes += chunk.byteLength;
            answer?.enqueue(new Uint8Array(chunk));
          }),
        );
        const source = {
          start: (controller: ReadableStreamDefaultController<Uint8Array>) =>
            void (answer = controller),
          pull: () => void incoming.resume(),
          cancel: () => end(null),
        };
        resolve(new Response(new ReadableStream<Uint8Array>(source, { highWaterMark: 0 }), head));
      }),
    );

    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    if (!(body instanceof ReadableStream)) {
      // Whole, and not as a stream: it has a Content-Length, which some servers insist on.
      request.end(typeof body === 'object' ? Buffer.from(body) : body);
      return;
    }
    request.chunkedEncoding = true;
    upload = body.getReader();
    void send(upload);

    /**
     * Electron writes a body in chunks to a stream inside of the request. That stream fails when an
     * upload is cut, and without a listener its error ends the app. What has happened is told by the
     * request itself.
     */
    function hearInnerErrors(): void {
      const { _body: inner } = request as unknown as { readonly _body?: EventEmitter };
      if (inner?.listenerCount('error') === 0) inner.on('error', () => undefined);
    }

    /** Reads no more of the stream than has been sent. */
    async function send(reader: ReadableStreamDefaultReader<unknown>): Promise<void> {
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (isOver) return;
          if (done) break;
          if (!(value instanceof Uint8Array))
            throw new TypeError('a body that is a stream must give chunks of Uint8Array');
          if (value.byteLength === 0) continue;
          await new Promise<void>((sent) => {
            request.write(Buffer.from(value), undefined, sent);
            hearInnerErrors();
          });
        }
        upload = null;
        request.end();
      } catch (reason) {
        end({ reason });
      }
    }
  });
}

/**
 * Chromium holds HTTP/1 to its Content-Length, and not HTTP/2 (RFC 9113 §8.1.1). Of a coded body it
 * does not tell the length, and beside chunks a Content-Length counts for nothing (RFC 9112 §6.3).
 */
function announcedBytes(headers: Headers): number | null {
  const length = headers.get('content-length') ?? '';
  if (headers.has('content-encoding') || headers.has('transfer-encoding')) return null;
  return /^\d{1,15}$/.test(length) ? Number(length) : null;
}

/**
 * Without those that `Headers` cannot hold, such as a name in another script: nothing that is
 * needed stands there.
 */
function readHeaders(raw: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    try {
      headers.append(raw[index] ?? '', raw[index + 1] ?? '');
    } catch {
      continue;
    }
  }
  return headers;
}
