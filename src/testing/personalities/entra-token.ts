// What Microsoft Entra's token endpoint refuses: the platform of the redirect URI, Origin, secret,
// PKCE, scopes, loops. The decision of the seed error stands in `judgePlatform`; sources are named
// at the rules in entra.ts.
import { createHash } from 'node:crypto';
import { DEVICE_GRANT } from '../server/device-flow.js';
import type { Answer, Exchange } from '../server/exchange.js';
import type { Kept, Room } from '../server/personality.js';
import type { Platform } from '../server/registration.js';
import { credentialsOf, scopesOf } from '../server/wire.js';
import { entraAnswer } from './entra-errors.js';
import type { EntraCode } from './entra-errors.js';
import { isUnknownScope, resourcesOf } from './entra-scopes.js';

/** Makes the refusal of an exchange. */
type Refuse = (
  code: EntraCode,
  more?: string,
  members?: Readonly<Record<string, unknown>>,
) => Answer;

/** Refusals in Entra's JSON. */
export function refuser(exchange: Exchange, room: Room): Refuse {
  return (code, more, members) => entraAnswer(code, exchange, room.nowMs, more, members);
}

/** A body that is no form, and a client that nobody registered. */
export function judgeRequest(exchange: Exchange, room: Room): Answer | null {
  const refuse = refuser(exchange, room);
  if (!exchange.form.has('grant_type')) return refuse(900144);
  return credentialsOf(exchange).clientId === room.settings.clientId ? null : refuse(700016);
}

/** Device codes are for registrations that allow flows without a redirect URI. */
export function judgeDeviceCode(exchange: Exchange, room: Room): Answer | null {
  const isDeviceCode = exchange.form.get('grant_type') === DEVICE_GRANT;
  return isDeviceCode && !room.registration.publicClientFlows
    ? refuser(exchange, room)(7000218)
    : null;
}

/** What became of a code before this request. */
export function judgeCode(exchange: Exchange, room: Room): Answer | null {
  if (exchange.form.get('grant_type') !== 'authorization_code') return null;
  const refuse = refuser(exchange, room);
  const kept = room.look('AuthorizationCode', exchange.form.get('code'));
  if (kept === null) return refuse(9002313);
  if (kept.payload['consumed'] !== undefined) return refuse(54005);
  if (kept.state !== 'live') return refuse(70008);
  return kept.payload['redirectUri'] === exchange.form.get('redirect_uri') ? null : refuse(500112);
}

/** What became of a refresh token before this request. */
export function judgeRefreshToken(exchange: Exchange, room: Room): Answer | null {
  if (exchange.form.get('grant_type') !== 'refresh_token') return null;
  const refuse = refuser(exchange, room);
  const kept = room.look('RefreshToken', exchange.form.get('refresh_token'));
  if (kept === null) return refuse(9002313);
  if (kept.state === 'revoked') return refuse(50173);
  if (kept.state === 'live') return null;
  const issued = ` The token was issued on ${new Date(Number(kept.payload['iat']) * 1000).toISOString()}`;
  return room.grants.find(kept.payload['grantId'])?.platform === 'spa'
    ? refuse(700084, `${issued}.`)
    : refuse(700082, `${issued} and was inactive for 90.00:00:00.`);
}

/** The code or the refresh token that a request redeems. */
export function redeemedBy(exchange: Exchange, { look }: Room): Kept | null {
  return exchange.form.get('grant_type') === 'refresh_token'
    ? look('RefreshToken', exchange.form.get('refresh_token'))
    : look('AuthorizationCode', exchange.form.get('code'));
}

/**
 * The matrix: what the platform of the redirect URI demands of a token request, and what it
 * forbids.
 */
export function judgePlatform(platform: Platform, exchange: Exchange, room: Room): Answer | null {
  const refuse = refuser(exchange, room);
  const { clientSecret } = credentialsOf(exchange);
  const hasSecret = clientSecret !== null || exchange.form.has('client_assertion');
  const isCode = exchange.form.get('grant_type') === 'authorization_code';
  const { origin } = exchange.headers;

  if (platform === 'spa') {
    if (isCode && !exchange.form.has('code_verifier')) return refuse(9002325);
    if (origin === undefined) return refuse(9002327);
    return hasSecret ? refuse(700025) : null;
  }
  if (origin !== undefined) return refuse(9002326, ` Request origin: '${origin}'.`);
  if (platform === 'native') return hasSecret ? refuse(700025) : null;
  if (!hasSecret) return refuse(7000218);
  return room.registration.clientSecret !== null && clientSecret === room.registration.clientSecret
    ? null
    : refuse(7000215);
}

/** A challenge that came must be answered. */
export function judgeVerifier(exchange: Exchange, room: Room): Answer | null {
  if (exchange.form.get('grant_type') !== 'authorization_code') return null;
  const challenge = room.look('AuthorizationCode', exchange.form.get('code'))?.payload[
    'codeChallenge'
  ];
  if (challenge === undefined) return null;
  const verifier = exchange.form.get('code_verifier');
  if (verifier === null) return refuser(exchange, room)(50148);
  return createHash('sha256').update(verifier).digest('base64url') === challenge
    ? null
    : refuser(exchange, room)(501481);
}

/** One resource for each token, and only what was agreed to. */
export function judgeScopes(exchange: Exchange, room: Room): Answer | null {
  const asked = exchange.form.get('scope');
  if (asked === null) return null;
  const refuse = refuser(exchange, room);
  const scopes = scopesOf(asked);
  if (scopes.length === 0) return refuse(28003);
  if (scopes.some((scope) => isUnknownScope(scope, room)))
    return refuse(70011, ' The scope is not registered.');
  if (resourcesOf(scopes).length > 1) return refuse(28000);
  const granted = scopesOf(redeemedBy(exchange, room)?.payload['scope']);
  return scopes.some((scope) => !granted.includes(scope)) ? refuse(65001) : null;
}

/** How many requests of one kind are a loop, and within which time. Source: see entra.ts. */
const LOOP_REQUESTS = 15;
const LOOP_MS = 300_000;

/** Counts token requests of one person for one thing; the one too many is refused. */
export function createLoopDetector(): (exchange: Exchange, room: Room) => Answer | null {
  const seen = new Map<string, readonly number[]>();
  return (exchange, room) => {
    // A client that waits for a device code asks the same again and again, as RFC 8628 §3.5 wants
    // it.
    if (exchange.form.get('grant_type') === DEVICE_GRANT) return null;
    const kept = redeemedBy(exchange, room);
    // A code of its own is a sign-in of its own.
    const about =
      exchange.form.get('grant_type') === 'refresh_token'
        ? String(kept?.payload['grantId'])
        : exchange.form.get('code');
    const key = `${about} ${exchange.form.get('scope') ?? ''} ${exchange.form.get('claims') ?? ''}`;
    const recent = [
      ...(seen.get(key) ?? []).filter((at) => room.nowMs - at < LOOP_MS),
      room.nowMs,
    ].slice(-LOOP_REQUESTS - 1);
    seen.set(key, recent);
    return recent.length > LOOP_REQUESTS ? refuser(exchange, room)(50196) : null;
  };
}
