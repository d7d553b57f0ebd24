// The options "issuer" and "provider", of which exactly one is given, and the check of everything else against the preset.
// Throws "invalid-options"; after it the rest of the options knows no difference between a preset and what a host wrote by hand.
import { AuthError } from './errors.js';
import { refuse, requireRecord, requireText } from './option-checks.js';
import type { AuthOptions, EndpointOptions } from './options.js';
import { type PreflightFindings, type PreflightSubject, preflight } from './preflight.js';
import type { ProviderPreset } from './provider-preset.js';

/** What the preset has decided, or what the host has given instead. */
export interface ResolvedProvider {
  readonly preset: ProviderPreset | null;
  readonly issuer: unknown;
  readonly endpoints: EndpointOptions | undefined;
  readonly defaultScopes: readonly string[];
}

const MEMBERS: { readonly [Name in keyof ProviderPreset]: true } = {
  name: true, title: true, issuer: true, issuerTemplate: true, endpoints: true, scopes: true, offlineAccess: true, authorizationParameters: true,
  promptConsent: true, loginHintParameter: true, clientSecret: true, endingErrors: true, refusals: true, preflight: true, facts: true,
};

/** Takes the provider's part of the options. Throws when both or neither of "issuer" and "provider" are given. */
export function resolveProvider(options: AuthOptions): ResolvedProvider {
  if (options.provider === undefined) return { preset: null, issuer: options.issuer, endpoints: options.endpoints, defaultScopes: ['openid', 'profile', 'email', 'offline_access'] };
  if (options.issuer !== undefined) refuse('issuer', 'absent beside "provider", which names the issuer itself');
  if (options.endpoints !== undefined) refuse('endpoints', 'absent beside "provider", which knows the endpoints');
  const preset = requirePreset(options.provider);
  return { preset, issuer: preset.issuer, endpoints: preset.endpoints ?? undefined, defaultScopes: preset.scopes };
}

/** Checks the options against the preset's rules. Throws for the first that cannot work; answers the warnings. */
export function checkWithPreset(preset: ProviderPreset | null, options: AuthOptions, scopes: readonly string[]): readonly string[] {
  const hasClientSecret = options.clientSecret !== undefined;
  if (preset === null) return hasClientSecret ? [NO_SECRET] : [];
  const { refusals: [first], warnings } = findings(preset, { redirects: options.redirects, scopes, clientId: options.clientId, hasClientSecret });
  if (first !== undefined) throw new AuthError('invalid-options', first);
  return hasClientSecret && !preset.clientSecret.expected ? [NO_SECRET, ...warnings] : warnings;
}

function findings(preset: ProviderPreset, subject: PreflightSubject): PreflightFindings {
  try {
    return preflight(preset, subject);
  } catch {
    // Only a preset of a host's own can have rules that are none.
    return refuse('provider', 'a preset whose rules can be applied');
  }
}

/** A function, so that no dump of the settings shows the secret. Null when none was given. */
export function requireClientSecret(value: unknown): (() => string) | null {
  if (value === undefined) return null;
  const secret = requireText(value, 'clientSecret', 1024);
  return () => secret;
}

const NO_SECRET = 'option "clientSecret": a secret inside an app that people install is none (RFC 8252 §8.5); register a public client, and leave it out where the provider lets you';

/** A preset is data: a copy of it is what counts, and functions have no place in it. */
function requirePreset(value: unknown): ProviderPreset {
  requireRecord(value, 'provider', MEMBERS);
  const given = value as ProviderPreset;
  const lists = [given.scopes, given.endingErrors, given.refusals, given.preflight, given.facts];
  const objects = [given.authorizationParameters, given.clientSecret];
  if (!lists.every(Array.isArray) || !objects.every((member) => typeof member === 'object' && member !== null)) {
    refuse('provider', 'a preset of "latchkey/providers", such as entra({ tenant }), or an object with all of its members');
  }
  const [refusal] = given.refusals;
  if (refusal !== undefined) refuse('provider', refusal);
  try {
    return structuredClone(given);
  } catch {
    return refuse('provider', 'data without functions');
  }
}
