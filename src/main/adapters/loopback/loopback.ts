// Callbacks of kind 'loopback': an HTTP server on a loopback address (RFC 8252 §7.3), open for one
// redirect of an attempt. May not judge a callback: it passes the URL on and shows the outcome in
// the browser.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { LIMITS } from '../../core/base/limits.js';
import type { ResultPageSettings } from '../../core/options/auth-options.js';
import type {
  Callbacks,
  CallbackVerdict,
  PreparedRedirect,
  RedirectOption,
  AttemptOutcome,
} from '../../core/base/ports.js';
import { type ResultPage, createResultPages } from './result-page.js';

/**
 * A browser sends its request at once. With more silent connections than this, the oldest is
 * dropped.
 */
const CONNECTIONS_MAX = 128;
/** How often a port that is free in one address family, but not in the other, is tried again. */
const PORTS_TRIED_MAX = 10;
/** Copies of one callback (reload, two tabs) that may wait for the outcome. */
const WAITING_MAX = 16;
/** How long a connection may take to send its request. */
const REQUEST_TIMEOUT_MS = 5_000;
/** How long the result page stays reachable after the outcome is known. */
const GRACE_MS = 5_000;
/** In addition to the URL: cookies of other servers on this host can be large. */
const HEADERS_MAX_BYTES = 16_384;

type LoopbackOption = Extract<RedirectOption, { kind: 'loopback' }>;

interface Opened {
  readonly key: string;
  /** The outcome was shown. Only the result page is still served. */
  readonly closing: () => boolean;
  readonly end: () => Promise<void>;
}

export interface LoopbackOptions {
  /** Shown on the last page. */
  readonly appName: string;
  /** Default: English, in the default colour. */
  readonly resultPage?: Partial<ResultPageSettings>;
  /**
   * A custom scheme that leads to this app right now, for the button back from that page. Default:
   * none.
   */
  readonly openScheme?: () => string | null;
}

/** Creates the loopback callbacks. */
export function createLoopback({
  appName,
  resultPage = {},
  openScheme = () => null,
}: LoopbackOptions): Callbacks {
  const pages = createResultPages(resultPage, appName);
  const servers = new Set<Opened>();
  let listener: ((callbackUrl: string) => CallbackVerdict) | null = null;
  let stopped = false;

  async function open(option: LoopbackOption): Promise<PreparedRedirect> {
    const key = `${option.host}:${option.port ?? 0}`;
    // A fixed port may still serve the result page of the last attempt.
    for (const other of servers)
      if (option.port !== null && other.key === key && other.closing()) await other.end();
    if (stopped) return { state: 'unavailable', detail: 'stopped' };

    const sockets = createSocketWatch();
    let exchange: CallbackExchange | null = null;
    const bound = await bind(option, () =>
      makeServer(sockets, (request, response) => {
        // A visitor that comes before the address is known was not sent here.
        if (exchange === null) reply(response, 404);
        else exchange.handle(request, response);
      }),
    );
    if ('detail' in bound) return { state: 'unavailable', detail: bound.detail };

    const { servers: opening, port } = bound;
    const its = createCallbackExchange({
      origin: `http://${option.host}:${port}`,
      path: option.path,
      pageOf: (outcome) => pages(outcome, openScheme()),
      deliver: (url) => listener?.(url) ?? 'foreign',
    });
    exchange = its;
    let ended: Promise<void> | null = null;
    const opened: Opened = {
      key,
      closing: () => its.outcome() !== null,
      end: () =>
        (ended ??= (async () => {
          servers.delete(opened);
          await Promise.all(opening.map(closed));
        })()),
    };
    servers.add(opened);
    if (stopped) await opened.end();

    return {
      state: 'ready',
      redirect: {
        kind: 'loopback',
        redirectUri: `http://${option.host}:${port}${option.path}`,
        close(outcome) {
          if (its.outcome() !== null) return;
          // Nobody waits for a page: nothing more to serve.
          if (!its.settle(outcome)) void opened.end();
          else setTimeout(() => void opened.end(), GRACE_MS).unref();
        },
      },
    };
  }

  return {
    async prepare(redirect) {
      if (redirect.kind !== 'loopback')
        return { state: 'unavailable', detail: 'not a loopback redirect' };
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

interface ExchangeOptions {
  readonly origin: string;
  readonly path: string;
  readonly pageOf: (outcome: AttemptOutcome) => ResultPage;
  readonly deliver: (callbackUrl: string) => CallbackVerdict;
}

interface CallbackExchange {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Sends the outcome to every waiting browser. False if none waits. */
  readonly settle: (outcome: AttemptOutcome) => boolean;
  readonly outcome: () => AttemptOutcome | null;
}

/**
 * The requests of one attempt. The callback waits for the outcome, then redirects to a page whose
 * address contains no code.
 */
function createCallbackExchange({
  origin,
  path,
  pageOf,
  deliver,
}: ExchangeOptions): CallbackExchange {
  // As a browser writes it: the port 80 is left out.
  const { host } = new URL(origin);
  // Always longer than the callback's path, so the two never collide.
  const pagePath = (outcome: AttemptOutcome): string =>
    `${path.endsWith('/') ? path : `${path}/`}${outcome}`;
  const shown = new Set<AttemptOutcome>();
  const waiting = new Set<ServerResponse>();
  let taken: string | null = null;
  let settled: AttemptOutcome | null = null;

  function sendOn(response: ServerResponse, outcome: AttemptOutcome): void {
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

  function page(outcome: AttemptOutcome, response: ServerResponse): void {
    const { html, headers } = pageOf(outcome);
    reply(response, 200, headers, html);
  }

  return {
    handle(request, response) {
      // A name that resolves to this machine (DNS rebinding) is not this address.
      if (request.headers.host !== host) return reply(response, 400);
      // A person's browser requests this as a page. A request that another page embeds or fetches
      // is not theirs (Fetch Metadata).
      if ((request.headers['sec-fetch-dest'] ?? 'document') !== 'document')
        return reply(response, 403);
      if (request.url === undefined || request.url.length > LIMITS.callbackLength)
        return reply(response, 414);
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

function reply(
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

function makeServer(sockets: SocketWatch, handle: CallbackExchange['handle']): Server {
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

/**
 * Opens the port at each address of the host. A browser may resolve `localhost` to either family,
 * and with one of them free another program could wait there for the code: both must be ours, but
 * for a family that this computer does not have.
 */
async function bind(
  { host, port }: LoopbackOption,
  create: () => Server,
): Promise<
  { readonly servers: readonly Server[]; readonly port: number } | { readonly detail: string }
> {
  const addresses = host === 'localhost' ? ['127.0.0.1', '::1'] : [host.replace(/^\[|\]$/g, '')];
  for (let tried = 1; ; tried += 1) {
    const servers: Server[] = [];
    let chosen = port ?? 0;
    let failure: string | null = null;
    for (const address of addresses) {
      const server = create();
      const answer = await listen(server, address, chosen);
      if (typeof answer === 'number') {
        chosen = answer;
        servers.push(server);
      } else if (answer.code !== 'EADDRNOTAVAIL' && answer.code !== 'EAFNOSUPPORT') {
        failure = answer.code;
        break;
      }
    }
    if (failure === null && servers.length > 0) return { servers, port: chosen };
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
