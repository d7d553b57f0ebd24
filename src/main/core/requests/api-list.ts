// Which API of the option "apis" a request is for: the one decision that lets a token out. Pure.
// Judges the address as it was written, because a server may read what a URL parser tidies away
// differently. Never repeats an address: a query may hold a secret.
import { AuthError } from '../base/errors.js';
import type { ApiSettings } from '../options/auth-options.js';

export interface ApiAddress {
  readonly api: ApiSettings;
  /** Parsed, without fragment. */
  readonly url: URL;
}

/** The host, or one of its pages, which may call only what an entry with `pages: true` lists. */
export type Requester = 'host' | 'page';

/**
 * The API for an address that a caller gives. Throws when the address is not written plainly, or
 * when no entry lists its origin, path and method: `invalid-options`, or `page-refused` for a page.
 */
export function apiFor(
  apis: readonly ApiSettings[],
  address: string,
  method: string,
  requester: Requester,
): ApiAddress {
  const code = requester === 'page' ? 'page-refused' : 'invalid-options';
  if (!isPlain(address))
    throw new AuthError(
      code,
      'auth.fetch() takes absolute "http:" or "https:" URLs without user name, backslash, blank and dot segments',
    );
  const url = new URL(address);
  url.hash = '';
  const api = listed(apis, url, method);
  if (api !== null && isFor(api, requester)) return { api, url };
  if (api !== null)
    throw new AuthError(code, `pages may not call the API "${api.name}": it lacks "pages: true"`);
  const sameOrigin = apis.filter(({ origin }) => origin === url.origin);
  throw new AuthError(
    code,
    sameOrigin.length === 0
      ? `the option "apis" lists no API of ${url.origin}`
      : `the option "apis" lists ${url.origin}, but no entry with this path and the method ${method}`,
  );
}

/** Whether this entry is meant for the requester. */
export function isFor(api: ApiSettings, requester: Requester): boolean {
  return requester === 'host' || api.pages;
}

/**
 * The entry that lists this address and method, the one with the longest path if there are several.
 * Null if there is none.
 */
export function listed(apis: readonly ApiSettings[], url: URL, method: string): ApiSettings | null {
  let best: { readonly api: ApiSettings; readonly length: number } | null = null;
  for (const api of apis) {
    if (api.origin !== url.origin) continue;
    if (api.methods !== null && !api.methods.includes(method)) continue;
    for (const path of api.paths)
      if (isBelow(url.pathname, path) && path.length > (best?.length ?? -1))
        best = { api, length: path.length };
  }
  return best?.api ?? null;
}

/** Whole segments: `/v1` is above `/v1/notes`, and not above `/v10`. */
function isBelow(path: string, above: string): boolean {
  return path === above || path.startsWith(above.endsWith('/') ? above : `${above}/`);
}

const DOT_SEGMENT = /^\.{1,2}(;|%3b|$)/i;

/**
 * What every parser reads alike. Encoded dots and slashes count as what they stand for, because many
 * servers decode a path before they walk it, some twice. Servlet containers first drop what follows
 * a semicolon (RFC 3986 §3.3).
 */
export function isPlain(address: string): boolean {
  const [, authority, path] = /^https?:\/\/([^/?#]+)([^?#]*)/i.exec(address) ?? [];
  if (authority === undefined || path === undefined) return false;
  if (!/^[\x21-\x7e]+$/.test(address) || address.includes('\\') || authority.includes('@'))
    return false;
  const segments = path
    .replace(/%(25)+/g, '%')
    .replace(/%2e/gi, '.')
    .split(/\/|%2f|%5c/i);
  return URL.canParse(address) && !segments.some((segment) => DOT_SEGMENT.test(segment));
}
