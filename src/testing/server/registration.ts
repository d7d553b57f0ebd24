// What is registered for the app at the provider: redirect URIs with their platforms, and a client
// secret. Says how redirect URIs compare; what follows from a mismatch is the personality's word.
import { parseUrl } from './exchange.js';

/**
 * How a redirect URI is registered. Only Entra asks: "Mobile and desktop", "Single-page
 * application" or "Web".
 */
export type Platform = 'native' | 'spa' | 'web';

/** One registered redirect URI. */
export interface RegisteredRedirect {
  readonly uri: string;
  readonly platform: Platform;
}

/** What can be changed while the provider runs. What is left out stays as it is. */
export interface RegistrationChange {
  /** Plain texts are of platform `native`. */
  readonly redirectUris?: readonly (string | RegisteredRedirect)[];
  /** Null: none. */
  readonly clientSecret?: string | null;
  /** Only Entra asks: "Allow public client flows", without which there are no device codes. */
  readonly publicClientFlows?: boolean;
}

/** The registration, complete. */
export interface Registration {
  readonly redirects: readonly RegisteredRedirect[];
  readonly clientSecret: string | null;
  readonly publicClientFlows: boolean;
}

/** Before anything is registered. */
export const NOTHING_REGISTERED: Registration = {
  redirects: [],
  clientSecret: null,
  publicClientFlows: false,
};

const PLATFORMS: readonly unknown[] = ['native', 'spa', 'web'];

/**
 * The registration after a change. Throws a TypeError that names the option and what was expected,
 * never the value.
 */
export function changeRegistration(
  registration: Registration,
  change: RegistrationChange,
): Registration {
  const redirects = change.redirectUris?.map((entry) =>
    typeof entry === 'string' ? { uri: entry, platform: 'native' as const } : { ...entry },
  );
  if (redirects?.length === 0)
    throw new TypeError('option "redirectUris" must name at least one URI');
  if (
    redirects?.some(
      ({ uri, platform }) => parseUrl(uri) === null || !PLATFORMS.includes(platform),
    ) === true
  ) {
    throw new TypeError(
      'option "redirectUris" must be a list of URIs, or of objects with "uri" and "platform"',
    );
  }
  const { clientSecret } = change;
  if (clientSecret !== undefined && clientSecret !== null && clientSecret === '')
    throw new TypeError('option "clientSecret" must not be empty');
  return Object.freeze({
    redirects: redirects ?? registration.redirects,
    clientSecret: clientSecret === undefined ? registration.clientSecret : clientSecret,
    publicClientFlows: change.publicClientFlows ?? registration.publicClientFlows,
  });
}

/** Which registered redirect URIs fit the one that was asked for, in the order of registration. */
export type RedirectMatch = (
  registered: readonly RegisteredRedirect[],
  asked: string,
) => readonly RegisteredRedirect[];

/** Character for character. */
export const matchExactly: RedirectMatch = (registered, asked) =>
  registered.filter(({ uri }) => uri === asked);

/**
 * Character for character, but for the port of this computer (RFC 8252 §7.3; localhost as
 * oidc-provider has it).
 */
export const matchLoopbackPort: RedirectMatch = (registered, asked) => {
  const wanted = withoutPort(asked, LOOPBACK_LITERALS);
  return registered.filter(
    ({ uri }) =>
      uri === asked || (wanted !== null && withoutPort(uri, LOOPBACK_LITERALS) === wanted),
  );
};

const LOOPBACK_LITERALS: readonly string[] = ['127.0.0.1', '[::1]', 'localhost'];

/** The URL of one of these hosts, without its port; null for any other. */
export function withoutPort(uri: string, hosts: readonly string[]): string | null {
  const url = parseUrl(uri);
  if (url === null || !/^https?:$/.test(url.protocol) || !hosts.includes(url.hostname)) return null;
  url.port = '';
  return url.href;
}
