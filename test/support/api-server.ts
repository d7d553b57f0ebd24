// An API on 127.0.0.1, as far as the network below it is concerned: it tells what arrived of each
// request, and by how many connections.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { listening } from './network-servers.js';

export interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  bytes: number;
  /** Null until the whole request has arrived. */
  sha256: string | null;
  /** The client ended it early. */
  cut: boolean;
}

export interface ApiServer {
  readonly origin: string;
  readonly arrived: readonly Arrived[];
  /** Connections that were ever made. */
  connections(): number;
  stop(): void;
}

/**
 * `/echo` reads the body and answers with its length; `/deaf` never reads; `/early` answers 413
 * before it reads, then hangs up; `/hang-up` does not answer; `/bytes?n` sends so many; `/cookie` sets one; `/moved` redirects to `/echo`,
 * `/to-own` to `/echo/own`.
 */
export async function startApiServer(): Promise<ApiServer> {
  const arrived: Arrived[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((request, response) => {
    const one: Arrived = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      bytes: 0,
      sha256: null,
      cut: false,
    };
    arrived.push(one);
    request.on('error', () => undefined);
    response.on('close', () => (one.cut = one.sha256 === null || !response.writableFinished));
    answer(one, request, response);
  });
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket.on('close', () => sockets.delete(socket)));
  });
  const port = await listening(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    arrived,
    connections: () => connections,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function answer(one: Arrived, request: IncomingMessage, response: ServerResponse): void {
  const [path = '', query = ''] = one.path.split('?');
  if (path === '/deaf') return;
  if (path === '/early') response.writeHead(413, { connection: 'close' }).end('too large');
  if (path === '/early' || path === '/hang-up')
    return void setTimeout(() => request.socket.resetAndDestroy(), 50);
  const hash = createHash('sha256');
  request.on('data', (chunk: Buffer) => {
    one.bytes += chunk.length;
    hash.update(chunk);
  });
  request.on('end', () => {
    one.sha256 = hash.digest('hex');
    if (path === '/cookie') response.setHeader('set-cookie', 'of-the-api=1; Path=/');
    if (path === '/moved') return void response.writeHead(307, { location: '/echo?moved' }).end();
    if (path === '/to-own') return void response.writeHead(302, { location: '/echo/own' }).end();
    if (path === '/bytes') return send(Number(query), response);
    response.end(String(one.bytes));
  });
}

function send(total: number, response: ServerResponse): void {
  let left = total;
  const more = (): void => {
    for (let full = false; !full && left > 0; left -= 65_536)
      full = !response.write(Buffer.alloc(Math.min(65_536, left), 'x'));
    if (left <= 0) response.end();
  };
  response.on('drain', more);
  more();
}
