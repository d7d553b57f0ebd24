// The redirect ladder: which entries of the option "redirects" may be tried, and in which order.
// Pure. Whether an entry works here is found out by trying it; what is known beforehand comes as a
// value.
import type { RedirectKind } from '../../../contract.js';
import type { AuthError } from '../base/errors.js';
import type { RedirectOption } from '../base/ports.js';

/** One entry that may be tried, and where it stands. */
export interface RedirectChoice {
  readonly position: number;
  readonly option: RedirectOption;
}

/**
 * The entries to try, in the order of the list: from `position` on, of kinds that are not open yet.
 * Several entries of one kind (ports, addresses) stand in for each other; once one of them works
 * the others are no other way.
 */
export function redirectsFrom(
  redirects: readonly RedirectOption[],
  position: number,
  open: readonly RedirectKind[],
): readonly RedirectChoice[] {
  return redirects
    .map((option, at) => ({ position: at, option }))
    .filter((choice) => choice.position >= position && !open.includes(choice.option.kind));
}

/**
 * The kind that would be tried next, or null. `devicesOffered` false: the provider's metadata has
 * no endpoint for device codes.
 */
export function nextKind(
  redirects: readonly RedirectOption[],
  position: number,
  open: readonly RedirectKind[],
  devicesOffered: boolean,
): RedirectKind | null {
  const next = redirectsFrom(redirects, position, open).find(
    ({ option }) => devicesOffered || option.kind !== 'device-code',
  );
  return next?.option.kind ?? null;
}

/**
 * True when the failure belongs to this one way, so that the next may do better. A network or
 * provider that is out of order spoils every way alike: trying them all would only make the person
 * wait longer for the same answer.
 */
export function leavesOtherRedirects({ code }: AuthError): boolean {
  return (
    code === 'redirect-unavailable' ||
    code === 'sign-in-refused' ||
    code === 'response-invalid' ||
    code === 'browser-failed'
  );
}
