// Microsoft Entra ID (Azure AD) as data: one address for many tenants, its rules for redirect URIs,
// its habits with scopes. Read in Microsoft's documents and in public threads; never tried on a
// live tenant.
import type {
  PreflightRule,
  ProviderFact,
  ProviderPreset,
} from '../main/core/options/provider-preset.js';
import { isHostName, isText, oidc } from './oidc.js';

export interface EntraOptions {
  /**
   * The accounts that may sign in: one tenant, by its GUID or domain; `organizations`: work and
   * school accounts of any tenant; `consumers`: personal accounts; `common`: both.
   */
  readonly tenant: string;
  /**
   * The host of a national cloud, such as `login.microsoftonline.us`. Default
   * `login.microsoftonline.com`.
   */
  readonly host?: string;
}

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Sign-in with Microsoft Entra ID. The tenant that the ID token names identifies the account, also
 * with `common`.
 */
export function entra({
  tenant,
  host = 'login.microsoftonline.com',
}: EntraOptions): ProviderPreset {
  // Metadata spells tenants in lower case, and issuers are compared exactly.
  const name = isText(tenant, /^/) ? tenant.toLowerCase() : '';
  const isMany = name === 'common' || name === 'organizations';
  const isKnown = isMany || name === 'consumers' || GUID.test(name) || isHostName(name);
  const issuer = (of: string): string => `https://${host}/${of}/v2.0`;
  return {
    ...oidc({ issuer: issuer(isKnown ? name : 'unknown'), title: 'Microsoft Entra ID' }),
    name: 'entra',
    // For a domain and for `consumers`, the metadata names the tenant by its GUID.
    issuerTemplate: GUID.test(name)
      ? null
      : { pattern: issuer('{tenantid}'), metadata: isMany ? 'pattern' : 'filled' },
    promptConsent: 'never',
    selectAccount: true,
    clientSecret: { expected: false, sentBy: 'post' },
    clientCapabilities: ['cp1'],
    refusals: [
      ...(isKnown
        ? []
        : [
            'entra({ tenant }) with a GUID, a domain name, "common", "organizations" or "consumers" as "tenant"',
          ]),
      ...(isHostName(host) ? [] : ['entra({ tenant, host }) with the name of a host as "host"']),
    ],
    preflight: RULES,
    facts: FACTS,
  };
}

const RULES: readonly PreflightRule[] = [
  {
    when: { clientIdUnlike: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' },
    verdict: 'refuse',
    option: 'clientId',
    problem: 'its client ids are GUIDs',
    fix: 'copy "Application (client) ID" from the overview of your app registration',
  },
  {
    when: { resources: 'given' },
    verdict: 'refuse',
    option: 'resources',
    problem: 'version 2 refuses the parameter "resource" (AADSTS901002)',
    fix: 'leave it out and ask for the API by its scopes: getAccessToken({ scopes: ["api://…/.default"] })',
  },
  {
    when: { clientSecret: 'given' },
    verdict: 'refuse',
    option: 'clientSecret',
    problem:
      'a redirect URI of the platform "Mobile and desktop applications" belongs to a public client, which must not send a secret (AADSTS700025)',
    fix: 'leave it out; if Entra asks for one (AADSTS7000218), the redirect URI is registered under "Web": move it',
  },
  {
    when: {
      redirect: { startsWith: 'https://login.microsoftonline.com/common/oauth2/nativeclient' },
    },
    verdict: 'refuse',
    option: 'redirects',
    problem:
      '"…/oauth2/nativeclient" is for apps that show the sign-in page in a window of their own',
    fix: 'register "http://localhost/callback" under "Mobile and desktop applications" and use that',
  },
  {
    when: { redirect: { kind: 'loopback', host: '[::1]' } },
    verdict: 'refuse',
    option: 'redirects',
    problem: 'it does not support the IPv6 loopback address',
    fix: 'use "http://localhost/callback"',
  },
  {
    when: { redirect: { longerThan: 256 } },
    verdict: 'refuse',
    option: 'redirects',
    problem: 'a redirect URI may have 256 characters at most',
    fix: 'choose a shorter path',
  },
  {
    when: { redirect: { withCharacterOf: "!$'(),;" } },
    verdict: 'refuse',
    option: 'redirects',
    problem: "redirect URIs may not hold any of ! $ ' ( ) , ;",
    fix: 'choose a path of letters and digits',
  },
  {
    when: { redirect: { kind: 'loopback', host: '127.0.0.1' } },
    verdict: 'warn',
    option: 'redirects',
    problem: 'the portal does not take "http://127.0.0.1"',
    fix: 'use "http://localhost/callback", or add it to the manifest of the registration by hand',
  },
  {
    when: { redirect: { kind: 'loopback', host: 'localhost', path: 'missing' } },
    verdict: 'warn',
    option: 'redirects',
    problem:
      'the port of localhost is ignored, so "http://localhost" without a path is the same as any other localhost URI of the registration, whose type may be another',
    fix: 'give it a path of its own, such as "http://localhost/callback"',
  },
  {
    when: { redirect: { kind: 'custom-scheme', first: true } },
    verdict: 'warn',
    option: 'redirects',
    problem:
      'for a custom scheme it shows one more page that asks whether the person trusts the app (AADSTS50199)',
    fix: 'put "http://localhost/callback" first and keep the scheme as the second',
  },
  {
    when: { scopesOf: 'several-resources' },
    verdict: 'warn',
    option: 'scopes',
    problem:
      'one token is for one API; a request with the scopes of two fails (AADSTS28000, AADSTS700022)',
    fix: 'name the scopes of one API only',
  },
];

const REPLY_URL = 'https://learn.microsoft.com/entra/identity-platform/reply-url';
const CODE_FLOW = 'https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow';
const OIDC = 'https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc';
const ERRORS = 'https://learn.microsoft.com/entra/identity-platform/reference-error-codes';
const REFRESH = 'https://learn.microsoft.com/entra/identity-platform/refresh-tokens';

const FACTS: readonly ProviderFact[] = [
  {
    topic: 'registration',
    fact: 'A redirect URI has a type: web, spa or native. A spa URI needs an Origin header at the token endpoint and cannot be used by native apps.',
    source: CODE_FLOW,
    date: '2024-04-08',
    verified: true,
  },
  {
    topic: 'registration',
    fact: 'A native app that uses the system browser registers http://localhost under "Mobile and desktop applications".',
    source: CODE_FLOW,
    date: '2024-04-08',
    verified: true,
  },
  {
    topic: 'redirects',
    fact: 'The port of localhost is ignored. When two localhost URIs differ in the port only, Entra picks one arbitrarily and uses its type.',
    source: REPLY_URL,
    date: '2022-08-25',
    verified: true,
  },
  {
    topic: 'redirects',
    fact: 'http://127.0.0.1 cannot be typed in the portal; it has to be written into the manifest. [::1] is not supported.',
    source: REPLY_URL,
    date: '2022-08-25',
    verified: true,
  },
  {
    topic: 'redirects',
    fact: "Path and case must match; a URI without a path comes back with a slash; none of ! $ ' ( ) , ; is allowed; 256 characters at most; no query for personal accounts.",
    source: REPLY_URL,
    date: '2022-08-25',
    verified: true,
  },
  {
    topic: 'redirects',
    fact: 'Redirects to other schemes than http and https make Entra ask the person once more whether the app is the right one (50199, CmsiInterrupt). The document speaks of mobile browsers.',
    source: ERRORS,
    date: '2024-04-24',
    verified: true,
  },
  {
    topic: 'secret',
    fact: 'Public clients, such as native apps, must not send a secret.',
    source: CODE_FLOW,
    date: '2024-04-08',
    verified: true,
  },
  {
    topic: 'scopes',
    fact: 'A refresh token comes only with the scope offline_access. The scopes of a token request belong to one resource.',
    source: CODE_FLOW,
    date: '2024-04-08',
    verified: true,
  },
  {
    topic: 'prompt',
    fact: 'prompt=consent shows the consent dialog at each sign-in; offline_access does not need it. That it is not needed is not said there in so many words.',
    source: CODE_FLOW,
    date: '2024-04-08',
    verified: false,
  },
  {
    topic: 'prompt',
    fact: 'prompt=select_account interrupts single sign-on: the person chooses among the accounts of the browser, or takes another one.',
    source: 'https://learn.microsoft.com/entra/identity-platform/msal-js-prompt-behavior',
    date: '2026-11-29',
    verified: true,
  },
  {
    topic: 'identity',
    fact: 'The metadata of common and organizations names the issuer https://login.microsoftonline.com/{tenantid}/v2.0, with the placeholder in it.',
    source: 'https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration',
    date: '2026-11-24',
    verified: true,
  },
  {
    topic: 'identity',
    fact: 'consumers stands for the tenant 9188040d-6c67-4c5b-b112-36a304b66dad.',
    source: OIDC,
    date: '2023-09-13',
    verified: true,
  },
  {
    topic: 'identity',
    fact: 'The metadata of a domain names the tenant by its GUID.',
    source: OIDC,
    date: '2023-09-13',
    verified: false,
  },
  {
    topic: 'tokens',
    fact: 'A refresh token lives 90 days, 24 hours for spa URIs. Each use gives a new one and does not revoke the old one.',
    source: REFRESH,
    date: '2025-05-14',
    verified: true,
  },
  {
    topic: 'tokens',
    fact: 'Claims challenges come only to clients that announce cp1, in the claim xms_cc of the parameter claims, in authorization and token requests. Tokens for such clients live up to 28 hours.',
    source: 'https://learn.microsoft.com/entra/identity-platform/claims-challenge',
    date: '2026-11-29',
    verified: false,
  },
  {
    topic: 'errors',
    fact: 'AADSTS numbers and texts change at any time; an app may react to error only. Each answer has trace and correlation ids for support.',
    source: ERRORS,
    date: '2024-04-24',
    verified: true,
  },
  {
    topic: 'sign-out',
    fact: 'There is an end_session_endpoint for the browser.',
    source: OIDC,
    date: '2023-09-13',
    verified: true,
  },
  {
    topic: 'sign-out',
    fact: 'There is no revocation endpoint: at sign-out the refresh token is forgotten here and lives there until its end.',
    source: OIDC,
    date: '2023-09-13',
    verified: false,
  },
];
