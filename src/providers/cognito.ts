// Amazon Cognito user pools as data: issuer and endpoints on different hosts, no scope
// offline_access, http only for localhost. Read in Amazon's documents; never tried on a live user
// pool.
import type {
  PreflightRule,
  ProviderFact,
  ProviderPreset,
} from '../main/core/options/provider-preset.js';
import { isHostName, isText, oidc } from './oidc.js';

export interface CognitoOptions {
  /** The region of the user pool, such as `eu-central-1`. */
  readonly region: string;
  /** The id of the user pool, such as `eu-central-1_AbCdEfGhI`. */
  readonly userPoolId: string;
  /** The prefix of the pool's domain, such as `notes`, or a custom domain with its dots. */
  readonly domain: string;
}

const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/;
const PREFIX = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Sign-in with the pages of an Amazon Cognito user pool. */
export function cognito({ region, userPoolId, domain }: CognitoOptions): ProviderPreset {
  const isRegion = isText(region, REGION);
  const isPool =
    isRegion && isText(userPoolId, /^[A-Za-z0-9_-]{3,64}$/) && userPoolId.startsWith(`${region}_`);
  const isDomain = isText(domain, PREFIX) || isHostName(domain);
  const issuer = isPool
    ? `https://cognito-idp.${region}.amazonaws.com/${userPoolId}`
    : 'https://unknown.example';
  const pages =
    !isDomain || !isRegion
      ? 'https://unknown.example'
      : domain.includes('.')
        ? `https://${domain}`
        : `https://${domain}.auth.${region}.amazoncognito.com`;
  return {
    ...oidc({ issuer, title: 'Amazon Cognito' }),
    name: 'cognito',
    endpoints: {
      authorization: `${pages}/oauth2/authorize`,
      token: `${pages}/oauth2/token`,
      userinfo: `${pages}/oauth2/userInfo`,
      revocation: `${pages}/oauth2/revoke`,
      jwks: `${issuer}/.well-known/jwks.json`,
    },
    scopes: ['openid', 'profile', 'email'],
    offlineAccess: 'by-other-means',
    promptConsent: 'never',
    clientSecret: { expected: false, sentBy: 'basic' },
    refusals: [
      ...(isRegion ? [] : ['cognito({ region }) with a region such as "eu-central-1" as "region"']),
      ...(isPool
        ? []
        : [
            'cognito({ userPoolId }) with the id of a pool of that region, such as "eu-central-1_AbCdEfGhI", as "userPoolId"',
          ]),
      ...(isDomain
        ? []
        : [
            'cognito({ domain }) with the prefix of the pool\'s domain, or a custom domain, as "domain"',
          ]),
    ],
    preflight: RULES,
    facts: FACTS,
  };
}

const RULES: readonly PreflightRule[] = [
  {
    when: { redirect: { kind: 'loopback', port: 'free' } },
    verdict: 'warn',
    option: 'redirects',
    problem:
      'callback URLs have to be registered as they are sent, and a free port is another one each time',
    fix: 'name two or three ports, such as "http://localhost:49321/callback", and register each; or use a custom scheme',
  },
  ...['127.0.0.1', '[::1]'].map((host): PreflightRule => ({
    when: { redirect: { kind: 'loopback', host } },
    verdict: 'warn',
    option: 'redirects',
    problem: 'its documents name "http://localhost" as the one exception to https',
    fix: 'use "http://localhost:49321/callback", or a custom scheme',
  })),
  {
    when: { scope: 'offline_access' },
    verdict: 'warn',
    option: 'scopes',
    problem: 'it has no scope "offline_access" and gives refresh tokens without it',
    fix: 'leave it out',
  },
];

const GUIDE = 'https://docs.aws.amazon.com/cognito/latest/developerguide';

const FACTS: readonly ProviderFact[] = [
  {
    topic: 'registration',
    fact: 'A public app client has no client secret; the allowed flow is the authorization code grant, with PKCE.',
    source: `${GUIDE}/user-pool-settings-client-apps.html`,
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'redirects',
    fact: 'Callback URLs are registered beforehand. http is for http://localhost only, "for testing"; app schemes such as myapp://example are supported.',
    source: `${GUIDE}/authorization-endpoint.html`,
    date: '2023-06',
    verified: true,
  },
  {
    topic: 'secret',
    fact: 'A client that was given a secret must send it by Basic authentication.',
    source: `${GUIDE}/token-endpoint.html`,
    date: '2023-06',
    verified: true,
  },
  {
    topic: 'scopes',
    fact: 'Scopes are openid, email, phone, profile, aws.cognito.signin.user.admin and those of your own resource servers.',
    source: `${GUIDE}/authorization-endpoint.html`,
    date: '2023-06',
    verified: true,
  },
  {
    topic: 'prompt',
    fact: 'No prompt is needed for a refresh token.',
    source: `${GUIDE}/authorization-endpoint.html`,
    date: '2023-06',
    verified: false,
  },
  {
    topic: 'tokens',
    fact: 'The token endpoint gives a refresh token with the code only; answers to renewals carry none, unless rotation is on.',
    source: `${GUIDE}/token-endpoint.html`,
    date: '2023-06',
    verified: true,
  },
  {
    topic: 'tokens',
    fact: 'With rotation there is a grace of 0 to 60 seconds for the old refresh token.',
    source: `${GUIDE}/amazon-cognito-user-pools-using-the-refresh-token.html`,
    date: '2026-11-24',
    verified: false,
  },
  {
    topic: 'errors',
    fact: 'Error answers have the member error and mostly no more.',
    source: `${GUIDE}/token-endpoint.html`,
    date: '2023-06',
    verified: true,
  },
  {
    topic: 'sign-out',
    fact: 'Refresh tokens are revoked at /oauth2/revoke, with the access tokens that came from them.',
    source: `${GUIDE}/revocation-endpoint.html`,
    date: '2023-06',
    verified: true,
  },
];
