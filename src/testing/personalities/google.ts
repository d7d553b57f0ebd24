// Google, for a client of type "Desktop app". Read from Google's documents and public threads; not
// tried on a live project. D1: developers.google.com/identity/protocols/oauth2/native-app · D2:
// …/oauth2/resources/loopback-migration
import { jsonAnswer, parseUrl } from '../server/exchange.js';
import type { Answer, Exchange } from '../server/exchange.js';
import { errorPage } from '../server/outcome-page.js';
import { pageAnswer } from '../server/page-frame.js';
import type { Personality, Room } from '../server/personality.js';
import {
  credentialsOf,
  parametersOf,
  scopesOf,
  withCallback,
  withMembers,
  withoutSecret,
  withParameters,
} from '../server/wire.js';

const D1 = 'Google: OAuth 2.0 for mobile and desktop apps';
const D2 = 'Google: loopback IP address flow migration guide';
const SCOPES: readonly string[] = ['openid', 'profile', 'email'];

/** Loopback only, a client secret that is not secret, a refresh token on the first consent only. */
export function createGoogle(): Personality {
  return {
    issuerPath: () => '',
    rules: [
      {
        fact: 'The endpoints are those of the discovery document. There is no endpoint to sign out or for pushed requests.',
        source: 'Google: accounts.google.com/.well-known/openid-configuration',
        paths: {
          authorization: '/o/oauth2/v2/auth',
          jwks: '/oauth2/v3/certs',
          userinfo: '/v1/userinfo',
          revocation: '/revoke',
          deviceAuthorization: '/device/code',
          endSession: null,
          pushedAuthorization: null,
          oauthMetadata: null,
        },
        on: 'discovery',
        change: (answer) =>
          withMembers(answer, (members) => ({
            ...members,
            authorization_response_iss_parameter_supported: undefined,
          })),
      },
      {
        fact: 'A desktop client takes loopback redirect URIs with any port, and no other kind.',
        source: D2,
        policy: {
          redirects: (_registered, asked) =>
            isLoopback(asked) ? [{ uri: asked, platform: 'native' }] : [],
        },
        on: 'authorization',
        judge: (exchange) =>
          isLoopback(parametersOf(exchange).get('redirect_uri') ?? '')
            ? null
            : refusalPage(
                'invalid_request',
                'Error 400: invalid_request. Custom URI scheme is not enabled for your client; use the loopback address',
              ),
      },
      {
        fact: '`offline_access` is not a scope of Google.',
        source: 'not verified; seen as "Error 400: invalid_scope"',
        on: 'authorization',
        judge: (exchange, { settings }) => {
          const unknown = scopesOf(parametersOf(exchange).get('scope')).filter(
            (scope) =>
              !SCOPES.includes(scope) &&
              !settings.scopes.includes(scope) &&
              !scope.startsWith('https://www.googleapis.com/'),
          );
          return unknown.length === 0
            ? null
            : refusalPage(
                'invalid_scope',
                `Error 400: invalid_scope. Some requested scopes were invalid: ${unknown.join(' ')}`,
              );
        },
      },
      {
        fact: 'A refresh token comes only with `access_type=offline`, at the first consent or with `prompt=consent`.',
        source: D1,
        policy: {
          extraParameters: ['access_type', 'asked_prompt'],
          givesRefreshToken: (_scopes, grant) =>
            grant?.parameters['access_type'] === 'offline' &&
            (grant.isFirst || scopesOf(grant.parameters['asked_prompt']).includes('consent')),
          // Until it is revoked, or was not used for six months.
          refreshTokenSeconds: () => 180 * 86_400,
          outlivesBrowser: () => true,
        },
        on: 'authorization',
        // oidc-provider asks for consent by itself; only what the app asked for counts.
        judge: (exchange) =>
          withParameters(exchange, { asked_prompt: parametersOf(exchange).get('prompt') }),
      },
      {
        fact: 'A desktop client gets no device codes: they are for clients of the type "TVs and Limited Input devices".',
        source:
          'Google: OAuth 2.0 for TV and limited-input device applications; the error is not verified',
        on: 'device-authorization',
        judge: () =>
          jsonAnswer(401, { error: 'invalid_client', error_description: 'Invalid client type.' }),
      },
      {
        fact: 'PKCE is supported and not required.',
        source: D1,
        policy: { pkce: 'optional' },
      },
      {
        fact: 'The token request needs the client secret, although an app cannot keep it.',
        source: `${D1}; error texts from public threads`,
        on: 'token',
        judge: (exchange, room) => judgeSecret(exchange, room) ?? withoutSecret(exchange),
      },
      {
        fact: 'The answer to a renewal contains no refresh token: the first one stays.',
        source: D1,
        policy: { rotates: false },
        on: 'token',
        change: (answer, exchange) =>
          exchange.form.get('grant_type') === 'refresh_token'
            ? withMembers(answer, (members) => ({ ...members, refresh_token: undefined }))
            : answer,
      },
      {
        fact: 'A refresh token that has ended is answered with `invalid_grant`, "Token has been expired or revoked."',
        source: 'public threads',
        on: 'token',
        change: (answer, exchange) =>
          withMembers(answer, (members) =>
            members['error'] === 'invalid_grant'
              ? { ...members, error_description: describe(exchange) }
              : members,
          ),
      },
      {
        fact: 'Callbacks name the issuer, and also `authuser` and `prompt`, which mean nothing to an app.',
        source: 'callbacks in public code and threads',
        on: 'authorization',
        change: (answer) =>
          withCallback(answer, (parameters) =>
            parameters.has('code') ? { authuser: '0', prompt: 'consent' } : {},
          ),
      },
      {
        fact: 'Revocation needs only the token, no client.',
        source: D1,
        on: 'revocation',
        judge: (exchange, { settings }) =>
          withoutSecret(withParameters(exchange, { client_id: settings.clientId })),
      },
    ],
  };
}

function isLoopback(uri: string): boolean {
  const url = parseUrl(uri);
  return url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
}

function judgeSecret(exchange: Exchange, { registration }: Room): Answer | null {
  const { clientSecret } = credentialsOf(exchange);
  if (registration.clientSecret === null || clientSecret === registration.clientSecret) return null;
  if (clientSecret === null)
    return jsonAnswer(400, {
      error: 'invalid_request',
      error_description: 'client_secret is missing.',
    });
  return jsonAnswer(401, {
    error: 'invalid_client',
    error_description: 'The provided client secret is invalid.',
  });
}

function describe(exchange: Exchange): string {
  return exchange.form.get('grant_type') === 'refresh_token'
    ? 'Token has been expired or revoked.'
    : 'Bad Request';
}

function refusalPage(error: string, text: string): Answer {
  return pageAnswer(errorPage(error, text, 400));
}
