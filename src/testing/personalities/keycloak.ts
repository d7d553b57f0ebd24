// Keycloak, with the settings of a fresh realm. Read from its documents, its source and public
// threads; not tried here on a live server.
import { readJsonObject } from '../server/exchange.js';
import type { Answer, Exchange } from '../server/exchange.js';
import type { Personality, Room } from '../server/personality.js';
import { scopesOf, withMembers } from '../server/wire.js';

const D1 = 'Keycloak: server administration guide, session and token timeouts';
const D2 = 'Keycloak: source, TokenManager';
/** A browser session that nobody uses. */
const SSO_IDLE_SECONDS = 1_800;
const OFFLINE_IDLE_SECONDS = 30 * 86_400;
const REALM = '/realms/{tenant}';

/**
 * Refresh tokens that live as long as the browser's session, or with `offline_access` on their own.
 */
export function createKeycloak(graceSeconds: number | null): Personality {
  const connect = `${REALM}/protocol/openid-connect`;
  return {
    issuerPath: (realm) => `/realms/${realm}`,
    rules: [
      {
        fact: 'The issuer is the realm; the endpoints are below it.',
        source: 'Keycloak: securing applications, endpoints',
        paths: {
          authorization: `${connect}/auth`,
          token: `${connect}/token`,
          jwks: `${connect}/certs`,
          userinfo: `${connect}/userinfo`,
          revocation: `${connect}/revoke`,
          endSession: `${connect}/logout`,
          pushedAuthorization: `${connect}/ext/par/request`,
          deviceAuthorization: `${connect}/auth/device`,
          openidConfiguration: `${REALM}/.well-known/openid-configuration`,
          oauthMetadata: `${REALM}/.well-known/oauth-authorization-server`,
        },
      },
      {
        fact: "Every sign-in gets a refresh token. Without `offline_access` it ends with the browser's session and after 30 idle minutes.",
        source: D1,
        policy: {
          givesRefreshToken: () => true,
          outlivesBrowser: (scopes) => scopes.has('offline_access'),
          refreshTokenSeconds: (_grant, scopes) =>
            scopes.has('offline_access') ? OFFLINE_IDLE_SECONDS : SSO_IDLE_SECONDS,
        },
      },
      {
        fact: 'Each renewal gives a new refresh token; older ones stay valid unless "Revoke Refresh Token" is on.',
        source: `${D2}; public measurements`,
        policy: { rotates: true, graceSeconds: graceSeconds ?? Infinity },
      },
      {
        fact: 'PKCE is not required unless the client says so.',
        source: 'Keycloak: server administration guide, client settings',
        policy: { pkce: 'optional' },
      },
      {
        fact: 'The description says why a refresh token is refused: "Token is not active", "Session not active", "Invalid refresh token".',
        source: D2,
        on: 'token',
        change: describeRefusal,
      },
      {
        fact: 'The answer says how long the refresh token lives: `refresh_expires_in`, 0 for one of `offline_access`.',
        source: D2,
        on: 'token',
        change: (answer) =>
          withMembers(answer, (members) =>
            'error' in members
              ? members
              : {
                  ...members,
                  refresh_expires_in: scopesOf(members['scope']).includes('offline_access')
                    ? 0
                    : SSO_IDLE_SECONDS,
                  'not-before-policy': 0,
                },
          ),
      },
      {
        fact: 'Callbacks name the issuer, and the metadata promises it.',
        source: 'Keycloak: release notes 22; not verified',
        policy: { idTokenClaims: (claims) => ({ ...claims, typ: 'ID' }) },
      },
    ],
  };
}

function describeRefusal(answer: Answer, exchange: Exchange, { look, policy }: Room): Answer {
  if (readJsonObject(answer.body)?.['error'] !== 'invalid_grant') return answer;
  return withMembers(answer, (members) => ({ ...members, error_description: reason() }));

  function reason(): string {
    if (exchange.form.get('grant_type') !== 'refresh_token') return 'Code not valid';
    const kept = look('RefreshToken', exchange.form.get('refresh_token'));
    if (kept === null) return 'Invalid refresh token';
    if (
      kept.payload['consumed'] !== undefined &&
      policy.graceSeconds !== Infinity &&
      kept.state !== 'expired'
    )
      return 'Maximum allowed refresh token reuse exceeded';
    return kept.state === 'expired' ? 'Token is not active' : 'Session not active';
  }
}
