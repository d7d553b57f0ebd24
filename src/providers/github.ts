// GitHub as data: plain OAuth 2.0 with endpoints by hand, errors with status 200, and who signed in
// from its API. Read in GitHub's documents and changelog; never tried with a live app.
import type {
  PreflightRule,
  ProviderFact,
  ProviderPreset,
} from '../main/core/options/provider-preset.js';
import { isHostName, oidc } from './oidc.js';

export interface GithubOptions {
  /** The host of a GitHub Enterprise Server. Default `github.com`. */
  readonly host?: string;
}

/**
 * Sign-in with GitHub, for OAuth apps and GitHub Apps. Set the option `clientSecret` to the app's
 * secret, which GitHub requires.
 */
export function github({ host = 'github.com' }: GithubOptions = {}): ProviderPreset {
  const isKnown = isHostName(host);
  const site = `https://${isKnown ? host : 'github.com'}`;
  return {
    // The `iss` of callbacks (RFC 9207). Without the path, Latchkey would refuse every callback.
    ...oidc({ issuer: `${site}/login/oauth`, title: 'GitHub' }),
    name: 'github',
    endpoints: {
      authorization: `${site}/login/oauth/authorize`,
      token: `${site}/login/oauth/access_token`,
      deviceAuthorization: `${site}/login/device/code`,
      userinfo: host === 'github.com' ? 'https://api.github.com/user' : `${site}/api/v3/user`,
    },
    scopes: ['read:user'],
    offlineAccess: 'by-other-means',
    promptConsent: 'never',
    selectAccount: true,
    loginHintParameter: 'login',
    clientSecret: { expected: true, sentBy: 'post' },
    endingErrors: ['bad_refresh_token'],
    refusals: isKnown ? [] : ['github({ host }) with the name of a host as "host"'],
    preflight: RULES,
    facts: FACTS,
  };
}

const RULES: readonly PreflightRule[] = [
  {
    when: { scope: 'openid' },
    verdict: 'refuse',
    option: 'scopes',
    problem: 'it is no OpenID provider and gives no ID token',
    fix: 'leave "openid" out; "read:user" is enough to know who signed in',
  },
  {
    when: { scope: 'offline_access' },
    verdict: 'warn',
    option: 'scopes',
    problem: 'it does not know "offline_access"',
    fix: 'leave it out; for tokens that end and are renewed, use a GitHub App with "User-to-server token expiration"',
  },
  ...(['loopback', 'custom-scheme'] as const).map((kind): PreflightRule => ({
    when: { redirect: { kind }, clientSecret: 'missing' },
    verdict: 'refuse',
    option: 'clientSecret',
    problem:
      'its token endpoint demands the secret of the app also with PKCE, for it does not tell public clients from others',
    fix: 'give the secret (everybody who has your app can read it), or sign in by device code, which needs none',
  })),
];

const AUTHORIZING =
  'https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps';
const TOKEN_ERRORS =
  'https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors';
const REFRESHING =
  'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens';

const FACTS: readonly ProviderFact[] = [
  {
    topic: 'registration',
    fact: 'An OAuth app has one callback URL. GitHub recommends a GitHub App, whose tokens are short-lived and whose permissions are narrow.',
    source: AUTHORIZING,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'redirects',
    fact: 'For a loopback callback URL the port of the request may be any; the path must lie below the registered one. 127.0.0.1 is recommended over localhost.',
    source: AUTHORIZING,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'secret',
    fact: 'The web flow demands client_secret. PKCE with S256 is supported and recommended since July 2025, and replaces no secret: GitHub does not tell public from confidential clients.',
    source:
      'https://github.blog/changelog/2025-07-14-pkce-support-for-oauth-and-github-app-authentication',
    date: '2025-07-14',
    verified: true,
  },
  {
    topic: 'secret',
    fact: 'The device flow needs no secret; it has to be enabled in the settings of the app.',
    source: AUTHORIZING,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'scopes',
    fact: 'There is no ID token and no scope openid. Answers list scopes with commas.',
    source: AUTHORIZING,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'prompt',
    fact: 'prompt knows select_account only; an account is suggested by the parameter login.',
    source: AUTHORIZING,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'identity',
    fact: 'Who signed in is told by GET /user of the API: id, login, name, email, avatar_url.',
    source: AUTHORIZING,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'identity',
    fact: 'Since August 2026 callbacks carry iss=https://github.com/login/oauth (RFC 9207); before, they named no issuer.',
    source: 'https://github.com/pytorch/test-infra/pull/8589',
    date: '2026-08-20',
    verified: true,
  },
  {
    topic: 'errors',
    fact: 'Errors of the token endpoint have the members error, error_description and error_uri in JSON when the request accepts it. That they come with status 200 is not written there.',
    source: TOKEN_ERRORS,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'errors',
    fact: 'A refresh token that is over is answered with the error bad_refresh_token.',
    source: REFRESHING,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'tokens',
    fact: 'Tokens of OAuth apps have no end and no refresh token. User tokens of GitHub Apps live 8 hours and are renewed with a refresh token that rotates.',
    source: REFRESHING,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'sign-out',
    fact: 'There is no revocation as in RFC 7009: the token is forgotten here. People withdraw it under Settings, Applications.',
    source: AUTHORIZING,
    date: '2026-11-24',
    verified: false,
  },
];
