// A URL that came from outside → what it is (RFC 6749 §4.1.2). Never throws, decides nothing, holds
// no state. Anyone can send such a URL: nothing in it is believed before its state was matched.
import { LIMITS } from '../base/limits.js';

/**
 * `parameters` is what the engine of the protocol validates again; it holds the code and must not
 * be logged.
 */
export type ParsedCallback =
  | { readonly kind: 'code'; readonly state: string; readonly parameters: URLSearchParams }
  | { readonly kind: 'denied'; readonly state: string; readonly parameters: URLSearchParams }
  /** Not one of the redirect URIs that are open. */
  | { readonly kind: 'foreign' }
  /** Comes to the right place, but is no answer to an authorization request. */
  | { readonly kind: 'malformed'; readonly detail: string };

/**
 * Parses `url` against the redirect URIs that are open now: scheme, host, port and path must be the
 * same.
 */
export function parseCallback(url: string, openRedirectUris: readonly string[]): ParsedCallback {
  if (url.length > LIMITS.callbackLength)
    return { kind: 'malformed', detail: 'longer than any callback' };
  if (!openRedirectUris.some((uri) => leadsTo(url, uri))) return { kind: 'foreign' };
  const parameters = new URL(url).searchParams;
  for (const name of ['state', 'code', 'error', 'iss']) {
    // RFC 6749 §3.1: parameters must not be included more than once; which one would the checks
    // mean?
    if (parameters.getAll(name).length > 1)
      return { kind: 'malformed', detail: `parameter "${name}" more than once` };
  }
  const state = parameters.get('state');
  if (state === null || state === '')
    return { kind: 'malformed', detail: 'parameter "state" missing' };
  if (parameters.has('error')) return { kind: 'denied', state, parameters };
  if ((parameters.get('code') ?? '') === '')
    return { kind: 'malformed', detail: 'neither "code" nor "error"' };
  return { kind: 'code', state, parameters };
}

/**
 * True when `url` is `redirectUri` with a query: scheme and host in any case, port and path
 * exactly. Never throws.
 */
export function leadsTo(url: string, redirectUri: string): boolean {
  try {
    const actual = new URL(url);
    const expected = new URL(redirectUri);
    return (
      actual.protocol === expected.protocol &&
      actual.host.toLowerCase() === expected.host.toLowerCase() &&
      trimmed(actual.pathname) === trimmed(expected.pathname) &&
      actual.username === '' &&
      actual.password === ''
    );
  } catch {
    return false;
  }
}

// Entra and some browsers add "/" to a redirect URI that has no path.
function trimmed(path: string): string {
  return path === '' ? '/' : path;
}
