// What was asked of whom, and what came, when a request failed: for the line that a developer sees
// in the terminal. Kept beside the error, not in it, so that it cannot reach a page. Holds no query
// of a URL, and no value that may be a secret.
import type { AuthError } from './errors.js';

export interface Evidence {
  /** The kind of endpoint, such as `token endpoint`. */
  readonly asked?: string | undefined;
  /** Origin and path. */
  readonly url?: string | undefined;
  readonly status?: number | undefined;
  /** What was wrong in the answer, such as `claim "iss"`. */
  readonly member?: string | undefined;
  readonly expected?: string | undefined;
  readonly got?: string | undefined;
}

const known = new WeakMap<AuthError, Evidence>();

/** Adds what is not noted yet, and returns the error. Values that are not fit to be shown go. */
export function note(error: AuthError, evidence: Evidence): AuthError {
  const before = evidenceOf(error);
  known.set(error, {
    asked: before.asked ?? evidence.asked,
    url: before.url ?? withoutQuery(evidence.url),
    status: before.status ?? evidence.status,
    member: before.member ?? evidence.member,
    expected: before.expected ?? evidence.expected,
    got: before.got ?? evidence.got,
  });
  return error;
}

export function evidenceOf(error: AuthError): Evidence {
  return known.get(error) ?? {};
}

/** An issuer from outside, fit for a terminal: a URL without query, else only its kind. */
export function shownIssuer(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  return (typeof value === 'string' ? withoutQuery(value) : undefined) ?? 'something else';
}

/** A client id from outside, fit for a terminal: a short word, else only its kind. */
export function shownClient(value: unknown): string {
  const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (one === undefined || one === null) return 'nothing';
  return typeof one === 'string' && /^[\w.:/-]{1,100}$/.test(one) ? one : 'something else';
}

function withoutQuery(url: string | undefined): string | undefined {
  if (url === undefined || url.length > 512 || !/^https?:\/\/[\x21-\x7e]+$/.test(url))
    return undefined;
  if (!URL.canParse(url) || new URL(url).username + new URL(url).password !== '') return undefined;
  return url.split(/[?#]/, 1)[0];
}
