// APIs that an access token may be asked for by name (RFC 8707): which there are, and what the person agrees to for them.
import type * as OidcModule from 'oidc-provider';
import type { Configuration } from 'oidc-provider';
import type { ProviderSettings } from './provider-options.js';

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

/** Of the package, whose errors alone become answers. */
export type OidcErrors = Pick<typeof OidcModule.errors, 'InvalidTarget'>;

/** oidc-provider's part of it: one resource for each token, and the token of the sign-in for none. */
export function resourceFeature({ InvalidTarget }: OidcErrors, settings: ProviderSettings, accessTokenSeconds: () => number): ResourceIndicators {
  return {
    enabled: settings.resources.length > 0,
    defaultResource: () => [],
    useGrantedResource: () => false,
    getResourceServerInfo(_ctx, resource) {
      if (!settings.resources.includes(resource)) throw new InvalidTarget();
      return { scope: settings.scopes.join(' '), accessTokenFormat: 'opaque', accessTokenTTL: accessTokenSeconds() };
    },
  };
}

/** The resources of a request (RFC 8707 §2.1: it may name several). */
export function resourcesIn(parameter: unknown): readonly string[] {
  return [parameter].flat().filter((resource) => typeof resource === 'string');
}
