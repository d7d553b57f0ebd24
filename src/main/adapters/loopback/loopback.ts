// Callbacks of kind 'loopback': an HTTP server on a loopback address (RFC 8252 §7.3), open for one
// redirect of an attempt. May not judge a callback: it passes the URL on and shows the outcome in
// the browser.
import type { ServerResponse } from 'node:http';
import { type NearMiss, createNearMisses } from '../../core/base/near-misses.js';
import { isLikeAnswer, leadsTo, loopbackUri } from '../../core/base/redirect-uri.js';
import { LIMITS } from '../../core/base/limits.js';
import type { ResultPageSettings } from '../../core/options/auth-options.js';
import type {
  Callbacks,
  CallbackVerdict,
  Log,
  PreparedRedirect,
  RedirectOption,
  PageOutcome,
} from '../../core/base/ports.js';
import { type ResultPage, createResultPages } from './result-page.js';
import { type Handle, listenOn, reply } from './server.js';

/** Copies of one callback (reload, two tabs) that may wait for the outcome. */
const WAITING_MAX = 16;
/** How long the result page stays reachable after the outcome is known. */
const GRACE_MS = 5_000;

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
  readonly log: Log;
}

/** Creates the loopback callbacks. */
export function createLoopback({
  appName,
  resultPage = {},
  openScheme = () => null,
  log,
}: LoopbackOptions): Callbacks {
  const pages = createResultPages(resultPage, appName);
  const tellNearMiss = createNearMisses(log);
  const servers = new Set<Opened>();
  let listener: ((callbackUrl: string) => CallbackVerdict) | null = null;
  let stopped = false;

  async function open(option: LoopbackOption): Promise<PreparedRedirect> {
    const key = `${option.host}:${option.port ?? 0}`;
    // A fixed port may still serve the result page of the last attempt.
    for (const other of servers)
      if (option.port !== null && other.key === key && other.closing()) await other.end();
    if (stopped) return { state: 'unavailable', detail: 'stopped' };

    let exchange: CallbackExchange | null = null;
    const listening = await listenOn(option, (request, response) => {
      // A visitor that comes before the address is known was not sent here.
      if (exchange === null) reply(response, 404);
      else exchange.handle(request, response);
    });
    if ('detail' in listening) return { state: 'unavailable', detail: listening.detail };

    const { port } = listening;
    const redirectUri = loopbackUri(option, port);
    const its = createCallbackExchange({
      origin: `http://${option.host}:${port}`,
      redirectUri,
      path: option.path,
      tellNearMiss,
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
          await listening.end();
        })()),
    };
    servers.add(opened);
    if (stopped) await opened.end();

    return {
      state: 'ready',
      redirect: {
        kind: 'loopback',
        redirectUri,
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
  readonly redirectUri: string;
  readonly path: string;
  readonly tellNearMiss: (kind: NearMiss) => void;
  readonly pageOf: (outcome: PageOutcome) => ResultPage;
  readonly deliver: (callbackUrl: string) => CallbackVerdict;
}

interface CallbackExchange {
  readonly handle: Handle;
  /** Sends the outcome to every waiting browser. False if none waits. */
  readonly settle: (outcome: PageOutcome) => boolean;
  readonly outcome: () => PageOutcome | null;
}

/**
 * The requests of one attempt. The callback waits for the outcome, then redirects to a page whose
 * address contains no code.
 */
function createCallbackExchange({
  origin,
  redirectUri,
  path,
  tellNearMiss,
  pageOf,
  deliver,
}: ExchangeOptions): CallbackExchange {
  // As a browser writes it: the port 80 is left out.
  const { host } = new URL(origin);
  // Always longer than the callback's path, so the two never collide.
  const pagePath = (outcome: PageOutcome): string =>
    `${path.endsWith('/') ? path : `${path}/`}${outcome}`;
  const shown = new Set<PageOutcome>();
  const waiting = new Set<ServerResponse>();
  let taken: string | null = null;
  let settled: PageOutcome | null = null;

  function sendOn(response: ServerResponse, outcome: PageOutcome): void {
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

  function page(outcome: PageOutcome, response: ServerResponse): void {
    const { html, headers } = pageOf(outcome);
    reply(response, 200, headers, html);
  }

  return {
    handle(request, response) {
      const url = origin + (request.url ?? '');
      const isOurs = leadsTo(url, redirectUri);
      const isNear = isOurs || isLikeAnswer(url);
      const refuse = (kind: NearMiss, status: number, headers?: Record<string, string>): void => {
        if (isNear) tellNearMiss(kind);
        reply(response, status, headers);
      };
      // A name that resolves to this machine (DNS rebinding) is not this address.
      if (request.headers.host !== host) return refuse('loopback host', 400);
      // A person's browser requests this as a page. A request that another page embeds or fetches
      // is not theirs (Fetch Metadata).
      if ((request.headers['sec-fetch-dest'] ?? 'document') !== 'document')
        return refuse('loopback page', 403);
      if (url.length - origin.length > LIMITS.callbackLength) return refuse('loopback length', 414);
      const asked = request.url?.split('?', 1)[0];
      const outcome = [...shown].find((candidate) => pagePath(candidate) === asked);
      if (!isOurs && outcome === undefined) return refuse('loopback path', 404);
      if (request.method !== 'GET') return refuse('loopback method', 405, { Allow: 'GET' });
      if (outcome === undefined) callback(url, response);
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
