// Entry latchkey/providers: presets for well-known providers. Data only. A host loads only the
// presets that it imports. The files import types and each other, nothing else.
export { type Auth0Options, auth0 } from './auth0.js';
export { type CognitoOptions, cognito } from './cognito.js';
export { type EntraOptions, entra } from './entra.js';
export { type GithubOptions, github } from './github.js';
export { google } from './google.js';
export { type KeycloakOptions, keycloak } from './keycloak.js';
export { type OidcOptions, oidc } from './oidc.js';
export { type OktaOptions, okta } from './okta.js';
export type { ProviderFact, ProviderPreset } from '../main/core/options/provider-preset.js';
