// Parses what comes from outside: a URL that the operating system or a browser brings (RFC 6749
// §4.1.2), or a text that a person pasted. Never throws, decides nothing and holds no state. Anyone
// can send a URL, or talk a person into pasting one: trust nothing in it until its state is matched.
import { LIMITS } from '../base/limits.js';
import { leadsTo } from '../base/redirect-uri.js';

/**
 * The OAuth library validates `parameters` again. They contain the code and must not be logged.
 */
export type ParsedCallback =
  | { readonly kind: 'code'; readonly state: string; readonly parameters: URLSearchParams }
  | { readonly kind: 'denied'; readonly state: string; readonly parameters: URLSearchParams }
  /** Matches no open redirect URI. */
  | { readonly kind: 'foreign' }
  /**
   * Matches an open redirect URI, but is not an answer to an authorization request. `state` null:
   * it names none, or more than one. `detail` repeats nothing of the URL.
   */
  | { readonly kind: 'malformed'; readonly state: string | null; readonly detail: string };

/**
 * Parses `url` against the redirect URIs that are open now. Scheme, host, port and path must
 * match.
 */
export function parseCallback(url: string, openRedirectUris: readonly string[]): ParsedCallback {
  if (url.length > LIMITS.callbackLength)
    return { kind: 'malformed', state: null, detail: 'longer than a callback may be' };
  if (!openRedirectUris.some((uri) => leadsTo(url, uri))) return { kind: 'foreign' };
  const parameters = new URLSearchParams(/^[^?#]*\?([^#]*)/.exec(url)?.[1] ?? '');
  const states = parameters.getAll('state');
  const [state = ''] = states;
  if (states.length > 1)
    return { kind: 'malformed', state: null, detail: 'parameter "state" more than once' };
  if (state === '') return { kind: 'malformed', state: null, detail: 'parameter "state" missing' };
  for (const name of ['code', 'error', 'iss']) {
    // RFC 6749 §3.1: parameters must not be included more than once. A check could read one value
    // and the exchange another.
    if (parameters.getAll(name).length > 1)
      return { kind: 'malformed', state, detail: `parameter "${name}" more than once` };
  }
  // RFC 6749 §3.1: a parameter without a value counts as omitted.
  if ((parameters.get('error') ?? '') !== '') return { kind: 'denied', state, parameters };
  if ((parameters.get('code') ?? '') === '')
    return { kind: 'malformed', state, detail: 'neither "code" nor "error"' };
  return { kind: 'code', state, parameters };
}

/** A whole callback URL, or the code that an out-of-band page shows. */
export type Pasted =
  /** A URL. `parseCallback` tells whether it is a callback of this app. */
  | { readonly kind: 'url'; readonly url: string }
  /** `state` null: the page showed the code alone. */
  | { readonly kind: 'code'; readonly code: string; readonly state: string | null }
  /** `detail` is for the error text and repeats nothing of the pasted text. */
  | { readonly kind: 'unusable'; readonly detail: string };

/**
 * RFC 6749 §A.11, without the characters that separate the parts of a URL or form: they show that
 * more than the code was copied.
 */
const CODE = /^[\x21-\x7e]+$/;
const NO_CODE = /[?&<>"\\]|:\/\/|^[A-Za-z_]{1,40}=[^=]/;
/** Has a scheme and a query; a callback always has both. */
const URL_WITH_QUERY = /^[A-Za-z][A-Za-z0-9+.-]+:.*[?&]/;

/**
 * Parses any value that a page or a host gives. Removes white space around it, because copying
 * often adds some.
 */
export function parsePasted(argument: unknown): Pasted {
  if (typeof argument !== 'string')
    return { kind: 'unusable', detail: 'the pasted value is not a text' };
  // Check the length before trimming: to trim endless white space costs time too.
  if (argument.length > LIMITS.callbackLength)
    return { kind: 'unusable', detail: 'the pasted text is longer than a callback may be' };
  const text = argument.trim();
  if (text === '') return { kind: 'unusable', detail: 'nothing was pasted' };
  if (!CODE.test(text))
    return {
      kind: 'unusable',
      detail: 'the pasted text contains spaces or characters that no callback has',
    };
  if (URL_WITH_QUERY.test(text)) return { kind: 'url', url: text };
  const [code = '', state, ...more] = text.split('#');
  if (code === '' || state === '' || more.length > 0 || NO_CODE.test(code))
    return { kind: 'unusable', detail: 'the pasted text is neither a whole address nor a code' };
  return { kind: 'code', code, state: state ?? null };
}
