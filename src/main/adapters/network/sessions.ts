// Sessions of Electron that are ours alone, in memory: no cookie of the app, no cache, no
// webRequest rule for its pages. They go where the app's own requests go: by what the default
// session says of its proxies, for each address.
import { session as electronSession } from 'electron';
import type { NetworkFailure } from '../../core/base/ports.js';
import { abortable } from '../../core/base/abortable.js';
import { networkFailure } from './failures.js';

/**
 * What Chromium says itself, cut as it cuts it: no name or version of the app, of Electron or of
 * the system.
 */
const SYSTEM =
  process.platform === 'win32'
    ? 'Windows NT 10.0; Win64; x64'
    : process.platform === 'darwin'
      ? 'Macintosh; Intel Mac OS X 10_15_7'
      : 'X11; Linux x86_64';
const ALL_HOSTS_TOO = '<-loopback>';
const PROXY_ROUNDS = 20;

/** A PAC result has these words (PacUtils, Chromium); proxy rules want these schemes. */
const PROXY_SCHEMES: Readonly<Record<string, string>> = {
  PROXY: 'http',
  HTTPS: 'https',
  SOCKS: 'socks4',
  SOCKS4: 'socks4',
  SOCKS5: 'socks5',
  QUIC: 'quic',
};

export interface TakenSession {
  readonly session: Electron.Session;
  /**
   * Idempotent. `clean`: the request has ended by itself, and its connection may serve the next
   * one.
   */
  release(clean: boolean): void;
}

export interface OwnSessions {
  /**
   * A session that nobody else uses until it is released. `fresh`: without any open connection, so
   * that Chromium, which repeats requests on connections that it has kept, sends the next one once.
   * Waits while all are in use. Rejects with a `NetworkFailure`, or as the signal says.
   */
  take(
    url: string,
    wish: { readonly fresh: boolean; readonly signal: AbortSignal },
  ): Promise<TakenSession>;
}

interface Slot {
  readonly session: Electron.Session;
  /** How the default session said that the last address is reached. */
  route: string | null;
  /** It may have open connections. */
  used: boolean;
}

/**
 * Sessions that are each used by one request at a time, so that its connections can be closed, and
 * its proxy set, and nobody else notices. `onNew` is called with each session before it is used. At
 * most `limit` are made, for Electron never lets go of one.
 */
export function createOwnSessions(
  partition: string,
  limit: number,
  onNew: (session: Electron.Session) => void = () => undefined,
): OwnSessions {
  /** The one that was used last stands last. */
  const idle: Slot[] = [];
  const waiting: ((slot: Slot) => void)[] = [];
  let made = 0;

  function make(): Slot {
    made += 1;
    const session = ownSession(partition, made);
    onNew(session);
    // Somebody may have used a session of this name before.
    return { session, route: null, used: true };
  }

  function pick(fresh: boolean): Slot | undefined {
    const fitting = idle.findLastIndex(({ used }) => used !== fresh);
    return idle.splice(fitting === -1 ? idle.length - 1 : fitting, 1)[0];
  }

  function giveBack(slot: Slot): void {
    const next = waiting.shift();
    if (next === undefined) idle.push(slot);
    else next(slot);
  }

  async function free(fresh: boolean, signal: AbortSignal): Promise<Slot> {
    const slot = pick(fresh) ?? (made < limit ? make() : null);
    if (slot !== null) return slot;
    return await new Promise((resolve, reject) => {
      const take = (given: Slot): void => {
        signal.removeEventListener('abort', leave);
        resolve(given);
      };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(take), 1);
        reject(signal.reason);
      };
      waiting.push(take);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  async function empty(slot: Slot): Promise<void> {
    await slot.session.closeAllConnections();
    slot.used = false;
  }

  return {
    async take(url, { fresh, signal }) {
      const route = await abortable(routeTo(url), signal);
      const slot = await free(fresh, signal);
      const prepared = (async () => {
        if (fresh && slot.used) await empty(slot);
        if (slot.route !== route) await goBy(slot, route, url);
        withoutHandlers(slot.session, url);
      })();
      try {
        await abortable(prepared, signal);
        signal.throwIfAborted();
      } catch (thrown) {
        // A caller that gave up does not wait; the session is free when it has come to rest.
        prepared.catch(() => undefined).finally(() => giveBack(slot));
        throw thrown;
      }
      slot.used = true;
      let held = true;
      return {
        session: slot.session,
        release(clean) {
          if (!held) return;
          held = false;
          if (clean) giveBack(slot);
          else
            empty(slot)
              .catch(() => undefined)
              .finally(() => giveBack(slot));
        },
      };
    },
  };
}

export function ownSession(partition: string, number: number): Electron.Session {
  const session = electronSession.fromPartition(
    number === 1 ? partition : `${partition}-${number}`,
    {
      cache: false,
    },
  );
  // At once: else Chromium fetches a dictionary for it from Google.
  session.setSpellCheckerLanguages([]);
  session.setUserAgent(
    `Mozilla/5.0 (${SYSTEM}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${(process.versions['chrome'] ?? '130').split('.', 1)[0] ?? ''}.0.0.0 Safari/537.36`,
  );
  return session;
}

/**
 * As a PAC result, such as `PROXY proxy.example.com:8080; DIRECT`. Only the address without its
 * query is shown to scripts.
 */
export async function routeTo(url: string): Promise<string> {
  const { origin, pathname } = new URL(url);
  return await electronSession.defaultSession.resolveProxy(origin + pathname);
}

export async function goBy(
  slot: Pick<Slot, 'session' | 'route'>,
  route: string,
  url: string,
): Promise<void> {
  slot.route = null;
  const { session } = slot;
  const rules = proxyRules(route);
  if (rules === null) throw unusable();
  await session.setProxy(
    rules === 'direct://'
      ? { mode: 'direct' }
      : { mode: 'fixed_servers', proxyRules: rules, proxyBypassRules: ALL_HOSTS_TOO },
  );
  // Electron says that it is set before the network has heard of it. A request must not go another
  // way meanwhile.
  const { origin, pathname } = new URL(url);
  for (let turn = 0; turn < PROXY_ROUNDS; turn += 1) {
    if (sorted(await session.resolveProxy(origin + pathname)) === sorted(route)) {
      slot.route = route;
      return;
    }
  }
  throw unusable();
}

/** Chromium's proxy rules for a PAC result; null when it names nothing that can be used. Pure. */
export function proxyRules(route: string): string | null {
  const rules = route.split(';').flatMap((entry) => {
    const [kind = '', host] = entry.trim().split(/\s+/);
    if (kind === 'DIRECT') return ['direct://'];
    const scheme = PROXY_SCHEMES[kind];
    return scheme !== undefined && host !== undefined && /^[A-Za-z0-9.:[\]_-]{1,255}$/.test(host)
      ? [`${scheme}://${host}`]
      : [];
  });
  return rules.length === 0 ? null : rules.join(',');
}

/** Proxies that did not answer are put behind the others, in each session by itself. */
function sorted(route: string): string {
  return route
    .split(';')
    .map((entry) => entry.trim().replace(/^SOCKS4 /, 'SOCKS '))
    .sort()
    .join(';');
}

function unusable(): NetworkFailure {
  return networkFailure('proxy', 'the proxy settings of the app cannot be followed');
}

/**
 * An app may answer http and https itself, and do so in each session that is made; that is for its
 * pages.
 */
export function withoutHandlers({ protocol }: Electron.Session, url: string): void {
  const scheme = new URL(url).protocol.slice(0, -1);
  if (protocol.isProtocolHandled(scheme)) protocol.unhandle(scheme);
}
