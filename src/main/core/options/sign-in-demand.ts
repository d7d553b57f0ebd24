// What a sign-in may demand of the provider: scopes, `acr_values`, `max_age`, `claims`, and whose
// sign-in it must be. Read from a host, a page, an API or a record, and trusted in none of them. Pure.
import type { StepUpRequest } from '../../../contract.js';
import { isScope } from './syntax.js';

/** The value of the parameter `claims` (OpenID Connect Core §5.5). */
export type ClaimsRequest = Readonly<Record<string, unknown>>;

/** What is demanded, and what is checked when the tokens come. */
export interface SignInDemand extends StepUpRequest {
  /** The `id` of the only account that may sign in. */
  readonly account?: string;
}

/** As JSON. The claims challenges of Entra have some hundred characters. */
const CLAIMS_LENGTH_MAX = 8_192;
const VALUES_MAX = 32;
/** The same as in the option `authorizationParameters`. */
const MAX_AGE_MAX = 999_999_999;

/** Each member, as the words of a message after "must be". */
export const DEMAND_MEMBERS: { readonly [Name in keyof SignInDemand]-?: string } = {
  scopes: 'a list of 1 to 100 scopes (RFC 6749 §3.3)',
  acrValues: `a list of 1 to ${VALUES_MAX} words (RFC 9470 §4)`,
  maxAge: 'a whole number of seconds',
  claims: `an object of at most ${CLAIMS_LENGTH_MAX} characters as JSON (OpenID Connect Core §5.5)`,
  account: 'the "id" of an account of the view',
};

const CHECKS: { readonly [Name in keyof SignInDemand]-?: (value: unknown) => unknown } = {
  scopes: (value) => wordsOf(value, 100),
  acrValues: (value) => wordsOf(value, VALUES_MAX),
  maxAge: (value) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_AGE_MAX
      ? value
      : null,
  claims: toClaims,
  account: (value) =>
    typeof value === 'string' && value.length > 0 && value.length <= 256 ? value : null,
};

/** The members that are given, copied; the name of the first one that is wrong. Never throws. */
export function readDemand(
  given: Readonly<Record<string, unknown>>,
): { readonly demand: SignInDemand } | { readonly wrong: keyof SignInDemand } {
  const demand: Record<string, unknown> = {};
  for (const [name, check] of Object.entries(CHECKS)) {
    if (given[name] === undefined) continue;
    const checked = check(given[name]);
    if (checked === null) return { wrong: name as keyof SignInDemand };
    demand[name] = checked;
  }
  return { demand };
}

/** The members of a demand alone; undefined when there is none. */
export function demandIn(request: SignInDemand): SignInDemand | undefined {
  const { scopes, acrValues, maxAge, claims, account } = request;
  const given = Object.entries({ scopes, acrValues, maxAge, claims, account }).filter(
    ([, value]) => value !== undefined,
  );
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** True when more is asked than an ordinary sign-in asks. */
export function isStepUp({ scopes, acrValues, maxAge, claims }: StepUpRequest): boolean {
  return [scopes, acrValues, maxAge, claims].some((value) => value !== undefined);
}

/** A copy that is JSON and nothing else, or null. */
export function toClaims(value: unknown): ClaimsRequest | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  try {
    const text: unknown = JSON.stringify(value);
    return typeof text !== 'string' || text.length > CLAIMS_LENGTH_MAX ? null : claimsIn(text);
  } catch {
    return null;
  }
}

/** A JSON object, or null. */
export function claimsIn(text: string): ClaimsRequest | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as ClaimsRequest)
      : null;
  } catch {
    return null;
  }
}

/** One request of several: of two that name the same claim at the same place, the later counts. */
export function mergedClaims(
  ...parts: readonly (ClaimsRequest | null | undefined)[]
): ClaimsRequest | undefined {
  const members = new Map<string, unknown>();
  for (const part of parts)
    for (const [name, value] of Object.entries(part ?? {})) {
      const before = members.get(name);
      members.set(
        name,
        isObject(before) && isObject(value)
          ? Object.fromEntries([...Object.entries(before), ...Object.entries(value)])
          : value,
      );
    }
  return members.size === 0 ? undefined : Object.fromEntries(members);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** They are sent in one parameter, with blanks between them. */
function wordsOf(value: unknown, max: number): readonly string[] | null {
  return Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= max &&
    value.every((word) => typeof word === 'string' && isScope(word))
    ? [...new Set(value as string[])]
    : null;
}
