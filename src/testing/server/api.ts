// The demo resource: an API that takes the provider's access tokens, and can demand more of a
// sign-in than it had. Challenges as Entra sends them (claims-challenge) or as RFC 9470 has them;
// which one is the test's choice.
import type { Provider as OidcProvider } from 'oidc-provider';
import { jsonAnswer, readJsonObject } from './exchange.js';
import type { Answer, Exchange } from './exchange.js';
import type { GrantNote } from './grant-notes.js';
import type { People } from './people.js';
import type { ApiChallenge, Room } from './personality.js';
import { answerMe } from './plain-oauth.js';
import { scopesOf } from './wire.js';

/**
 * Answers the API: 200 with the person, 401 without a valid token (RFC 6750 §3.1), 401 with the
 * challenge when it is not met.
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
  const note = room.grants.find(room.look('AccessToken', token)?.payload['grantId']);
  return isMet(challenge, note, room.nowMs) ? who : demand(challenge, room);
}

function isMet(challenge: ApiChallenge, note: GrantNote | undefined, nowMs: number): boolean {
  if (note === undefined) return false;
  if (challenge.claims !== undefined) {
    const asked = [
      note.parameters['asked_claims'],
      challenge.metBy === 'renewal' ? note.claims : undefined,
    ];
    return asked.some((claims) => holds(claims, challenge.claims?.access_token ?? {}));
  }
  const isRecent =
    challenge.maxAgeSeconds === undefined ||
    nowMs - note.agreedAtMs <= challenge.maxAgeSeconds * 1000;
  const acrs = scopesOf(note.parameters['acr_values']);
  return (
    isRecent &&
    (challenge.acrValues === undefined ||
      scopesOf(challenge.acrValues).some((acr) => acrs.includes(acr)))
  );
}

/** Clients may put more into `claims` than was demanded: their capabilities, say. */
function holds(claims: string | undefined, demanded: Readonly<Record<string, unknown>>): boolean {
  const members: unknown = readJsonObject(Buffer.from(claims ?? ''))?.['access_token'];
  if (typeof members !== 'object' || members === null) return false;
  const given = members as Readonly<Record<string, unknown>>;
  return Object.entries(demanded).every(
    ([name, value]) => JSON.stringify(given[name]) === JSON.stringify(value),
  );
}

function demand({ claims, acrValues, maxAgeSeconds }: ApiChallenge, { origin }: Room): Answer {
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
