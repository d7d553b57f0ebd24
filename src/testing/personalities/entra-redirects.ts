// How Microsoft Entra compares redirect URIs, which of two alike it takes, and what its portal does
// not register. Source of all: learn.microsoft.com/entra/identity-platform/reply-url
import { parseUrl } from '../server/exchange.js';
import { withoutPort } from '../server/registration.js';
import type {
  Platform,
  RedirectMatch,
  RegisteredRedirect,
  Registration,
} from '../server/registration.js';

const LOCAL: readonly string[] = ['localhost', '127.0.0.1'];

/**
 * Case-sensitive, but the port of `localhost` does not count, and a URI without a path is one with
 * `/`. For `127.0.0.1` the page does not say it in so many words; public notes do
 * (cknotes.com/microsoft-azure-oauth2-redirect-uri-notes).
 */
export const matchEntra: RedirectMatch = (registered, asked) => {
  const wanted = comparable(asked);
  return registered.filter(({ uri }) => comparable(uri) === wanted);
};

function comparable(uri: string): string {
  const url = parseUrl(uri);
  if (url === null || !/^https?:$/.test(url.protocol)) return uri;
  return withoutPort(uri, LOCAL) ?? url.href;
}

/**
 * Takes one of several registered URIs that only differ in their port, and with it its platform.
 * The document calls it arbitrary; here they take turns, so that two sign-ins show both.
 */
export function createPick(): (fitting: readonly RegisteredRedirect[]) => Platform {
  let turn = 0;
  return (fitting) => {
    if (fitting.length > 1) turn += 1;
    return fitting[(turn + fitting.length - 1) % Math.max(fitting.length, 1)]?.platform ?? 'native';
  };
}

/** Why the portal would not take this registration; null when it would. */
export function refuseRegistration({ redirects }: Registration): string | null {
  for (const { uri, platform } of redirects) {
    const url = parseUrl(uri);
    if (uri.length > 256) return 'option "redirectUris": Entra takes at most 256 characters';
    if (/[!$'(),;]/.test(uri)) return 'option "redirectUris": Entra takes none of ! $ \' ( ) , ;';
    if (url?.hostname === '[::1]') return 'option "redirectUris": Entra does not take [::1]';
    if (url?.protocol === 'http:' && !LOCAL.includes(url.hostname))
      return 'option "redirectUris": Entra takes "http:" for localhost and 127.0.0.1 only';
    if (platform !== 'native' && !/^https?:$/.test(url?.protocol ?? ''))
      return 'option "redirectUris": Entra takes custom schemes on the platform "native" only';
  }
  return null;
}
