// A server of the time before RFC 7636, RFC 9207 and RFC 9700. Many are still in use, inside
// companies above all.
import type { Personality } from '../server/personality.js';
import { withCallback, withMembers, withParameters } from '../server/wire.js';

/**
 * No rotation, no `iss` in callbacks, no PKCE; what it does not know it ignores (RFC 6749 §3.1).
 */
export function createLegacy(): Personality {
  return {
    issuerPath: () => '',
    rules: [
      {
        fact: 'Refresh tokens do not rotate: the same one is used until it ends.',
        source: 'RFC 6749 §6 leaves it open',
        policy: { rotates: false },
      },
      {
        fact: 'The answer to a renewal contains no refresh token.',
        source: 'RFC 6749 §6: a new one is optional',
        on: 'token',
        change: (answer, exchange) =>
          exchange.form.get('grant_type') === 'refresh_token'
            ? withMembers(answer, (members) => ({ ...members, refresh_token: undefined }))
            : answer,
      },
      {
        fact: 'Callbacks do not name the issuer, and the metadata does not promise it.',
        source: 'before RFC 9207',
        on: 'authorization',
        change: (answer) => withCallback(answer, () => ({ iss: null })),
      },
      {
        fact: 'PKCE is not announced, and its parameters are ignored.',
        source: 'before RFC 7636',
        policy: { pkce: 'optional' },
        on: 'discovery',
        change: (answer) =>
          withMembers(answer, (members) => ({
            ...members,
            code_challenge_methods_supported: undefined,
            authorization_response_iss_parameter_supported: undefined,
          })),
      },
      {
        fact: 'There are no device codes and no pushed requests.',
        source: 'before RFC 8628 and RFC 9126',
        paths: { deviceAuthorization: null, pushedAuthorization: null },
      },
      {
        fact: 'A verifier is ignored.',
        source: 'before RFC 7636; RFC 6749 §3.2: unknown parameters are ignored',
        on: 'token',
        judge: (exchange) => withParameters(exchange, { code_verifier: null }),
      },
      {
        fact: 'A challenge is ignored.',
        source: 'before RFC 7636; RFC 6749 §3.1: unknown parameters are ignored',
        on: 'authorization',
        judge: (exchange) =>
          withParameters(exchange, { code_challenge: null, code_challenge_method: null }),
      },
    ],
  };
}
