// What a session knows of its person, beyond the account: claims and the ID token. What newer tokens
// change about it, and what a caller who wants the ID token gets. Pure.
import { renewedClaims } from '../base/claims.js';
import { isSetBackBehind } from '../base/backoff.js';
import type { PersonFacts, TokenSet } from '../base/tokens.js';

/** Only these members, and only those that are there. */
export function factsOf({ claims, idToken }: PersonFacts): PersonFacts {
  return {
    ...(claims === undefined ? {} : { claims }),
    ...(idToken === undefined ? {} : { idToken }),
  };
}

/**
 * The tokens of a renewal, with all that is known of the person from then on. An answer without ID
 * token changes nothing. `stored`: they come from the record, which has all of it.
 */
export function withFacts(
  before: PersonFacts,
  tokens: TokenSet,
  stored: boolean,
  now: number,
): TokenSet {
  const claims =
    !stored && before.claims !== undefined && tokens.claims !== undefined
      ? renewedClaims(before.claims, tokens.claims.idToken)
      : (tokens.claims ?? before.claims);
  // The earlier ID token is good until its own end.
  const isEarlierGood = typeof tokens.idToken !== 'object' && validIdToken(before, now) !== null;
  return {
    ...tokens,
    ...(claims === undefined ? {} : { claims }),
    ...(isEarlierGood && before.idToken !== undefined ? { idToken: before.idToken } : {}),
  };
}

/** Null: there is none, it has expired, or the clock was set back and nobody knows how old it is. */
export function validIdToken({ idToken }: PersonFacts, now: number): string | null {
  return typeof idToken === 'object' &&
    now < idToken.expiresAt &&
    !isSetBackBehind(idToken.obtainedAt, now)
    ? idToken.token
    : null;
}
