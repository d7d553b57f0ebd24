// What a client without the scope `openid` needs: a place that tells who signed in, and metadata
// that promises no more. oidc-provider's userinfo endpoint refuses such tokens, as OpenID Connect
// Core §5.3 lets it.
import type { Provider as OidcProvider } from 'oidc-provider';
import { jsonAnswer, PATHS, readJsonObject } from './exchange.js';
import type { Answer, Exchange } from './exchange.js';
import type { People } from './people.js';

/**
 * Answers `/me`: `sub` always, `aud` of a token for a resource (RFC 8707), names with the scope
 * `profile`, the address with `email`; 401 without a valid token (RFC 6750 §3.1).
 */
export async function answerMe(
  oidc: OidcProvider,
  people: People,
  exchange: Exchange,
): Promise<Answer> {
  const value = /^Bearer +(\S+)$/i.exec(exchange.headers.authorization ?? '')?.[1];
  if (value === undefined)
    return jsonAnswer(401, { error: 'invalid_request' }, { 'www-authenticate': 'Bearer' });
  const accessToken = await oidc.AccessToken.find(value);
  const grant =
    accessToken?.grantId === undefined ? undefined : await oidc.Grant.find(accessToken.grantId);
  const account = people.find(accessToken?.accountId ?? '');
  if (accessToken === undefined || grant === undefined || account === null) {
    return jsonAnswer(
      401,
      { error: 'invalid_token' },
      { 'www-authenticate': 'Bearer error="invalid_token"' },
    );
  }
  const { email, ...profile } = account.claims;
  return jsonAnswer(200, {
    sub: account.subject,
    ...(accessToken.aud === undefined ? {} : { aud: accessToken.aud }),
    ...(accessToken.scopes.has('profile') ? profile : {}),
    ...(accessToken.scopes.has('email') && email !== undefined ? { email } : {}),
  });
}

/**
 * The metadata (RFC 8414) of a server that is no OpenID provider: what only OpenID Connect defines
 * is left out.
 */
export function plainOAuthMetadata(answer: Answer, issuer: string): Answer {
  const openidOnly =
    /^(id_token_|userinfo_|subject_types|claim|end_session|jwks_uri|acr_values|request_parameter|request_uri)/;
  const members = Object.entries(readJsonObject(answer.body) ?? {}).filter(
    ([name]) => !openidOnly.test(name),
  );
  return jsonAnswer(200, { ...Object.fromEntries(members), userinfo_endpoint: issuer + PATHS.me });
}
