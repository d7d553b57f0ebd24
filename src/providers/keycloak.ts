// Keycloak as data: one issuer for each realm, any port for 127.0.0.1, sessions that end when they
// are idle. Read in Keycloak's documents; never tried on a live server by these rules.
import type { ProviderFact, ProviderPreset } from '../main/core/options/provider-preset.js';
import { isText, oidc } from './oidc.js';

export interface KeycloakOptions {
  /**
   * The server's address, such as `https://id.example.com`. Addresses of old servers end with
   * `/auth`.
   */
  readonly baseUrl: string;
  readonly realm: string;
}

/** Sign-in with Keycloak, or with Red Hat's build of it. */
export function keycloak({ baseUrl, realm }: KeycloakOptions): ProviderPreset {
  const isUrl = isText(baseUrl, /^https?:\/\/[^\s/?#]+(?:\/[^\s?#]*)?$/);
  const isRealm = isText(realm, /^[^\s/?#%]{1,255}$/);
  return {
    ...oidc({
      issuer: `${isUrl ? baseUrl.replace(/\/+$/, '') : 'https://unknown.example'}/realms/${encodeURIComponent(isRealm ? realm : 'unknown')}`,
      title: 'Keycloak',
    }),
    name: 'keycloak',
    promptConsent: 'never',
    refusals: [
      ...(isUrl ? [] : ['keycloak({ baseUrl }) with the address of the server as "baseUrl"']),
      ...(isRealm ? [] : ['keycloak({ realm }) with the name of a realm as "realm"']),
    ],
    facts: FACTS,
  };
}

const SECURING = 'https://www.keycloak.org/securing-apps/oidc-layers';
const ADMIN = 'https://www.keycloak.org/docs/latest/server_admin/';

const FACTS: readonly ProviderFact[] = [
  {
    topic: 'registration',
    fact: 'The client has "Client authentication" off and "Standard flow" on; "PKCE method" may be set to S256.',
    source: ADMIN,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'redirects',
    fact: 'http://127.0.0.1 without a port, with the path after it, allows any port. Older versions did so for http://localhost only.',
    source: SECURING,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'redirects',
    fact: 'All else is compared exactly; a star at the end of a registered URI stands for anything.',
    source: ADMIN,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'scopes',
    fact: 'offline_access gives an offline token, whose session does not end with the one of the browser.',
    source: ADMIN,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'prompt',
    fact: 'offline_access needs no prompt=consent unless the client demands consent.',
    source: ADMIN,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'tokens',
    fact: 'Without offline_access a refresh token ends with the session: after 30 minutes without use, by default.',
    source: ADMIN,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'tokens',
    fact: '"Revoke refresh token" with a reuse of 0 lets each refresh token work once, without any grace.',
    source: ADMIN,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'identity',
    fact: 'Callbacks carry iss (RFC 9207), and the metadata promises it.',
    source: SECURING,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'errors',
    fact: 'The texts beside invalid_grant tell why: "Token is not active", "Session not active", "Code not valid".',
    source: SECURING,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'sign-out',
    fact: 'The metadata names a revocation endpoint and an end_session_endpoint.',
    source: SECURING,
    date: '2026-11-24',
    verified: false,
  },
];
