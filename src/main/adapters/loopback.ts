// Callbacks of kind 'loopback': an HTTP server on a loopback IP literal (RFC 8252 §7.3), open for one attempt.
// May not judge a callback: it passes the URL on and shows the browser what became of it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { LIMITS } from '../core/options.js';
import type { Callbacks, CallbackVerdict, PreparedRedirect, RedirectOption, TripOutcome } from '../core/ports.js';
import { resultPage } from './result-page.js';

/** A browser opens a handful of connections; when more are open, the one that has waited longest is dropped. */
const CONNECTIONS_MAX = 32;
/** Copies of one callback (reload, two tabs) that may wait for the outcome. */
const WAITING_MAX = 16;
/** How long a connection may take to send its request. */
const REQUEST_TIMEOUT_MS = 5_000;
/** How long the result page stays reachable after the outcome is known. */
const GRACE_MS = 5_000;
/** Beside the URL: cookies of other servers on this host can be large. */
const HEADERS_MAX_BYTES = 16_384;

type LoopbackOption = Extract<RedirectOption, { kind: 'loopback' }>;

interface Opened {
  readonly key: string;
  /** The outcome is told; only the result page is still served. */
  readonly closing: () => boolean;
  readonly end: () => Promise<void>;
}

/** Creates the loopback callbacks. `appName` is shown on the page that ends the trip. */
export function createLoopback({ appName }: { readonly appName: string }): Callbacks {
  const servers = new Set<Opened>();
  let listener: ((callbackUrl: string) => CallbackVerdict) | null = null;
  let stopped = false;

  async function open(option: LoopbackOption): Promise<PreparedRedirect> {
    const key = `${option.host}:${option.port ?? 0}`;
    // A fixed port may still be showing the last trip's result page.
    for (const other of servers) if (option.port !== null && other.key === key && other.closing()) await other.end();
    if (stopped) return { state: 'unavailable', detail: 'stopped' };

    const server = createServer({
      maxHeaderSize: LIMITS.callbackLength + HEADERS_MAX_BYTES,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Node looks for late requests only every 30 s unless told.
      connectionsCheckingInterval: 1_000,
    });
    const sockets = trackSockets(server);
    const port = await listen(server, option);
    if (typeof port !== 'number') return { state: 'unavailable', detail: port.detail };

    const trip = createTrip({ origin: `http://${option.host}:${port}`, path: option.path, appName, deliver: (url) => listener?.(url) ?? 'foreign' });
    server.on('request', (request, response) => {
      sockets.keep(request.socket);
      trip.handle(request, response);
    });
    let ended: Promise<void> | null = null;
    const opened: Opened = {
      key,
      closing: () => trip.outcome() !== null,
      end: () =>
        (ended ??= new Promise<void>((resolve) => {
          servers.delete(opened);
          server.close(() => resolve());
          server.closeAllConnections();
        })),
    };
    servers.add(opened);
    if (stopped) await opened.end();

    return {
      state: 'ready',
      redirect: {
        kind: 'loopback',
        redirectUri: `http://${option.host}:${port}${option.path}`,
        close(outcome) {
          if (trip.outcome() !== null) return;
          // Nobody waits for a page: nothing more to serve.
          if (!trip.settle(outcome)) void opened.end();
          else setTimeout(() => void opened.end(), GRACE_MS).unref();
        },
      },
    };
  }

  return {
    async prepare(redirect) {
      if (redirect.kind !== 'loopback') return { state: 'unavailable', detail: 'not a loopback redirect' };
      return await open(redirect);
    },
    onCallback(next) {
      listener = next;
    },
    stop() {
      stopped = true;
      for (const opened of [...servers]) void opened.end();
    },
  };
}

interface TripOptions {
  readonly origin: string;
  readonly path: string;
  readonly appName: string;
  readonly deliver: (callbackUrl: string) => CallbackVerdict;
}

/** The requests of one trip: the callback waits for the outcome, then is sent on to a page whose address holds no code. */
function createTrip({ origin, path, appName, deliver }: TripOptions): {
  handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Tells the outcome to every browser that waits; false when none does. */
  settle: (outcome: TripOutcome) => boolean;
  outcome: () => TripOutcome | null;
} {
  const host = origin.slice('http://'.length);
  // Always longer than the callback's path, so the two never collide.
  const pagePath = (outcome: TripOutcome): string => `${path.endsWith('/') ? path : `${path}/`}${outcome}`;
  const shown = new Set<TripOutcome>();
  const waiting = new Set<ServerResponse>();
  let taken: string | null = null;
  let settled: TripOutcome | null = null;

  function sendOn(response: ServerResponse, outcome: TripOutcome): void {
    shown.add(outcome);
    reply(response, 303, { Location: pagePath(outcome) });
  }

  function callback(url: string, response: ServerResponse): void {
    if (url === taken) {
      if (settled !== null) return sendOn(response, settled);
      if (waiting.size >= WAITING_MAX) return reply(response, 429);
      return wait(response);
    }
    if (taken === null && settled === null) {
      // Set before delivering: the engine may close this redirect before it returns.
      wait(response);
      taken = url;
      const verdict = deliver(url);
      if (verdict === 'taken' || settled !== null) return;
      taken = null;
      waiting.delete(response);
    } else if (settled === null) {
      deliver(url);
    }
    sendOn(response, 'not-expected');
  }

  function wait(response: ServerResponse): void {
    waiting.add(response);
    response.on('close', () => waiting.delete(response));
  }

  function page(outcome: TripOutcome, response: ServerResponse): void {
    const { html, headers } = resultPage(outcome, appName);
    reply(response, 200, headers, html);
  }

  return {
    handle(request, response) {
      // A name that resolves to this machine (DNS rebinding) is not this address.
      if (request.headers.host !== host) return reply(response, 400);
      if (request.url === undefined || request.url.length > LIMITS.callbackLength) return reply(response, 414);
      const asked = request.url.split('?', 1)[0];
      const outcome = [...shown].find((candidate) => pagePath(candidate) === asked);
      if (asked !== path && outcome === undefined) return reply(response, 404);
      if (request.method !== 'GET') return reply(response, 405, { Allow: 'GET' });
      if (outcome === undefined) callback(origin + request.url, response);
      else page(outcome, response);
    },
    settle(outcome) {
      settled = outcome;
      const held = [...waiting];
      waiting.clear();
      for (const response of held) sendOn(response, outcome);
      return held.length > 0;
    },
    outcome: () => settled,
  };
}

function reply(response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}, body = ''): void {
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

/** Keeps the number of connections that have sent no request below the limit, by dropping the oldest. */
function trackSockets(server: Server): { keep: (socket: Socket) => void } {
  const silent = new Set<Socket>();
  server.on('connection', (socket) => {
    for (const oldest of silent) {
      if (silent.size < CONNECTIONS_MAX) break;
      silent.delete(oldest);
      oldest.destroy();
    }
    silent.add(socket);
    socket.on('close', () => silent.delete(socket));
  });
  return { keep: (socket) => void silent.delete(socket) };
}

function listen(server: Server, { host, port }: LoopbackOption): Promise<number | { readonly detail: string }> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve({ detail: listenDetail(error.code) }));
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port: port ?? 0, exclusive: true }, () => {
      server.on('error', () => {});
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function listenDetail(code: string | undefined): string {
  if (code === 'EADDRINUSE') return 'the port is in use (EADDRINUSE)';
  // Hyper-V, WSL and Docker reserve blocks of ports on Windows.
  if (code === 'EACCES') return 'the port is reserved by the system (EACCES)';
  return `the port cannot be opened (${code ?? 'no code'})`;
}
