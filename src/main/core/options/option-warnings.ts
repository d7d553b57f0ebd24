// Warns in the log about options that are allowed but unwise. Refuses nothing, so it need not be
// loaded before the app's first window.
import type { Settings } from './auth-options.js';
import { preflight } from './preflight.js';

/** One sentence for each warning, without repetition. */
export function warningsOf({
  redirects,
  scopes,
  resources,
  issuer,
  provider,
  clientId,
  clientSecret,
}: Settings): readonly string[] {
  const hasClientSecret = clientSecret !== null;
  const warnings: string[] = [];
  if (
    redirects.some(
      (redirect) => redirect.kind === 'custom-scheme' && !redirect.scheme.includes('.'),
    )
  ) {
    warnings.push(
      'option "redirects": a scheme without a dot may belong to another app; use a reversed domain name (RFC 8252 §7.1)',
    );
  }
  if (
    (provider?.offlineAccess ?? 'by-scope') === 'by-scope' &&
    !scopes.includes('offline_access')
  ) {
    warnings.push(
      'option "scopes": without "offline_access" most providers give no refresh token, and the session ends with the access token',
    );
  }
  if (issuer.startsWith('http:'))
    warnings.push('option "issuer": "http:" is for a provider on this computer only');
  if (hasClientSecret && provider?.clientSecret.expected !== true) {
    warnings.push(
      'option "clientSecret": a secret inside an installed app is not secret (RFC 8252 §8.5); register a public client, and leave the secret out if the provider allows that',
    );
  }
  if (provider !== null)
    warnings.push(
      ...preflight(provider, {
        redirects: redirects.map(({ uri }) => uri),
        scopes,
        clientId,
        hasClientSecret,
        hasResources: resources.length > 0,
      }).warnings,
    );
  return warnings;
}
