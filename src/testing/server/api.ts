// The demo resource: an API that takes the provider's access tokens, and can demand more of a
// sign-in than it had. Challenges as Entra sends them (claims-challenge), as RFC 9470 or as RFC 6750
// has them; which one is the test's choice.
import type { Provider as OidcProvider } from 'oidc-provider';
import { jsonAnswer } from './exchange.js';
import type { Answer, Exchange } from './exchange.js';
import type { GrantNote } from './grant-notes.js';
import type { People } from './people.js';
import type { ApiChallenge, Room } from './personality.js';
import { answerMe } from './plain-oauth.js';
import { holdsClaims, scopesOf } from './wire.js';

/**
 * Answers the API: 200 with the person, 401 without a valid token (RFC 6750 §3.1), 401 or
 * 403 with the challenge when it is not met.
 */
export async function answerApi(
  oidc: OidcProvider,
  people: People,
  exchange: Exchange,
  room: Room,
): Promise<Answer> {
  const who = await answerMe(oidc, people, exchange);
  const { challenge } = room;
  if (who.status !== 200 || challenge === null) return who;
  const token = /^Bearer +(\S+)$/i.exec(exchange.headers.authorization ?? '')?.[1] ?? null;
  const payload = room.look('AccessToken', token)?.payload;
  const granted = scopesOf(payload?.['scope']);
  const isAllowed = scopesOf(challenge.scope).every((scope) => granted.includes(scope));
  return isAllowed && isMet(challenge, room.grants.find(payload?.['grantId']), room)
    ? who
    : demand(challenge, isAllowed, room);
}

function isMet(
  challenge: ApiChallenge,
  note: GrantNote | undefined,
  { nowMs, settings }: Room,
): boolean {
  if (note === undefined) return false;
  if (challenge.claims !== undefined) {
    const asked = [
      note.parameters['asked_claims'],
      challenge.metBy === 'renewal' ? note.claims : undefined,
    ];
    return asked.some((claims) => holdsClaims(claims, challenge.claims?.access_token ?? {}));
  }
  const isRecent =
    challenge.maxAgeSeconds === undefined ||
    nowMs - note.agreedAtMs <= challenge.maxAgeSeconds * 1000;
  const known = settings.acrValues;
  const acrs = scopesOf(note.parameters['acr_values']).filter(
    (acr) => known.length === 0 || known.includes(acr),
  );
  return (
    isRecent &&
    (challenge.acrValues === undefined ||
      scopesOf(challenge.acrValues).some((acr) => acrs.includes(acr)))
  );
}

function demand(
  { claims, scope, acrValues, maxAgeSeconds }: ApiChallenge,
  isAllowed: boolean,
  { origin }: Room,
): Answer {
  if (scope !== undefined && !isAllowed)
    return jsonAnswer(
      403,
      { error: 'insufficient_scope' },
      { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
    );
  const parts =
    claims === undefined
      ? [
          'error="insufficient_user_authentication"',
          ...(acrValues === undefined ? [] : [`acr_values="${acrValues}"`]),
          ...(maxAgeSeconds === undefined ? [] : [`max_age="${maxAgeSeconds}"`]),
        ]
      : [
          'realm=""',
          `authorization_uri="${origin}/common/oauth2/authorize"`,
          'error="insufficient_claims"',
          `claims="${Buffer.from(JSON.stringify(claims)).toString('base64')}"`,
        ];
  return jsonAnswer(
    401,
    { error: claims === undefined ? 'insufficient_user_authentication' : 'insufficient_claims' },
    { 'www-authenticate': `Bearer ${parts.join(', ')}` },
  );
}
