// Microsoft Entra's scopes: which resource each belongs to, and the rule of one resource per token.
// Sources: learn.microsoft.com/entra/identity-platform/scopes-oidc and …/v2-oauth2-auth-code-flow
import type { Room } from '../server/personality.js';
import { scopesOf } from '../server/wire.js';

const OPENID: readonly string[] = ['openid', 'profile', 'email', 'offline_access'];
const GRAPH = 'https://graph.microsoft.com';

/** Scopes that every tenant has. A scope without a resource in front is one of Graph. */
export const ENTRA_SCOPES: readonly string[] = [
  'User.Read',
  `${GRAPH}/User.Read`,
  `${GRAPH}/.default`,
];

/**
 * The resource of a scope: what stands before its last slash. Null for the scopes of OpenID
 * Connect, which belong to any.
 */
export function resourceOf(scope: string): string | null {
  if (OPENID.includes(scope)) return null;
  const slash = scope.lastIndexOf('/');
  return slash < 0 ? GRAPH : scope.slice(0, slash);
}

/** The resources that scopes name, in order. */
export function resourcesOf(scopes: readonly string[]): readonly string[] {
  return [...new Set(scopes.map(resourceOf).filter((resource) => resource !== null))];
}

/** True when nobody has registered this scope. */
export function isUnknownScope(scope: string, { settings }: Room): boolean {
  return (
    !OPENID.includes(scope) && !ENTRA_SCOPES.includes(scope) && !settings.scopes.includes(scope)
  );
}

/**
 * The scopes of one token: those that were asked for, or else those of the first resource of the
 * sign-in.
 */
export function scopesOfToken(asked: string | null, granted: readonly string[]): readonly string[] {
  const wanted = asked === null ? granted : scopesOf(asked);
  const [first] = resourcesOf(wanted);
  return wanted.filter(
    (scope) =>
      scope !== 'offline_access' && (resourceOf(scope) === null || resourceOf(scope) === first),
  );
}
