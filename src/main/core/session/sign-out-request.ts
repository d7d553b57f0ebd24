// Checks the argument of signOut() that comes from a page or a host. Throws "invalid-options" with
// the name of the member; never repeats a value.
import { AuthError } from '../base/errors.js';
import { parseAccountId } from './token-request.js';

/** The checked request. */
export interface ParsedSignOut {
  /** Null: the active account. */
  readonly account: string | null;
  readonly endBrowserSession: boolean;
}

/** `argument`: nothing, the id of an account, or a `SignOutRequest`. */
export function parseSignOut(argument: unknown): ParsedSignOut {
  if (argument === undefined) return { account: null, endBrowserSession: false };
  if (typeof argument !== 'object' || argument === null)
    return { account: parseAccountId(argument), endBrowserSession: false };
  const { account, endBrowserSession = false, ...rest } = argument as Record<string, unknown>;
  if (Array.isArray(argument) || Object.keys(rest).length > 0)
    throw new AuthError(
      'invalid-options',
      'the sign-out request may hold "account" and "endBrowserSession" only',
    );
  if (typeof endBrowserSession !== 'boolean')
    throw new AuthError('invalid-options', '"endBrowserSession" must be true or false');
  return {
    account: account === undefined ? null : parseAccountId(account),
    endBrowserSession,
  };
}
