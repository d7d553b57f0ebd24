// Okta, for a native app whose refresh tokens rotate. From Okta's documents; not tried on a live
// org.
import { jsonAnswer } from '../server/exchange.js';
import { errorPage } from '../server/outcome-page.js';
import { pageAnswer } from '../server/page-frame.js';
import type { Personality } from '../server/personality.js';
import { matchExactly } from '../server/registration.js';
import { withCallback, withMembers } from '../server/wire.js';

const D1 = 'Okta: refresh access tokens';
const SEVEN_DAYS_SECONDS = 7 * 86_400;

/** Rotation with a grace of 30 seconds; after it a reuse ends the family. */
export function createOkta(graceSeconds: number | null): Personality {
  return {
    issuerPath: () => '/oauth2/default',
    rules: [
      {
        fact: 'The issuer of the default authorization server ends in `/oauth2/default`; the endpoints are below it.',
        source: 'Okta: authorization servers',
        paths: {
          authorization: '/oauth2/default/v1/authorize',
          token: '/oauth2/default/v1/token',
          jwks: '/oauth2/default/v1/keys',
          userinfo: '/oauth2/default/v1/userinfo',
          revocation: '/oauth2/default/v1/revoke',
          endSession: '/oauth2/default/v1/logout',
          pushedAuthorization: '/oauth2/default/v1/par',
          deviceAuthorization: '/oauth2/default/v1/device/authorize',
          openidConfiguration: '/oauth2/default/.well-known/openid-configuration',
          oauthMetadata: '/oauth2/default/.well-known/oauth-authorization-server',
        },
      },
      {
        fact: 'After a rotation the previous refresh token stays valid for 0 to 60 seconds, 30 by default.',
        source: D1,
        policy: { rotates: true, graceSeconds: graceSeconds ?? 30 },
      },
      {
        fact: 'A reuse after the grace period ends the newest refresh token and all access tokens since the sign-in.',
        source: D1,
        policy: { rotates: true },
      },
      {
        fact: 'A refresh token ends when it is not used for seven days.',
        source: D1,
        policy: { refreshTokenSeconds: () => SEVEN_DAYS_SECONDS },
      },
      {
        fact: 'Redirect URIs are compared exactly, the port of a loopback address too.',
        source: 'not verified',
        policy: { redirects: matchExactly },
      },
      {
        fact: 'A refresh token that has ended is answered with `invalid_grant`, "The refresh token is invalid or expired."',
        source: 'not verified',
        on: 'token',
        change: (answer, exchange) =>
          withMembers(answer, (members) =>
            members['error'] === 'invalid_grant' &&
            exchange.form.get('grant_type') === 'refresh_token'
              ? { ...members, error_description: 'The refresh token is invalid or expired.' }
              : members,
          ),
      },
      {
        fact: 'Signing out at Okta needs an `id_token_hint`.',
        source: 'not verified',
        on: 'end-session',
        judge: (exchange) =>
          exchange.method === 'GET' &&
          !exchange.query.has('id_token_hint') &&
          exchange.path === '/session/end'
            ? pageAnswer(
                errorPage('invalid_request', "The 'id_token_hint' parameter is missing.", 400),
              )
            : null,
      },
      {
        fact: 'Callbacks do not name the issuer.',
        source: 'not verified',
        on: 'authorization',
        change: (answer) => withCallback(answer, () => ({ iss: null })),
      },
      {
        fact: 'The metadata does not promise `iss` in callbacks.',
        source: 'not verified',
        on: 'discovery',
        change: (answer) =>
          withMembers(answer, (members) => ({
            ...members,
            authorization_response_iss_parameter_supported: undefined,
          })),
      },
      {
        fact: 'Revoking an ended token succeeds.',
        source: 'RFC 7009 §2.2',
        on: 'revocation',
        change: (answer) =>
          answer.status === 200
            ? answer
            : jsonAnswer(answer.status, {
                errorCode: 'invalid_client',
                errorSummary: 'Invalid value for client_id parameter.',
              }),
      },
    ],
  };
}
