// `net.request` and what Latchkey uses of a session, over Node's http and https: the events of
// Electron's, in their order, with Chromium's words for what goes wrong. Each request has a
// connection of its own. No proxy, no HTTP/2.
import { EventEmitter } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { PassThrough, pipeline } from 'node:stream';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type * as Electron from 'electron';

/** Where no answer had begun. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'ERR_CONNECTION_REFUSED',
  ENOTFOUND: 'ERR_NAME_NOT_RESOLVED',
  EAI_AGAIN: 'ERR_NAME_NOT_RESOLVED',
  ECONNRESET: 'ERR_EMPTY_RESPONSE',
  ETIMEDOUT: 'ERR_TIMED_OUT',
  EHOSTUNREACH: 'ERR_ADDRESS_UNREACHABLE',
  CERT_HAS_EXPIRED: 'ERR_CERT_DATE_INVALID',
  ERR_TLS_CERT_ALTNAME_INVALID: 'ERR_CERT_COMMON_NAME_INVALID',
};
const UNKNOWN_AUTHORITY = /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;
const REDIRECTS = [301, 302, 303, 307, 308];
const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

type SessionValues =
  | 'closeAllConnections'
  | 'resolveProxy'
  | 'setProxy'
  | 'setSpellCheckerLanguages'
  | 'setUserAgent'
  | 'setCertificateVerifyProc';

/** A session that goes out directly and keeps nothing. */
export function createFakeNetSession(): Pick<Electron.Session, SessionValues> & {
  readonly protocol: Pick<Electron.Protocol, 'isProtocolHandled' | 'unhandle'>;
} {
  return {
    closeAllConnections: async () => undefined,
    resolveProxy: async () => 'DIRECT',
    setProxy: async () => undefined,
    setSpellCheckerLanguages: () => undefined,
    setUserAgent: () => undefined,
    setCertificateVerifyProc: () => undefined,
    protocol: { isProtocolHandled: () => false, unhandle: () => undefined },
  };
}

/** One request. Follows redirects unless it is told `manual`, as Electron's does. */
export function fakeNetRequest(
  options: Electron.ClientRequestConstructorOptions | string,
): Electron.ClientRequest {
  const {
    url: first = '',
    method: firstMethod = 'GET',
    headers = {},
    redirect = 'follow',
  } = typeof options === 'string' ? { url: options } : options;
  const events = new EventEmitter();
  let sentBody: string | Buffer | undefined;
  let begun = false;
  let aborted = false;
  const fail = (word: string): void => {
    if (!aborted) events.emit('error', new Error(word));
  };
  let sent = open(first, firstMethod);

  function open(url: string, method: string): ReturnType<typeof httpRequest> {
    const address = new URL(url);
    if (address.protocol !== 'http:' && address.protocol !== 'https:')
      throw new TypeError('ClientRequest only supports http: and https: protocols');
    // Chromium is as lenient, for one with a Content-Length beside chunks.
    const how = {
      method,
      headers: { 'accept-encoding': 'gzip, deflate, br', ...headers },
      agent: false,
      insecureHTTPParser: true,
    };
    const request = (address.protocol === 'https:' ? httpsRequest : httpRequest)(address, how);
    // Errors after an abort, or after the head of an answer, are reported elsewhere or not at all.
    request.on('error', (error: NodeJS.ErrnoException) => begun || fail(`net::${wordOf(error)}`));
    request.on('response', (message) => {
      begun = true;
      const { statusCode = 0 } = message;
      const { location } = message.headers;
      if (statusCode === 407) {
        message.resume();
        return fail('net::ERR_UNEXPECTED_PROXY_AUTH');
      }
      if (REDIRECTS.includes(statusCode) && location !== undefined) {
        message.destroy();
        if (!URL.canParse(location, url)) return fail('net::ERR_INVALID_REDIRECT');
        const next = new URL(location, url).href;
        const keeps = statusCode === 307 || statusCode === 308;
        events.emit('redirect', statusCode, keeps ? method : 'GET', next, {});
        if (redirect !== 'follow') return fail('Redirect was cancelled');
        if (aborted) return;
        begun = false;
        sent = open(next, keeps ? method : 'GET');
        return void sent.end(keeps ? sentBody : undefined);
      }
      events.emit('response', answerOf(message, fail));
    });
    return request;
  }

  return Object.assign(events, {
    chunkedEncoding: false,
    write(chunk: Buffer, _encoding?: string, callback?: () => void) {
      if (!aborted) sent.write(chunk, callback);
    },
    end(body?: string | Buffer) {
      sentBody = body;
      if (!aborted) sent.end(body);
      return events;
    },
    abort() {
      if (aborted) return;
      aborted = true;
      sent.destroy();
      process.nextTick(() => events.emit('abort'));
    },
  } satisfies {
    chunkedEncoding: boolean;
    write(chunk: Buffer, encoding?: string, callback?: () => void): void;
    end(body?: string | Buffer): unknown;
    abort(): void;
  }) as unknown as Electron.ClientRequest;
}

/** Chromium decodes what comes, and reads the fields as UTF-8. */
function answerOf(
  message: IncomingMessage,
  fail: (word: string) => void,
): Electron.IncomingMessage {
  const body = (DECODERS[message.headers['content-encoding'] ?? ''] ?? (() => new PassThrough()))();
  pipeline(message, body, (error) => {
    if (error === undefined || error === null) return;
    const isWhole = message.complete;
    const word = isWhole
      ? 'net::ERR_CONTENT_DECODING_FAILED'
      : message.headers['content-length'] === undefined
        ? 'net::ERR_INCOMPLETE_CHUNKED_ENCODING'
        : 'net::ERR_CONTENT_LENGTH_MISMATCH';
    fail(word);
    body.destroy(new Error(word));
  });
  return Object.assign(body, {
    statusCode: message.statusCode ?? 0,
    statusMessage: message.statusMessage ?? '',
    rawHeaders: message.rawHeaders.map((text) => Buffer.from(text, 'latin1').toString('utf8')),
    headers: message.headers,
    httpVersion: message.httpVersion,
  }) as unknown as Electron.IncomingMessage;
}

function wordOf({ code = '' }: NodeJS.ErrnoException): string {
  if (UNKNOWN_AUTHORITY.test(code)) return 'ERR_CERT_AUTHORITY_INVALID';
  return WORDS[code] ?? (code.startsWith('HPE_') ? 'ERR_INVALID_HTTP_RESPONSE' : 'ERR_FAILED');
}
