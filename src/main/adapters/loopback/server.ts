// A small HTTP server on loopback addresses, for the redirect and for the page that starts a sign-in:
// bounded in connections, headers and time. Knows no path and no page.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { LIMITS } from '../../core/base/limits.js';

/**
 * A browser sends its request at once. With more silent connections than this, the oldest is
 * dropped.
 */
const CONNECTIONS_MAX = 128;
/** How often a port that is free in one address family, but not in the other, is tried again. */
const PORTS_TRIED_MAX = 10;
/** How long a connection may take to send its request. */
const REQUEST_TIMEOUT_MS = 5_000;
/** In addition to the URL: cookies of other servers on this host can be large. */
const HEADERS_MAX_BYTES = 16_384;

export type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** `body`: HTML, with its headers. */
export function reply(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): void {
  response.writeHead(status, {
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers,
    Connection: 'close',
  });
  response.end(body);
}

interface SocketWatch {
  readonly opened: (socket: Socket) => void;
  readonly spoke: (socket: Socket) => void;
}

/**
 * Keeps the number of connections that have sent no request below the limit, by dropping the
 * oldest.
 */
function createSocketWatch(): SocketWatch {
  const silent = new Set<Socket>();
  return {
    opened(socket) {
      for (const oldest of silent) {
        if (silent.size < CONNECTIONS_MAX) break;
        silent.delete(oldest);
        oldest.destroy();
      }
      silent.add(socket);
      socket.on('close', () => silent.delete(socket));
    },
    spoke: (socket) => void silent.delete(socket),
  };
}

function makeServer(sockets: SocketWatch, handle: Handle): Server {
  const server = createServer({
    maxHeaderSize: LIMITS.callbackLength + HEADERS_MAX_BYTES,
    headersTimeout: REQUEST_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Node looks for late requests only every 30 s unless told.
    connectionsCheckingInterval: 1_000,
  });
  server.on('connection', sockets.opened);
  server.on('request', (request, response) => {
    sockets.spoke(request.socket);
    handle(request, response);
  });
  return server;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

export interface Listening {
  readonly port: number;
  /** Ends the server with all its connections; idempotent. */
  readonly end: () => Promise<void>;
}

/**
 * Opens the port at each address of the host. A browser may resolve `localhost` to either family,
 * and with one of them free another program could wait there for the code: both must be ours, but
 * for a family that this computer does not have.
 */
export async function listenOn(
  { host, port }: { readonly host: string; readonly port: number | null },
  handle: Handle,
): Promise<Listening | { readonly detail: string }> {
  const sockets = createSocketWatch();
  const addresses = host === 'localhost' ? ['127.0.0.1', '::1'] : [host.replace(/^\[|\]$/g, '')];
  for (let tried = 1; ; tried += 1) {
    const servers: Server[] = [];
    let chosen = port ?? 0;
    let failure: string | null = null;
    for (const address of addresses) {
      const server = makeServer(sockets, handle);
      const answer = await listen(server, address, chosen);
      if (typeof answer === 'number') {
        chosen = answer;
        servers.push(server);
      } else if (answer.code !== 'EADDRNOTAVAIL' && answer.code !== 'EAFNOSUPPORT') {
        failure = answer.code;
        break;
      }
    }
    if (failure === null && servers.length > 0)
      return {
        port: chosen,
        end: async () => {
          await Promise.all(servers.map(closed));
        },
      };
    await Promise.all(servers.map(closed));
    // A port that is free in one family may be taken in the other.
    if (failure !== 'EADDRINUSE' || port !== null || tried >= PORTS_TRIED_MAX)
      return { detail: listenDetail(failure ?? 'EADDRNOTAVAIL') };
  }
}

function listen(
  server: Server,
  host: string,
  port: number,
): Promise<number | { readonly code: string }> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ code: error.code ?? 'no code' }),
    );
    server.listen(
      { host, port, exclusive: true, ...(host === '::1' ? { ipv6Only: true } : {}) },
      () => {
        server.on('error', () => {});
        resolve((server.address() as AddressInfo).port);
      },
    );
  });
}

/** Why a port could not be opened, for the log and the error text. Exported for its unit test. */
export function listenDetail(code: string): string {
  if (code === 'EADDRINUSE') return 'the port is in use (EADDRINUSE)';
  // Hyper-V, WSL and Docker reserve blocks of ports on Windows.
  if (code === 'EACCES') return 'the port is reserved by the system (EACCES)';
  return `the port cannot be opened (${code})`;
}
