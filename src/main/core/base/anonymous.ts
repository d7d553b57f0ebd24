// The person whom a provider does not name. Every room that stores, restores or compares accounts
// must know one.
import type { AccountView } from '../../../contract.js';

/**
 * What a provider without userinfo, and a host without `identify`, leave us: somebody, and nobody
 * says who.
 */
export const ANONYMOUS: Pick<AccountView, 'subject'> = { subject: 'anonymous' };

/**
 * Also a person whose name at the provider happens to be this: then what is spared is a
 * convenience.
 */
export function isAnonymous({ subject }: Pick<AccountView, 'subject'>): boolean {
  return subject === ANONYMOUS.subject;
}
