// Parameters of a request for authorization that depend on what is asked, on the host and on the
// preset. Pure. What belongs to the protocol itself (state, challenge, redirect) is set in
// client.ts.
import type { SignInRequest } from '../../../contract.js';
import type { Settings } from '../options/options.js';

/** RFC 6749 §3.1: a parameter without a value is left out. */
export function present(
  parameters: Readonly<Record<string, string | undefined>>,
): [string, string][] {
  return Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
  );
}

/**
 * OpenID Connect Core §11: `offline_access` needs `prompt=consent`, unless the preset knows better;
 * a host that sets `prompt` decides alone.
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

/** The hint of the request wins over that of the options; a preset may know it by another name. */
export function loginHintOf(
  request: SignInRequest,
  { authorizationParameters, provider }: Settings,
): Record<string, string | undefined> {
  const name = provider?.loginHintParameter ?? 'login_hint';
  return { [name]: request.loginHint ?? authorizationParameters[name] };
}

/** RFC 8707 §2.1: one parameter for each. */
export function resourcesOf({ resources }: Settings): [string, string][] {
  return resources.map((resource) => ['resource', resource]);
}
