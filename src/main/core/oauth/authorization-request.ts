// The parameters of an authorization request that depend on the sign-in request, the host and the
// preset. Pure. client.ts sets the parameters of the protocol itself (state, challenge, redirect).
import type { SignInRequest } from '../../../contract.js';
import type { Settings } from '../options/auth-options.js';
import {
  type ClaimsRequest,
  type SignInDemand,
  claimsIn,
  mergedClaims,
} from '../options/sign-in-demand.js';

/** What was asked for, and what Latchkey knows besides. */
export interface AuthorizationRequest extends SignInRequest, SignInDemand {
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

/** The scopes of the options, and what is asked for in addition. */
export function scopeOf({ scopes }: SignInDemand, settings: Settings): string {
  return [...new Set([...settings.scopes, ...(scopes ?? [])])].join(' ');
}

/**
 * What is demanded of the authentication. Of two values of `max_age` the stricter one is sent; `acr_values`
 * of the request replaces that of the options.
 */
export function demandsOf(
  { acrValues, maxAge, claims }: SignInDemand,
  settings: Settings,
): Record<string, string | undefined> {
  const {
    acr_values: usualAcrs,
    max_age: usualAge,
    claims: usual,
  } = settings.authorizationParameters;
  const ages = [maxAge, usualAge].flatMap((age) => (age === undefined ? [] : [Number(age)]));
  return {
    acr_values: acrValues?.join(' ') ?? usualAcrs,
    max_age: ages.length === 0 ? undefined : String(Math.min(...ages)),
    claims: textOf(capabilityOf(settings), claimsIn(usual ?? ''), claims),
  };
}

/**
 * The parameter `claims` of a token request. Only providers that know client capabilities read one
 * there; it is sent to others only when a caller asks for claims.
 */
export function tokenClaims(
  asked: ClaimsRequest | null | undefined,
  settings: Settings,
): string | undefined {
  return textOf(capabilityOf(settings), asked);
}

/** For the claims of a sign-in, which other providers read in the authorization request only. */
export function redeemedClaims({ claims }: SignInDemand, settings: Settings): string | undefined {
  const capability = capabilityOf(settings);
  return capability === undefined ? undefined : textOf(capability, claims);
}

/** As MSAL announces it. */
function capabilityOf({ provider }: Settings): ClaimsRequest | undefined {
  const values = provider?.clientCapabilities ?? [];
  return values.length === 0 ? undefined : { access_token: { xms_cc: { values } } };
}

function textOf(...claims: readonly (ClaimsRequest | null | undefined)[]): string | undefined {
  const merged = mergedClaims(...claims);
  return merged === undefined ? undefined : JSON.stringify(merged);
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
