// The parameters of an authorization request that depend on the sign-in request, the host and the
// preset. Pure. client.ts sets the parameters of the protocol itself (state, challenge, redirect).
import type { SignInRequest } from '../../../contract.js';
import type { Settings } from '../options/auth-options.js';

/** What was asked for, and what Latchkey knows besides. */
export interface AuthorizationRequest extends SignInRequest {
  /** The person has signed out: the browser still knows them, and they may want another account. */
  readonly afterSignOut?: boolean;
}

/** OpenID Connect Core §3.1.2.1. */
const CHOICE = 'select_account';

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
 * otherwise. If the host sets `prompt`, only the host decides. After a sign-out the person chooses
 * the account, if the provider knows how. `known`: `prompt_values_supported` of its metadata.
 */
export function promptOf(
  request: AuthorizationRequest,
  { authorizationParameters, provider, scopes }: Settings,
  known: readonly string[] = [],
): string {
  const configured = authorizationParameters['prompt'];
  const canChoose = provider?.selectAccount === true || known.includes(CHOICE);
  const usual = request.afterSignOut === true && canChoose ? CHOICE : '';
  const asked = request.prompt ?? configured ?? usual;
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
