// A page on loopback that sends the browser on to a URL which is too long for the operating system to
// open. One page for one visit of a browser, at an address that nobody can guess. Decides nothing
// about the URL.
import { randomBytes } from 'node:crypto';
import { listenOn, reply } from './server.js';

/** A browser that starts may ask the person for a profile first. As long as an attempt, by default. */
const LIFE_MS = 300_000;
/** With more pages than this that wait for their visit, the oldest is closed. */
const PAGES_MAX = 8;

export interface StartPages {
  /** Resolves with the short address, or with null if no port can be opened on loopback. */
  open(url: string): Promise<string | null>;
  /** Closes every page at once. */
  stop(): void;
}

export function createStartPages(): StartPages {
  const ends = new Set<() => void>();
  let stopped = false;

  async function openAt(host: string, url: string): Promise<string | null> {
    const path = `/${randomBytes(32).toString('base64url')}`;
    let authority: string | null = null;
    const listening = await listenOn({ host, port: null }, (request, response) => {
      if (authority === null || request.url !== path) return reply(response, 404);
      // The same as for a redirect: no other name of this computer, and no page that embeds it.
      if (request.headers.host !== authority) return reply(response, 400);
      if ((request.headers['sec-fetch-dest'] ?? 'document') !== 'document')
        return reply(response, 403);
      if (/prefetch/.test(String(request.headers['sec-purpose'] ?? request.headers['purpose'])))
        return reply(response, 403);
      if (request.method !== 'GET') return reply(response, 405, { Allow: 'GET' });
      // A program that follows links before the browser does (a scanner, a chooser of browsers) says
      // nothing of Fetch Metadata, and must not use up the visit of the person.
      if (request.headers['sec-fetch-dest'] !== undefined) {
        authority = null;
        response.once('close', end);
      }
      // The browser keeps no page of ours: not in its history, and not behind its back button.
      reply(response, 303, {
        Location: url,
        'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      });
    });
    if ('detail' in listening) return null;
    const timer = setTimeout(end, LIFE_MS);
    timer.unref();
    ends.add(end);
    if (stopped) {
      end();
      return null;
    }
    const [oldest] = ends;
    if (ends.size > PAGES_MAX) oldest?.();
    authority = `${host}:${listening.port}`;
    return `http://${authority}${path}`;

    function end(): void {
      clearTimeout(timer);
      ends.delete(end);
      if (!('detail' in listening)) void listening.end();
    }
  }

  return {
    open: async (url) => (await openAt('127.0.0.1', url)) ?? (await openAt('[::1]', url)),
    stop() {
      stopped = true;
      for (const end of [...ends]) end();
    },
  };
}
