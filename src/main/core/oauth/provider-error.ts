// Reads what a provider's error says in addition to `error`: its own code, and the ids that help
// its support to find the request. Pure, never throws. Trusts nothing and keeps no text: it keeps a
// member only in the one form that it is known to have.
import type { ProviderErrorView } from '../../../contract.js';

/** Entra writes its number first. The search must not read kilobytes for a number further back. */
const SEARCHED_CHARACTERS = 4_096;

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** So narrow that a token that a server echoes here does not match. */
const SUBERROR = /^[a-z][a-z_]{2,39}$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,7})?Z$/;

/**
 * Reads the members that Entra and Okta add to an error body (RFC 6749 §5.2). Undefined when there
 * are none.
 */
export function readProviderError(body: unknown): ProviderErrorView | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const {
    error_codes: numbers,
    error_description: description,
    errorCode,
    suberror,
    correlation_id: correlationId,
    trace_id: traceId,
    timestamp,
  } = body as Readonly<Record<string, unknown>>;
  return compact({
    code: entraCode(numbers) ?? codeIn(description) ?? oktaCode(errorCode),
    suberror: matching(suberror, SUBERROR),
    correlationId: matching(correlationId, GUID),
    traceId: matching(traceId, GUID),
    timestamp: matching(timestamp, TIMESTAMP),
  });
}

/**
 * Reads the parameters of an authorization error (RFC 6749 §4.1.2.1). Anyone can write them, so it
 * keeps only the number.
 */
export function readCallbackError(parameters: URLSearchParams): ProviderErrorView | undefined {
  return compact({ code: codeIn(parameters.get('error_description')) });
}

function entraCode(numbers: unknown): string | undefined {
  const first: unknown = Array.isArray(numbers) ? numbers[0] : undefined;
  return typeof first === 'number' &&
    Number.isInteger(first) &&
    first >= 1_000 &&
    first <= 999_999_999
    ? `AADSTS${first}`
    : undefined;
}

function oktaCode(code: unknown): string | undefined {
  return matching(code, /^E\d{7}$/);
}

/** AADB2C is the old Entra External ID; its numbers are in the same place. */
function codeIn(description: unknown): string | undefined {
  if (typeof description !== 'string') return undefined;
  return /(?<![A-Za-z0-9])(?:AADSTS|AADB2C)\d{4,9}(?!\d)/.exec(
    description.slice(0, SEARCHED_CHARACTERS),
  )?.[0];
}

function matching(value: unknown, form: RegExp): string | undefined {
  return typeof value === 'string' && form.test(value) ? value : undefined;
}

function compact(members: { readonly [Name in keyof ProviderErrorView]: string | undefined }):
  ProviderErrorView | undefined {
  const known = Object.entries(members).filter(([, value]) => value !== undefined);
  return known.length === 0 ? undefined : Object.fromEntries(known);
}
