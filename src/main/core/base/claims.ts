// The claims of the option `claims`: picked from what a provider says, and put together for the view.
// What comes in is hostile: it is cut by size and depth, copied and frozen. Pure.
import type { AccountClaims, ClaimValue } from '../../../contract.js';
import { LIMITS } from './limits.js';
import type { SessionClaims } from './tokens.js';

export interface PickedClaims {
  readonly claims: AccountClaims;
  /** The names of those that are too large, or nested too deep. */
  readonly leftOut: readonly string[];
}

export const NO_CLAIMS: AccountClaims = Object.freeze({});

/**
 * The members with these names, and no others. A null counts as absent (OpenID Connect Core §5.3.2).
 * What does not fit is left out whole: half a list of groups would be a wrong list.
 */
export function pickClaims(names: readonly string[], from: unknown): PickedClaims {
  const claims: Record<string, ClaimValue> = {};
  const leftOut: string[] = [];
  let room = LIMITS.claimsBytes;
  for (const name of names) {
    const value = memberOf(from, name);
    if (value === undefined || value === null) continue;
    const text = isWithin(value, LIMITS.claimLevels) ? JSON.stringify(value) : undefined;
    const bytes = text === undefined ? Infinity : bytesOf(`${JSON.stringify(name)}:${text},`);
    if (text === undefined || bytes > room) leftOut.push(name);
    else {
      room -= bytes;
      claims[name] = JSON.parse(text, plain) as ClaimValue;
    }
  }
  return { claims: Object.freeze(claims), leftOut };
}

/** Only claims with these names, from a record. */
export function claimsNamed(names: readonly string[], kept: unknown): SessionClaims {
  return {
    idToken: pickClaims(names, memberOf(kept, 'idToken')).claims,
    userinfo: pickClaims(names, memberOf(kept, 'userinfo')).claims,
  };
}

/**
 * After a newer ID token: what the last one said is gone, and so is what userinfo said about a name
 * that an ID token has.
 */
export function renewedClaims(before: SessionClaims, idToken: AccountClaims): SessionClaims {
  const userinfo = Object.entries(before.userinfo).filter(
    ([name]) => !Object.hasOwn(idToken, name),
  );
  return { idToken, userinfo: Object.freeze(Object.fromEntries(userinfo)) };
}

/** As the view has them. */
export function shownClaims({ idToken, userinfo }: SessionClaims): AccountClaims {
  return Object.freeze({ ...userinfo, ...idToken });
}

function memberOf(from: unknown, name: string): unknown {
  return typeof from === 'object' && from !== null && Object.hasOwn(from, name)
    ? (from as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => isWithin(member, levels - 1));
}

/** For JSON.parse: a member of this name could become the prototype of a copy. */
function plain(name: string, value: unknown): unknown {
  return name === '__proto__' ? undefined : Object.freeze(value);
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
