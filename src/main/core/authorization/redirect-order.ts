// The order of redirects: which entries of the option "redirects" may be tried, and in which order.
// Pure. Only a try shows whether an entry works here; what is known before comes as an argument.
import type { RedirectKind } from '../../../contract.js';
import type { AuthError } from '../base/errors.js';
import type { RedirectOption } from '../base/ports.js';

/** One entry that may be tried, and its index in the option. */
export interface RedirectChoice {
  readonly position: number;
  readonly option: RedirectOption;
}

/**
 * The entries to try, in the order of the list: from `position` on, of kinds that are not open yet.
 * Entries of one kind (ports, addresses) replace each other. Once one of them works, the others are
 * no alternative.
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
 * True when the failure concerns this redirect only, so the next one may work. If the network or
 * the provider is out of order, every redirect fails: to try them all would only make the person
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
