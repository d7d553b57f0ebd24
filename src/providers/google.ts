// Google as data: loopback only, a client secret that everybody has, and refresh tokens by a
// parameter instead of a scope. Read in Google's documents and in public threads; never tried with
// a live project.
import type {
  PreflightRule,
  ProviderFact,
  ProviderPreset,
} from '../main/core/options/provider-preset.js';
import { oidc } from './oidc.js';

/**
 * Sign-in with Google. Set the option `clientSecret` to the secret of a client of the type "Desktop
 * app", which is not confidential.
 */
export function google(): ProviderPreset {
  return {
    ...oidc({ issuer: 'https://accounts.google.com', title: 'Google' }),
    name: 'google',
    scopes: ['openid', 'profile', 'email'],
    offlineAccess: 'by-other-means',
    authorizationParameters: { access_type: 'offline' },
    promptConsent: 'always',
    selectAccount: true,
    clientSecret: { expected: true, sentBy: 'post' },
    preflight: RULES,
    facts: FACTS,
  };
}

/** The scheme of a client of the type "iOS"; some desktop apps borrow it. */
const IOS_SCHEME = 'com.googleusercontent.apps.';

const RULES: readonly PreflightRule[] = [
  {
    when: { redirect: { kind: 'custom-scheme', startsNotWith: IOS_SCHEME } },
    verdict: 'refuse',
    option: 'redirects',
    problem: 'for desktop apps it takes loopback redirects only',
    fix: 'use "http://127.0.0.1/callback"; nothing needs to be registered for it',
  },
  {
    when: { redirect: { kind: 'custom-scheme', startsWith: IOS_SCHEME } },
    verdict: 'warn',
    option: 'redirects',
    problem:
      'this scheme belongs to clients of the type "iOS"; nothing says that it goes on working on a desktop',
    fix: 'create a client of the type "Desktop app" and use "http://127.0.0.1/callback"',
  },
  {
    when: { redirect: { kind: 'loopback' }, clientSecret: 'missing' },
    verdict: 'refuse',
    option: 'clientSecret',
    problem:
      'its token endpoint demands the secret of a "Desktop app" client, PKCE or not ("client_secret is missing")',
    fix: 'give the secret that the console shows beside the client id; Google itself says that it is no secret there',
  },
  {
    when: { scope: 'offline_access' },
    verdict: 'refuse',
    option: 'scopes',
    problem: 'it refuses the scope "offline_access" (invalid_scope)',
    fix: 'leave it out; the preset asks for a refresh token by access_type=offline',
  },
  {
    when: { clientIdUnlike: '\\.apps\\.googleusercontent\\.com$' },
    verdict: 'warn',
    option: 'clientId',
    problem: 'its client ids end with ".apps.googleusercontent.com"',
    fix: 'copy the whole client id',
  },
  {
    when: { redirect: { kind: 'device-code' } },
    verdict: 'warn',
    option: 'redirects',
    problem:
      'device codes need a client of the type "TVs and Limited Input devices", and allow few scopes',
    fix: 'use "http://127.0.0.1/callback", or another client id for device codes',
  },
];

const NATIVE = 'https://developers.google.com/identity/protocols/oauth2/native-app';
const LOOPBACK =
  'https://developers.google.com/identity/protocols/oauth2/resources/loopback-migration';
const OVERVIEW = 'https://developers.google.com/identity/protocols/oauth2';

const FACTS: readonly ProviderFact[] = [
  {
    topic: 'registration',
    fact: 'The client type is "Desktop app". Desktop apps open the system browser and supply a loopback address.',
    source: NATIVE,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'redirects',
    fact: 'Loopback redirects are withdrawn for iOS, Android and Chrome clients and stay for desktop apps.',
    source: LOOPBACK,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'redirects',
    fact: 'A "Desktop app" client needs no registered redirect URI; any port of the loopback address works.',
    source: NATIVE,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'secret',
    fact: 'Installed apps are assumed not to keep secrets, and yet the token endpoint answers "client_secret is missing" without the one of the client.',
    source: NATIVE,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'scopes',
    fact: 'The scope offline_access is refused as invalid_scope; access_type=offline takes its place.',
    source: 'https://github.com/holoviz/panel/issues/5815',
    date: '2023-11-05',
    verified: true,
  },
  {
    topic: 'prompt',
    fact: 'After the first consent no refresh token comes unless prompt=consent is sent.',
    source: NATIVE,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'prompt',
    fact: 'prompt knows none, consent and select_account, and not login.',
    source: 'https://dev.to/googleworkspace/google-oidc-and-prompt-login-4d5o',
    date: '2026-11-29',
    verified: true,
  },
  {
    topic: 'tokens',
    fact: 'An answer to a renewal carries no refresh token; the old one stays.',
    source: NATIVE,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'tokens',
    fact: 'Refresh tokens of an external project with the publishing status "Testing" end after 7 days.',
    source: 'https://developers.google.com/google-ads/api/docs/get-started/common-errors',
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'tokens',
    fact: 'A refresh token also ends when it is not used for six months, when the person withdraws access, or when there are too many of them.',
    source: OVERVIEW,
    date: '2022-10-13',
    verified: true,
  },
  {
    topic: 'identity',
    fact: 'ID tokens come from https://accounts.google.com, and discovery works.',
    source: OVERVIEW,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'errors',
    fact: 'Most refusals are shown in the browser and never come back to the app: redirect_uri_mismatch, disallowed_useragent, org_internal, admin_policy_enforced.',
    source: NATIVE,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'sign-out',
    fact: 'The refresh token is revoked at sign-out; there is no end of the browser session for apps.',
    source: OVERVIEW,
    date: '2026-11-24',
    verified: false,
  },
];
