// The parameters of an authorization request that depend on the sign-in request, the host and the
// preset. Pure. client.ts sets the parameters of the protocol itself (state, challenge, redirect).
import type { SignInRequest } from '../../../contract.js';
import type { Settings } from '../options/auth-options.js';

/** Leaves out parameters without a value (RFC 6749 §3.1). */
export function present(
  parameters: Readonly<Record<string, string | undefined>>,
): [string, string][] {
  return Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
  );
}

/**
 * OpenID Connect Core §11: `offline_access` needs `prompt=consent`, unless the preset says
 * otherwise. If the host sets `prompt`, only the host decides.
 */
export function promptOf(
  request: SignInRequest,
  { authorizationParameters, provider, scopes }: Settings,
): string {
  const configured = authorizationParameters['prompt'];
  const asked = request.prompt ?? configured ?? '';
  const habit = provider?.promptConsent ?? 'with-offline-access';
  const needsConsent =
    configured === undefined &&
    (habit === 'always' ||
      (habit === 'with-offline-access' &&
        scopes.includes('openid') &&
        scopes.includes('offline_access')));
  return needsConsent && asked !== 'consent' ? `${asked} consent`.trim() : asked;
}

/** The hint of the request wins over the one of the options. A preset may name it differently. */
export function loginHintOf(
  request: SignInRequest,
  { authorizationParameters, provider }: Settings,
): Record<string, string | undefined> {
  const name = provider?.loginHintParameter ?? 'login_hint';
  return { [name]: request.loginHint ?? authorizationParameters[name] };
}

/** One parameter for each resource (RFC 8707 §2.1). */
export function resourcesOf({ resources }: Settings): [string, string][] {
  return resources.map((resource) => ['resource', resource]);
}

/** A parameter in the endpoint's own URL does not stand beside a new one of the same name. */
export function withQuery(
  endpoint: string,
  parameters: readonly (readonly [string, string])[],
): string {
  const url = new URL(endpoint);
  for (const [name] of parameters) url.searchParams.delete(name);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  return url.href;
}
