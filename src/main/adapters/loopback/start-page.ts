// A page on loopback that sends the browser on: to a URL which is too long for the operating system to
// open, or with a form that must stand in no address. One page for one visit of a browser, at an
// address that nobody can guess. Decides nothing about the URL.
import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { listenOn, reply } from './server.js';

/** A browser that starts may ask the person for a profile first. As long as an attempt, by default. */
const LIFE_MS = 300_000;
/** With more pages than this that wait for their visit, the oldest is closed. */
const PAGES_MAX = 8;

export interface StartPages {
  /** Resolves with the short address, or with null if no port can be opened on loopback. */
  open(url: string): Promise<string | null>;
  /** The same for a form that the page posts to the URL as soon as it is there. */
  openForm(
    url: string,
    fields: readonly (readonly [name: string, value: string])[],
  ): Promise<string | null>;
  /** Closes every page at once. */
  stop(): void;
}

interface StartPage {
  readonly send: (response: ServerResponse) => void;
  /** Also a visitor that says nothing of Fetch Metadata gets it once, and nobody after that. */
  readonly isSecret: boolean;
}

/** The browser keeps no page of ours: not in its history, and not behind its back button. */
const CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";
const SUBMIT = 'document.forms[0].submit()';
const SUBMIT_HASH = createHash('sha256').update(SUBMIT).digest('base64');

export function createStartPages(): StartPages {
  const ends = new Set<() => void>();
  let stopped = false;

  async function openAt(host: string, page: StartPage): Promise<string | null> {
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
      if (page.isSecret || request.headers['sec-fetch-dest'] !== undefined) {
        authority = null;
        response.once('close', end);
      }
      page.send(response);
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

  const open = async (page: StartPage): Promise<string | null> =>
    (await openAt('127.0.0.1', page)) ?? (await openAt('[::1]', page));

  return {
    open: (url) =>
      open({
        isSecret: false,
        send(response) {
          reply(response, 303, { Location: url, 'Content-Security-Policy': CSP });
        },
      }),
    openForm: (url, fields) =>
      open({
        isSecret: true,
        // No form-action: browsers apply it to the redirects that follow, which are the provider's.
        send(response) {
          const headers = {
            'Content-Type': 'text/html; charset=utf-8',
            'Content-Security-Policy': `${CSP}; script-src 'sha256-${SUBMIT_HASH}'`,
          };
          reply(response, 200, headers, formPage(url, fields));
        },
      }),
    stop() {
      stopped = true;
      for (const end of [...ends]) end();
    },
  };
}

function formPage(
  url: string,
  fields: readonly (readonly [name: string, value: string])[],
): string {
  const inputs = fields.map(
    ([name, value]) =>
      `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Sign out</title><link rel="icon" href="data:,"></head>
<body>
<form method="post" action="${escapeHtml(url)}">
${inputs.join('\n')}
<noscript><button>Sign out</button></noscript>
</form>
<script>${SUBMIT}</script>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
