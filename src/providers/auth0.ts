// Auth0 as data: an issuer that ends with a slash, callback URLs compared with their port, the
// audience of the API. From Auth0's documents; never tried on a live tenant.
import type {
  PreflightRule,
  ProviderFact,
  ProviderPreset,
} from '../main/core/options/provider-preset.js';
import { isHostName, oidc } from './oidc.js';

export interface Auth0Options {
  /** The tenant's domain, such as `notes.eu.auth0.com`, or a custom domain. */
  readonly domain: string;
  /**
   * The identifier of the API that access tokens are for. Without it, access tokens work only for
   * userinfo.
   */
  readonly audience?: string;
}

/** Sign-in with Auth0. */
export function auth0({ domain, audience }: Auth0Options): ProviderPreset {
  const isKnown = isHostName(domain);
  return {
    ...oidc({ issuer: `https://${isKnown ? domain : 'unknown.auth0.com'}/`, title: 'Auth0' }),
    name: 'auth0',
    authorizationParameters: audience === undefined ? {} : { audience },
    promptConsent: 'never',
    refusals: isKnown
      ? []
      : [
          'auth0({ domain }) with the name of a host as "domain", without "https://" and without a slash',
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
      'it compares callback URLs as texts, the port too, and a free port is another one each time',
    fix: 'name two or three ports, such as "http://127.0.0.1:49321/callback", and register each; or use a custom scheme',
  },
];

const CALLBACKS =
  'https://support.auth0.com/center/s/article/Callback-URL-Mismatch-Error-Is-Not-in-the-List-of-Allowed-Callback-URLs';
const ROTATION =
  'https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-rotation';
const IMPERSONATION =
  'https://auth0.com/docs/secure/security-guidance/measures-against-app-impersonation';

const FACTS: readonly ProviderFact[] = [
  {
    topic: 'registration',
    fact: 'The application type is "Native".',
    source: 'https://auth0.com/docs/get-started/applications/application-settings',
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'redirects',
    fact: 'Allowed Callback URLs are compared by exact text, including http or https, port and trailing slash.',
    source: CALLBACKS,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'redirects',
    fact: 'Custom schemes and loopback addresses are called non-verifiable, because Auth0 cannot tell which app receives them; a confirmation may be shown.',
    source: IMPERSONATION,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'scopes',
    fact: 'A refresh token needs the scope offline_access, and "Allow Offline Access" in the settings of the API.',
    source: 'https://auth0.com/docs/secure/tokens/refresh-tokens',
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'scopes',
    fact: 'Access tokens for an API need the parameter audience.',
    source: 'https://auth0.com/docs/secure/tokens/access-tokens/get-access-tokens',
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'prompt',
    fact: 'offline_access needs no prompt=consent.',
    source: 'https://auth0.com/docs/secure/tokens/refresh-tokens/get-refresh-tokens',
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'tokens',
    fact: 'With rotation the previous refresh token may be used again within the overlap period; later use ends the whole family. Switching rotation on or off ends tokens that were given out.',
    source: ROTATION,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'sign-out',
    fact: 'The metadata names a revocation endpoint. Logout in the browser goes to /oidc/logout with a URL that is allowed there.',
    source: 'https://auth0.com/docs/authenticate/login/logout/log-users-out-of-auth0',
    date: '2026-11-24',
    verified: false,
  },
];
