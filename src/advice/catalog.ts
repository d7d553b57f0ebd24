// All advice, and the ways to find an entry: by code, by provider, by the issuer. Pure. A word of
// the standards means something of its own at some providers: the provider's entry comes first.
import { ENTRA_PEOPLE_ADVICE } from './entra-people.js';
import { ENTRA_REGISTRATION_ADVICE } from './entra-registration.js';
import { ENTRA_TOKEN_ADVICE } from './entra-tokens.js';
import type { AdviceEntry, AdviceProvider } from './entry.js';
import { GITHUB_ADVICE } from './github.js';
import { GOOGLE_ADVICE } from './google.js';
import { AUTH0_ADVICE, COGNITO_ADVICE, OKTA_ADVICE } from './hosted.js';
import { KEYCLOAK_ADVICE } from './keycloak.js';
import { OAUTH_ADVICE } from './oauth.js';

/** Every entry, in the order of the documents. */
export const ADVICE: readonly AdviceEntry[] = [
  ...OAUTH_ADVICE,
  ...ENTRA_REGISTRATION_ADVICE,
  ...ENTRA_TOKEN_ADVICE,
  ...ENTRA_PEOPLE_ADVICE,
  ...GOOGLE_ADVICE,
  ...GITHUB_ADVICE,
  ...AUTH0_ADVICE,
  ...OKTA_ADVICE,
  ...KEYCLOAK_ADVICE,
  ...COGNITO_ADVICE,
];

/** What people call them, in the order of the documents. */
export const PROVIDER_TITLES: Readonly<Record<AdviceProvider, string>> = {
  oauth: 'OAuth 2.0 and OpenID Connect',
  entra: 'Microsoft Entra ID',
  google: 'Google',
  github: 'GitHub',
  auth0: 'Auth0',
  okta: 'Okta',
  keycloak: 'Keycloak',
  cognito: 'Amazon Cognito',
};

/**
 * The provider's own entry, else the one of the standards. Without a provider also the only
 * provider that has such a code.
 */
export function findAdvice(code: string, provider?: AdviceProvider): AdviceEntry | null {
  const entries = ADVICE.filter(({ codes }) => codes.includes(code));
  const own =
    entries.find((entry) => entry.provider === provider) ??
    entries.find((entry) => entry.provider === 'oauth');
  if (own !== undefined) return own;
  // A number of Entra's, or a word that one provider alone has, needs no context.
  return entries.length === 1 ? (entries[0] ?? null) : null;
}

const HOSTS: readonly (readonly [AdviceProvider, RegExp])[] = [
  [
    'entra',
    /(?:^|\.)(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net|ciamlogin\.com|b2clogin\.com)$/,
  ],
  ['google', /^(?:accounts\.google\.com|oauth2\.googleapis\.com)$/],
  ['github', /^(?:api\.)?github\.com$/],
  ['auth0', /\.auth0\.com$/],
  ['okta', /\.okta(?:preview|-emea)?\.com$/],
  ['cognito', /(?:^cognito-idp\.[a-z0-9-]+\.amazonaws\.com|\.amazoncognito\.com)$/],
];

/**
 * Whose issuer or address this is, as far as the host tells; Keycloak by the path that it always
 * has.
 */
export function providerOf(url: string): AdviceProvider | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname, pathname } = new URL(url);
  const known = HOSTS.find(([, pattern]) => pattern.test(hostname))?.[0];
  return known ?? (/^(?:\/auth)?\/realms\/[^/]+/.test(pathname) ? 'keycloak' : undefined);
}
