// Servers that do what servers do, by the name in the path, and count what arrived: HTTP/1.1 byte
// by byte, and HTTP/2. Both answer `/ok`, which leaves a connection that a client may keep.
import { createSecureServer, constants } from 'node:http2';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { createCertificate } from '../../src/testing/server/certificate.js';

export const TOKENS = '{"access_token":"a","refresh_token":"NEW"}';
const BOMB_BYTES = 64 * 1_048_576;
const bomb = gzipSync(Buffer.alloc(BOMB_BYTES));

export interface CountingServer {
  readonly origin: string;
  /** Requests by their path with its query, the method before it. */
  readonly requests: readonly string[];
  /** The head of each request, as it came. */
  readonly heads: readonly string[];
  /** Of what was written to `/endless`. */
  endlessBytes(): number;
  stop(): void;
}

type Http1Answer = Buffer | ((socket: Socket) => void);

const head = (text: string): Buffer => Buffer.from(`HTTP/1.1 ${text}\r\n\r\n`);
const whole = (text: string, body = TOKENS): Buffer =>
  Buffer.concat([head(`${text}\r\ncontent-length: ${Buffer.byteLength(body)}`), Buffer.from(body)]);
const thenEnd =
  (bytes: Buffer) =>
  (socket: Socket): void =>
    void socket.end(bytes);

export const HTTP1 = {
  ok: whole('200 OK'),
  'a header in UTF-8': whole('200 OK\r\nx-user: Łukasz\r\nx-shown: yes'),
  'a header in ISO-8859-1': Buffer.from(
    `HTTP/1.1 200 OK\r\nx-user: M\xfcller\r\nx-shown: yes\r\ncontent-length: ${TOKENS.length}\r\n\r\n${TOKENS}`,
    'latin1',
  ),
  'a reason in UTF-8': whole('403 Odmowa – dostępu'),
  'status 599': whole('599 X'),
  'status 600': whole('600 X'),
  'status 999': whole('999 Denied'),
  'status 204': head('204 No Content'),
  'status 304': head('304 Not Modified'),
  'status 408': whole('408 Request Timeout\r\nconnection: close'),
  'status 407': whole('407 Proxy\r\nproxy-authenticate: Basic realm="x"'),
  '401 without a challenge': whole('401 No'),
  '401 Basic': whole('401 No\r\nwww-authenticate: Basic realm="x"'),
  '401 Bearer': whole('401 No\r\nwww-authenticate: Bearer error="invalid_token"'),
  '401 Digest': whole('401 No\r\nwww-authenticate: Digest realm="x", nonce="n", qop="auth"'),
  '401 Negotiate': whole('401 No\r\nwww-authenticate: Negotiate'),
  'a redirect': whole('302 Found\r\nlocation: /ok?followed', ''),
  'a redirect that keeps the method': whole('307 Temporary\r\nlocation: /ok?followed', ''),
  'a redirect that leads nowhere': whole('303 See Other', ''),
  'early hints': Buffer.concat([
    head('103 Early Hints\r\nlink: </style.css>; rel=preload'),
    whole('200 OK'),
  ]),
  cookies: whole('200 OK\r\nset-cookie: a=b; Path=/'),
  'half an answer': thenEnd(
    Buffer.concat([head('200 OK\r\ncontent-length: 500'), Buffer.from(TOKENS)]),
  ),
  'half an answer in chunks': thenEnd(
    Buffer.concat([head('200 OK\r\ntransfer-encoding: chunked'), Buffer.from('5\r\nhello\r\n')]),
  ),
  'chunks beside a length that is wrong': Buffer.concat([
    head('200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked'),
    Buffer.from(`${TOKENS.length.toString(16)}\r\n${TOKENS}\r\n0\r\n\r\n`),
  ]),
  'a body that is no gzip': whole('200 OK\r\ncontent-encoding: gzip'),
  'a gzip bomb': Buffer.concat([
    head(`200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}`),
    bomb,
  ]),
  'no HTTP': thenEnd(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')),
  close: (socket: Socket) => void socket.end(),
  reset: (socket: Socket) => void socket.resetAndDestroy(),
  silence: () => undefined,
} satisfies Record<string, Http1Answer>;

/** An HTTP/1.1 server on 127.0.0.1. */
export async function startHttp1(): Promise<CountingServer> {
  const requests: string[] = [];
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  let endless = 0;
  const server = createServer((socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => undefined));
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      for (;;) {
        const [top, rest] = split(received, '\r\n\r\n');
        if (rest === null) return;
        const length = Number(/^content-length: (\d+)/im.exec(top)?.[1] ?? 0);
        if (rest.length < length) return;
        received = rest.slice(length);
        heads.push(top);
        answer(top, socket);
      }
    });
  });
  function answer(top: string, socket: Socket): void {
    const [method = '', path = ''] = top.split(' ');
    requests.push(`${method} ${path}`);
    const name = decodeURIComponent(path.slice(1).split('?', 1)[0] ?? '');
    if (name === 'endless') {
      socket.write(head('200 OK'));
      const more = (): void => {
        for (let full = false; !full && !socket.destroyed; endless += 65_536)
          full = !socket.write(Buffer.alloc(65_536, 'x'));
      };
      socket.on('drain', more);
      return more();
    }
    const given: Http1Answer = HTTP1[name as keyof typeof HTTP1];
    if (typeof given === 'function') given(socket);
    else socket.write(given);
  }
  const port = await listening(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    heads,
    endlessBytes: () => endless,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

type Http2Answer = (stream: ServerHttp2Stream, session: ServerHttp2Session, socket: Socket) => void;

const respond =
  (status: number, headers: Record<string, string> = {}, body = TOKENS) =>
  (stream: ServerHttp2Stream): void => {
    stream.respond({ ':status': status, ...headers });
    stream.end(body);
  };

export const HTTP2 = {
  ok: respond(200),
  'status 408': respond(408),
  'status 421': respond(421),
  '401 Basic': respond(401, { 'www-authenticate': 'Basic realm="x"' }),
  'a redirect': respond(302, { location: '/ok?followed' }, ''),
  'early hints': (stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</style.css>; rel=preload' });
    respond(200)(stream);
  },
  'half an answer': (stream) => {
    stream.respond({ ':status': 200, 'content-length': '500' });
    stream.end(TOKENS);
  },
  'half an answer, then a reset': (stream) => {
    stream.respond({ ':status': 200 });
    stream.write(TOKENS);
    setTimeout(() => stream.destroy(new Error('half')), 30);
  },
  'a gzip bomb': (stream) => {
    stream.respond({ ':status': 200, 'content-encoding': 'gzip' });
    stream.end(bomb);
  },
  'the stream is reset': (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  'the stream is refused': (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
  close: (_stream, _session, socket) => void socket.end(),
  reset: (_stream, _session, socket) => void socket.resetAndDestroy(),
  'GOAWAY after the request was taken': (stream, session) => {
    session.goaway(constants.NGHTTP2_NO_ERROR, stream.id ?? 0);
    setTimeout(() => session.destroy(), 30);
  },
} satisfies Record<string, Http2Answer>;

/** An HTTP/2 server over TLS on 127.0.0.1. */
export async function startHttp2(): Promise<CountingServer> {
  const requests: string[] = [];
  const { privateKey: key, certificate: cert } = createCertificate(Date.now());
  const sessions = new Set<ServerHttp2Session>();
  const server = createSecureServer({ key, cert });
  // Below TLS and HTTP/2, by the port that they come from.
  const sockets = new Map<number | undefined, Socket>();
  server.on('connection', (socket: Socket) => void sockets.set(socket.remotePort, socket));
  server.on('session', (session) => {
    sessions.add(session.on('close', () => sessions.delete(session)).on('error', () => undefined));
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    stream.resume().on('end', () => {
      const path = headers[':path'] ?? '';
      requests.push(`${headers[':method'] ?? ''} ${path}`);
      const given: Http2Answer =
        HTTP2[decodeURIComponent(path.slice(1).split('?', 1)[0] ?? '') as keyof typeof HTTP2];
      const session = stream.session as ServerHttp2Session;
      given(stream, session, sockets.get(session.socket.remotePort) as Socket);
    });
  });
  const port = await listening(server);
  return {
    origin: `https://127.0.0.1:${port}`,
    requests,
    heads: [],
    endlessBytes: () => 0,
    stop() {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}

export async function listening(server: Pick<Server, 'listen' | 'address'>): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function split(text: string, mark: string): readonly [string, string | null] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + mark.length)];
}
