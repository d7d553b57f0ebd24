// Keycloak's errors: the words of the standards, and the texts beside them by which people search.
// Data only.
import { type AdviceEntry, type AdviceSource, notReadIn, readIn } from './entry.js';

const SECURING = 'https://www.keycloak.org/securing-apps/oidc-layers';
const ADMIN = 'https://www.keycloak.org/docs/latest/server_admin/';
const READ = readIn(ADMIN, '2026-11-24');
const NOT_READ = notReadIn(ADMIN);

type Words = Omit<AdviceEntry, 'provider' | 'codes' | 'links' | 'source'>;

function keycloak(code: string, source: AdviceSource, words: Words): AdviceEntry {
  return {
    provider: 'keycloak',
    codes: [code],
    links: [
      { title: 'Server administration', url: ADMIN },
      { title: 'Securing applications', url: SECURING },
    ],
    source,
    ...words,
  };
}

export const KEYCLOAK_ADVICE: readonly AdviceEntry[] = [
  keycloak('invalid_grant', NOT_READ, {
    title: 'Keycloak no longer accepts the code or the refresh token',
    what: '"Token is not active": its time is over. "Session not active": the session has ended or an administrator has ended it. "Maximum allowed refresh token reuse exceeded": it was used twice. "Code not valid": the code was late or used.',
    why: 'Without `offline_access` the refresh token ends with the session: after 30 minutes without use, by default. An app that sleeps longer is signed out.',
    fix: [
      'Offer to sign in again.',
      'Ask for `offline_access`, and give people the role of the same name; it is there by default.',
      'Realm settings → Sessions and Tokens: "SSO Session Idle", "Offline Session Idle", "Revoke Refresh Token".',
    ],
    tempting: {
      fix: 'Renewing every minute so that the session never becomes idle.',
      fails: 'A closed lid is longer than that.',
    },
    phrases: [
      'Token is not active',
      'Session not active',
      'Maximum allowed refresh token reuse exceeded',
      'Code not valid',
      'Stale token',
    ],
  }),
  keycloak('invalid_redirect_uri', readIn(SECURING, '2026-11-24'), {
    title: 'The redirect URI is not valid for this client',
    what: 'Keycloak shows "Invalid parameter: redirect_uri" in the browser, and nothing comes back to the app.',
    why: 'The URI is none of the "Valid redirect URIs". For `http://127.0.0.1` without a port any port is allowed; older versions do so only for `http://localhost`.',
    fix: [
      'Clients → the client → Settings → Valid redirect URIs: `http://127.0.0.1/callback` without a port, or your custom scheme.',
    ],
    tempting: {
      fix: 'Entering `*`.',
      fails: 'Then every page of the web can get codes of your users.',
    },
    phrases: ['Invalid parameter: redirect_uri', 'Invalid redirect uri'],
  }),
  keycloak('unauthorized_client', READ, {
    title: 'The client has a secret or may not use the standard flow',
    what: '"Invalid client or Invalid client credentials", or "Client is not allowed to initiate browser login".',
    why: '"Client authentication" is on, so Keycloak wants a secret; or "Standard flow" is off.',
    fix: [
      'Clients → the client → Settings → Capability config: "Client authentication" off, "Standard flow" on.',
    ],
    tempting: { fix: 'Shipping the secret.', fails: 'Everybody who has the app can read it.' },
    phrases: [
      'Invalid client or Invalid client credentials',
      'Client is not allowed to initiate browser login',
    ],
  }),
  keycloak('invalid_client', READ, {
    title: 'Keycloak does not accept the client',
    what: 'The client does not exist in this realm, is disabled, or wants a secret.',
    why: 'Client id and realm come from two places and are easily mixed up.',
    fix: [
      'Check `clientId` and the realm.',
      'Clients → the client → Settings → "Client authentication" off.',
    ],
  }),
  keycloak('invalid_request', NOT_READ, {
    title: 'Keycloak refuses the request',
    what: '"Missing parameter: code_challenge_method" and the like: the client demands PKCE in another form; or a parameter is there twice.',
    why: 'Latchkey always sends PKCE with S256. With "PKCE method" set to plain, they do not fit.',
    fix: [
      'Clients → the client → Advanced → "Proof Key for Code Exchange Code Challenge Method": S256 or empty.',
    ],
    phrases: [
      'Missing parameter: code_challenge_method',
      'Invalid parameter: code_challenge_method',
    ],
  }),
  keycloak('invalid_scope', NOT_READ, {
    title: 'Keycloak does not allow a scope',
    what: '"Invalid scopes": a scope is none of the client\'s.',
    why: 'Scopes have to be assigned to the client. `offline_access` is an optional one by default.',
    fix: ['Clients → the client → Client scopes: add it as optional.'],
    phrases: ['Invalid scopes'],
  }),
  keycloak('not_allowed', NOT_READ, {
    title: 'Offline tokens are not allowed for this person',
    what: '"Offline tokens not allowed for the user or client".',
    why: 'The person lacks the realm role `offline_access`, or the client has no such scope.',
    fix: [
      'Users → the person → Role mapping: `offline_access`.',
      'Or leave `offline_access` out; then the session ends when it is idle.',
    ],
    phrases: ['Offline tokens not allowed for the user or client'],
  }),
];
