// Parses the entries of the option "redirects" (RFC 8252 §7.1 and §7.3, RFC 8628, out-of-band
// pages). Throws "invalid-options" for an entry that no native app can use.
import { AuthError } from '../base/errors.js';
import type { RedirectOption } from '../base/ports.js';
import { isLoopback } from './syntax.js';

/**
 * Schemes of the system, of browsers or of other protocols; a private-use scheme must not be one of
 * them.
 */
const RESERVED_SCHEMES = new Set(
  `about app-settings blob chrome chrome-extension data device-code devtools dns file filesystem ftp ftps geo gopher im imap irc jar javascript ldap ldaps magnet
  mailto market mms ms-settings news nfs nntp pop res rtsp sftp shell sip sips sms smb ssh tel telnet urn vbscript view-source vscode ws wss x-apple xmpp`.split(
    /\s+/,
  ),
);

/** Parses the whole list and keeps its order. Throws `invalid-options` with what was expected. */
export function requireRedirects(value: unknown): readonly RedirectOption[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 16)
    return refuse('a list of 1 to 16 redirect URIs, "device-code" or "paste:…"');
  const redirects = (value as readonly unknown[]).map(parseRedirect);
  if (new Set(redirects.map((redirect) => redirect.uri)).size !== redirects.length)
    refuse('a list without repetition');
  return redirects;
}

function parseRedirect(entry: unknown): RedirectOption {
  if (typeof entry !== 'string' || entry.length > 2048 || !/^[\x21-\x7e]+$/.test(entry))
    return refuse('a list of URIs without spaces');
  if (entry === 'device-code') return { kind: 'device-code', uri: entry };
  if (/^paste(?::|$)/i.test(entry)) return parsePaste(entry);
  const colon = entry.indexOf(':');
  const scheme = entry.slice(0, Math.max(colon, 0)).toLowerCase();
  // On Windows, a single letter is a drive.
  if (!/^[a-z][a-z0-9+.-]+$/.test(scheme))
    return refuse('URIs that begin with a scheme like "com.example.app:" (RFC 3986 §3.1)');
  if (!URL.canParse(entry)) return refuse('absolute URIs');
  const url = new URL(entry);
  if (entry.includes('#')) return refuse('URIs without fragment (RFC 6749 §3.1.2)');
  refuseCredentials(url);
  if (scheme === 'http') return parseLoopback(entry, url);
  if (scheme === 'https')
    return refuse(
      'custom schemes or "http:" loopback URIs; "https:" redirects reach a server, not this app, and need "paste:" before them',
    );
  if (RESERVED_SCHEMES.has(scheme))
    return refuse(
      'private-use schemes such as "com.example.app:" (RFC 8252 §7.1), not a reserved one',
    );
  if (entry.includes('?')) return refuse('custom-scheme URIs without query');
  if (url.port !== '') return refuse('custom-scheme URIs without port');
  if (entry.length === colon + 1)
    return refuse('custom-scheme URIs with a path, such as "com.example.app:/callback"');
  refuseRewritten(entry, url);
  return { kind: 'custom-scheme', uri: entry, scheme };
}

function parseLoopback(entry: string, url: URL): RedirectOption {
  if (!isLoopback(url.hostname)) {
    return refuse(
      '"http:" URIs of this computer only: 127.0.0.1, [::1] or localhost (RFC 8252 §7.3)',
    );
  }
  if (entry.includes('?')) return refuse('loopback URIs without query');
  if (url.port === '0') return refuse('loopback URIs without port, or with a port from 1 to 65535');
  refuseRewritten(entry, url);
  // URL drops the port 80, although the entry names it.
  const isPort80 = /^[^/]+\/\/[^/]*:80(?:\/|$)/.test(entry);
  const port = isPort80 ? 80 : url.port === '' ? null : Number(url.port);
  return { kind: 'loopback', uri: entry, host: url.hostname, port, path: url.pathname };
}

/**
 * The person copies the code, so the page may be anywhere. But its address contains the code, so it
 * must use TLS.
 */
function parsePaste(entry: string): RedirectOption {
  const redirectUri = entry.slice('paste:'.length);
  const isOutOfBand = /^urn:ietf:wg:oauth:2\.0:oob(?::auto)?$/.test(redirectUri);
  if (
    !entry.startsWith('paste:') ||
    !(isOutOfBand || (/^https:\/\/[^/]/i.test(redirectUri) && URL.canParse(redirectUri)))
  ) {
    return refuse('"paste:" followed by an "https:" URI or "urn:ietf:wg:oauth:2.0:oob"');
  }
  refuseCredentials(new URL(redirectUri));
  refuseRewritten(redirectUri, new URL(redirectUri));
  if (/[?#]/.test(redirectUri)) return refuse('URIs to paste from without query and fragment');
  return { kind: 'paste', uri: entry, redirectUri };
}

function refuseCredentials({ username, password }: URL): void {
  if (username !== '' || password !== '') refuse('URIs without user name and password');
}

/**
 * The provider compares what is sent, byte for byte; the browser then visits it in the form of the
 * URL Standard. A URI for which these differ could not be recognized when it comes back.
 */
function refuseRewritten(entry: string, { hostname, pathname }: URL): void {
  const [, authority = '', path = ''] = /^[^:]+:(?:\/\/([^/?#]*))?([^?#]*)/.exec(entry) ?? [];
  const host = authority.toLowerCase().replace(/:[1-9]\d*$/, '');
  if ((path !== '' && path !== pathname) || host !== hostname.toLowerCase())
    refuse(
      'URIs that no browser rewrites: without ".", ".." and "\\", with the usual form of host and port',
    );
}

function refuse(expected: string): never {
  throw new AuthError('invalid-options', `option "redirects" must be ${expected}`);
}
