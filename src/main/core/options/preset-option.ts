// Checks the options "issuer" and "provider", of which exactly one must be given, and checks the
// other options against the preset. Throws "invalid-options". After it, the rest of the options
// makes no difference between a preset and a host's own values.
import { AuthError } from '../base/errors.js';
import { type Check, refuse, requireKnown, text } from './option-checks.js';
import type { GivenOptions } from './auth-options.js';
import { type PreflightFindings, type PreflightSubject, preflight } from './preflight.js';
import type { ProviderPreset } from './provider-preset.js';

const isAnything = (): boolean => true;
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
const isList = Array.isArray;

const MEMBERS: { readonly [Name in keyof ProviderPreset]: (value: unknown) => boolean } = {
  name: isAnything,
  title: isAnything,
  issuer: isAnything,
  issuerTemplate: isAnything,
  endpoints: isAnything,
  scopes: isList,
  offlineAccess: isAnything,
  authorizationParameters: isObject,
  promptConsent: isAnything,
  selectAccount: isAnything,
  loginHintParameter: isAnything,
  clientSecret: isObject,
  clientCapabilities: isList,
  endingErrors: isList,
  refusals: isList,
  preflight: isList,
  facts: isList,
};

/** Throws when the options give what the preset already gives. Null without a preset. */
export function resolvePreset({
  provider,
  issuer,
  endpoints,
}: GivenOptions): ProviderPreset | null {
  if (provider === undefined) return null;
  if (issuer !== undefined)
    refuse('issuer', 'left out when "provider" is given, because the preset names the issuer');
  if (endpoints !== undefined)
    refuse('endpoints', 'left out when "provider" is given, because the preset has the endpoints');
  return requirePreset(provider);
}

/** Throws for the first rule of the preset that says that these options cannot work. */
export function requirePresetRules(preset: ProviderPreset, subject: PreflightSubject): void {
  const [refusal] = findings(preset, subject).refusals;
  if (refusal !== undefined) throw new AuthError('invalid-options', refusal);
}

function findings(preset: ProviderPreset, subject: PreflightSubject): PreflightFindings {
  try {
    return preflight(preset, subject);
  } catch {
    // Only a preset that a host wrote itself can have invalid rules.
    return refuse('provider', 'a preset whose rules can be applied');
  }
}

/** A function, so that no dump of the settings shows the secret. */
export const clientSecret: Check<() => string> = (value, name) => {
  const secret = text(1024)(value, name);
  return () => secret;
};

/** A preset is data: the copy counts, and it may contain no functions. */
function requirePreset(value: unknown): ProviderPreset {
  requireKnown(value, 'provider', MEMBERS);
  if (!Object.entries(MEMBERS).every(([name, fits]) => fits(value[name]))) {
    refuse(
      'provider',
      'a preset of "latchkey/providers", such as entra({ tenant }), or an object with all of its members',
    );
  }
  const given = value as unknown as ProviderPreset;
  const [refusal] = given.refusals;
  if (refusal !== undefined) refuse('provider', refusal);
  try {
    return structuredClone(given);
  } catch {
    return refuse('provider', 'data without functions');
  }
}
