// What an API demands when it refuses a token that is valid: a stronger or newer sign-in (RFC 9470),
// more scopes (RFC 6750 §3.1), or claims (Entra). Pure. A challenge that is not understood whole is
// none.
import type { StepUpRequest } from '../../../contract.js';
import { claimsIn, readDemand } from '../options/sign-in-demand.js';
import { parseChallenges } from './challenges.js';

/** What to ask of `signIn()` so that the API may be content. */
export type ApiChallenge = StepUpRequest;

const STATUSES = [401, 403];

/** Null for an answer without a challenge. Reads status and header only. */
export function challengeOf({ status, headers }: Response): ApiChallenge | null {
  const header = STATUSES.includes(status) ? headers.get('www-authenticate') : null;
  for (const { scheme, parameters } of parseChallenges(header ?? '')) {
    const found = scheme === 'bearer' ? demandOf(parameters) : null;
    if (found !== null) return found;
  }
  return null;
}

function demandOf(parameters: ReadonlyMap<string, string>): ApiChallenge | null {
  const age = parameters.get('max_age');
  switch (parameters.get('error')) {
    case 'insufficient_user_authentication':
      return checked({
        acrValues: wordsIn(parameters.get('acr_values')),
        maxAge: age === undefined ? undefined : /^\d{1,9}$/.test(age) ? Number(age) : NaN,
      });
    case 'insufficient_scope':
      return checked({ scopes: wordsIn(parameters.get('scope')) });
    case 'insufficient_claims':
      return checked({ claims: decoded(parameters.get('claims') ?? '') });
    default:
      return null;
  }
}

/** Null when nothing is demanded, or something that signIn() would not take. */
function checked(given: Readonly<Record<string, unknown>>): ApiChallenge | null {
  const read = readDemand(given);
  return 'wrong' in read || Object.keys(read.demand).length === 0 ? null : read.demand;
}

function wordsIn(text: string | undefined): readonly string[] | undefined {
  return text?.split(' ').filter((word) => word !== '');
}

/** Entra sends base64 in one alphabet or the other (RFC 4648 §4, §5). */
function decoded(text: string): unknown {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    return claimsIn(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}
