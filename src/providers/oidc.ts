// Any provider that follows the standards. Every other preset builds on it. Data only; imports
// nothing at run time.
import type { ProviderPreset } from '../main/core/options/provider-preset.js';

export interface OidcOptions {
  /** The issuer identifier, compared exactly. */
  readonly issuer: string;
  /** The provider's name in messages. Default "the provider". */
  readonly title?: string;
}

/** Hosts may write JavaScript, so check the arguments. */
export function isText(value: unknown, form: RegExp): value is string {
  return typeof value === 'string' && form.test(value);
}

/** A full host name: a preset's argument is not a URL and does not end with a slash. */
export function isHostName(value: unknown): value is string {
  return isText(value, /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/);
}

/**
 * OpenID Connect or RFC 8414 with discovery, without any special rules. The same as the option
 * `issuer`.
 */
export function oidc({ issuer, title = 'the provider' }: OidcOptions): ProviderPreset {
  return {
    name: 'oidc',
    title,
    issuer,
    issuerTemplate: null,
    endpoints: null,
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    offlineAccess: 'by-scope',
    authorizationParameters: {},
    promptConsent: 'with-offline-access',
    selectAccount: false,
    loginHintParameter: 'login_hint',
    clientSecret: { expected: false, sentBy: 'announced' },
    clientCapabilities: [],
    endingErrors: [],
    refusals: [],
    preflight: [],
    facts: [
      {
        topic: 'registration',
        fact: 'Register a public native client: no secret, authorization code with PKCE. Confidential clients and secrets are for servers.',
        source: 'https://www.rfc-editor.org/rfc/rfc8252#section-8.5',
        date: '2017-10',
        verified: true,
      },
      {
        topic: 'redirects',
        fact: 'A provider must allow any port of a loopback redirect that is registered by its IP literal; not every provider does.',
        source: 'https://www.rfc-editor.org/rfc/rfc8252#section-7.3',
        date: '2017-10',
        verified: true,
      },
      {
        topic: 'prompt',
        fact: 'A provider may ignore offline_access unless prompt=consent is sent, so it is sent.',
        source: 'https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess',
        date: '2023-12-15',
        verified: true,
      },
      {
        topic: 'tokens',
        fact: 'Refresh tokens of public clients are to be rotated or bound to the sender; a provider may give no grace to one that is used twice.',
        source: 'https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2',
        date: '2025-01',
        verified: true,
      },
      {
        topic: 'sign-out',
        fact: 'Where the metadata has a revocation_endpoint, the refresh token is revoked there at sign-out.',
        source: 'https://www.rfc-editor.org/rfc/rfc7009',
        date: '2013-08',
        verified: true,
      },
    ],
  };
}
