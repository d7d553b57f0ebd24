// Okta as data: authorization servers below one domain, redirect URIs compared with their port,
// rotation with grace. Read in Okta's documents and support pages; never tried on a live tenant.
import type {
  PreflightRule,
  ProviderFact,
  ProviderPreset,
} from '../main/core/options/provider-preset.js';
import { isHostName, isText, oidc } from './oidc.js';

export interface OktaOptions {
  /**
   * The domain, such as `notes.okta.com`, or a custom domain. Not the domain of the admin console.
   */
  readonly domain: string;
  /**
   * The id of a custom authorization server, or `org` for the organisation's own server. Default
   * `default`.
   */
  readonly authorizationServer?: string;
}

/** Sign-in with Okta. */
export function okta({ domain, authorizationServer = 'default' }: OktaOptions): ProviderPreset {
  const isKnown = isHostName(domain) && !/-admin\.okta(?:preview)?\.com$/.test(domain);
  const isServer = isText(authorizationServer, /^[A-Za-z0-9_-]{1,64}$/);
  const host = `https://${isKnown ? domain : 'unknown.okta.com'}`;
  return {
    ...oidc({
      issuer:
        authorizationServer === 'org' || !isServer ? host : `${host}/oauth2/${authorizationServer}`,
      title: 'Okta',
    }),
    name: 'okta',
    promptConsent: 'never',
    refusals: [
      ...(isKnown
        ? []
        : [
            'okta({ domain }) with your Okta domain as "domain": without "https://" and without "-admin"',
          ]),
      ...(isServer
        ? []
        : [
            'okta({ authorizationServer }) with the id of an authorization server, "default" or "org"',
          ]),
    ],
    preflight: RULES,
    facts: FACTS,
  };
}

const RULES: readonly PreflightRule[] = [
  {
    when: { redirect: { kind: 'loopback', port: 'free' } },
    verdict: 'refuse',
    option: 'redirects',
    problem:
      'it compares redirect URIs exactly, the port too, and allows no wildcard for it; a free port is another one each time',
    fix: 'name two or three ports, such as "http://127.0.0.1:49321/callback", and register each; or use a custom scheme',
  },
];

const REDIRECTS = 'https://support.okta.com/help/s/article/openid-connect-oidc-redirect-uri';
const WILDCARDS =
  'https://support.okta.com/help/s/article/Does-Okta-Support-Wildcard-Redirect-URIs';
const REFRESH = 'https://developer.okta.com/docs/guides/refresh-tokens/main/';

const FACTS: readonly ProviderFact[] = [
  {
    topic: 'registration',
    fact: 'The application type is "Native Application"; its client authentication is "None", with PKCE.',
    source: 'https://developer.okta.com/docs/guides/implement-grant-type/authcodepkce/main/',
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'redirects',
    fact: 'The redirect_uri must exactly match a sign-in redirect URI of the app; a different port is named among the common mistakes.',
    source: REDIRECTS,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'redirects',
    fact: 'Wildcards are for subdomains only, never for a port.',
    source: WILDCARDS,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'scopes',
    fact: 'A refresh token needs the scope offline_access in the authorization request, and the grant type "Refresh Token" in the settings of the app.',
    source: REFRESH,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'prompt',
    fact: 'offline_access needs no prompt=consent.',
    source: REFRESH,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'tokens',
    fact: 'Refresh tokens of native apps persist by default. With rotation there is a grace of 0 to 60 seconds, 30 by default; later use of an old one ends the newest and all access tokens since the sign-in.',
    source: REFRESH,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'tokens',
    fact: 'By default a refresh token ends after 7 days without use.',
    source: REFRESH,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'errors',
    fact: 'A wrong redirect_uri is a page in the browser with status 400 and never comes back to the app.',
    source: REDIRECTS,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'sign-out',
    fact: 'The metadata names a revocation endpoint. Logout in the browser needs id_token_hint.',
    source: 'https://developer.okta.com/docs/guides/sign-users-out/',
    date: '2026-11-24',
    verified: false,
  },
];
