// The account of a person whom the provider does not name. Every room that stores, restores or
// compares accounts must recognise it.
import type { AccountView } from '../../../contract.js';

/**
 * The identity if the provider has no userinfo and the host no `identify`: a person, but unknown
 * who.
 */
export const ANONYMOUS: Pick<AccountView, 'subject'> = { subject: 'anonymous' };

/**
 * Also true for a person whose subject at the provider happens to be this word; that costs them
 * only a convenience.
 */
export function isAnonymous({ subject }: Pick<AccountView, 'subject'>): boolean {
  return subject === ANONYMOUS.subject;
}
