// What a redirect URI is, byte for byte, and which callback answers it: the one comparison for all
// ways in (deep links, start arguments, loopback, pasted addresses, the doctor). Pure. Loaded before
// the app's first window, so it may import nothing.

const PARTS = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)/i;

/**
 * The text without query and fragment, in the one form of all that count as the same: scheme and
 * host in lower case, an empty authority left out, "/" for no path, no default port. A user name is
 * part of the authority, and no redirect has one. Null for a text without a scheme. Never throws.
 */
function addressOf(text: string): string | null {
  const [, name = '', authority = '', path = ''] = PARTS.exec(text) ?? [];
  const scheme = name.toLowerCase();
  if (scheme === '') return null;
  const defaultPort = scheme === 'http' ? /:80$/ : scheme === 'https' ? /:443$/ : '';
  const host = authority.toLowerCase().replace(defaultPort, '');
  // No redirect URI contains a blank, so no text with one has the address of a redirect.
  return `${scheme} ${host} ${path === '' ? '/' : path}`;
}

/**
 * True when `url` is an answer to `redirectUri`: the same but for query and fragment. Go before 1.19,
 * some desktops and some browsers write `com.example:/cb` as `com.example:///cb` (golang/go#46059),
 * or add "/" where there is no path. Never throws.
 */
export function leadsTo(url: string, redirectUri: string): boolean {
  const address = addressOf(redirectUri);
  return address !== null && addressOf(url) === address;
}

/** True when the URL has a parameter of an authorization response (RFC 6749 §4.1.2). */
export function isLikeAnswer(url: string): boolean {
  return /[?&#](?:code|error|state)=/.test(url);
}

/**
 * The `redirect_uri` to send: the registered one, with the port where it names none
 * (RFC 8252 §7.3), and otherwise byte for byte (RFC 9700 §2.1).
 */
export function loopbackUri(
  registered: { readonly uri: string; readonly port: number | null },
  port: number,
): string {
  return registered.port === null
    ? registered.uri.replace(/^[^/]+\/\/(?:\[[^\]]*\]|[^/]*)/, (origin) => `${origin}:${port}`)
    : registered.uri;
}
