// Findings about the provider and the network to it, for a diagnosis. Pure: facts in, findings
// out. Behaviour of Latchkey depends on none of this; it is advice for the developer of the app.
import { assertNever } from '../core/base/errors.js';
import type { Announced, ProviderFacts, ProxyFacts, RedirectFacts, TlsFacts } from './facts.js';
import { type Finding, finding, seconds } from './findings.js';
import { LIMITS } from '../core/base/limits.js';

type Unfetched = Exclude<NonNullable<ProviderFacts['discovery']>, { state: 'found' }>;

/** What one must hear of these codes, by Chromium or Node; they mean that TLS has refused. */
const TLS_WORD = /CERT|SSL|TLS|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|SELF_SIGNED/;
/**
 * Answers of a provider that knows client and redirect URI, and only wants a person (OpenID Connect
 * Core §3.1.2.6).
 */
const WANTS_A_PERSON = new Set([
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
]);

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'Nothing listens there: check host and port of the issuer, and whether the provider runs.',
  ERR_CONNECTION_REFUSED:
    'Nothing listens there: check host and port of the issuer, and whether the provider runs.',
  ENOTFOUND: "The name is not known: check the issuer's spelling, and the network's DNS.",
  EAI_AGAIN: 'Names cannot be looked up now: check the network.',
  ERR_NAME_NOT_RESOLVED:
    "The name is not known: check the issuer's spelling, and the network's DNS.",
  ERR_INTERNET_DISCONNECTED: 'There is no network.',
  ERR_PROXY_CONNECTION_FAILED: 'The proxy does not answer: see proxy.',
};

/** Found on the way to the provider, each a finding of its own. */
const ON_THE_WAY = {
  'client-certificate': {
    id: 'tls',
    seen: "the provider's server asks for a client certificate (ERR_SSL_CLIENT_AUTH_CERT_NEEDED)",
    todo: 'Electron gives none to such requests, and none was wanted: turn the question off for the provider\'s endpoints ("ssl_verify_client" of nginx, "https-client-auth" of Keycloak), or serve client certificates at another host.',
  },
  'proxy-password': {
    id: 'proxy',
    seen: 'the proxy asks for a password, and Latchkey has none to give',
    todo: "Let the provider's host pass without a password, or set another proxy for it in the system or by session.setProxy.",
  },
  proxy: {
    id: 'proxy',
    seen: 'the proxy does not answer, or does not let the request pass',
    todo: "Check the address of the proxy in the system's settings, or in session.setProxy of the app, and whether it allows the provider's host.",
  },
} as const;

/** The options that the findings depend on. */
export interface Wishes {
  readonly scopes: readonly string[];
  /** `device-code` is among the redirects. */
  readonly deviceCodes: boolean;
  /** True: the preset gets refresh tokens without the scope `offline_access`. */
  readonly refreshesWithoutScope: boolean;
}

export function judgeProvider(
  facts: ProviderFacts,
  { scopes, deviceCodes, refreshesWithoutScope }: Wishes,
): readonly Finding[] {
  const { discovery, announced, clockOffsetSeconds, redirects } = facts;
  return [
    ...judgeDiscovery(facts),
    ...judgeJwks(facts),
    ...(clockOffsetSeconds === null ? [] : [judgeClock(clockOffsetSeconds)]),
    ...redirects.map(judgeRedirect),
    ...(deviceCodes && announced !== null ? [judgeDeviceCodes(announced)] : []),
    ...(discovery === null || announced === null
      ? []
      : [judgePkce(announced), judgeRefresh(announced, scopes, refreshesWithoutScope)]),
  ];
}

function judgeDiscovery({ issuer, discovery }: ProviderFacts): readonly Finding[] {
  if (discovery === null)
    return [
      finding('discovery', 'ok', 'the endpoints are given by hand; no metadata is asked for'),
    ];
  if (discovery.state === 'found') {
    const which = discovery.document === 'openid' ? 'OpenID Connect' : 'OAuth 2.0';
    return [
      finding('discovery', 'ok', `${issuer} publishes ${which} metadata (${discovery.tookMs} ms)`),
      ...discovery.ignored.map((member) =>
        finding(
          'discovery',
          'warning',
          `the metadata member "${member}" is no "https:" URL, so Latchkey does without it`,
          'Correct it in the configuration of the provider.',
        ),
      ),
      finding('issuer', 'ok', 'the metadata names the same issuer'),
    ];
  }
  if (discovery.code === 'issuer-mismatch')
    return [
      finding('discovery', 'ok', `${issuer} publishes metadata (${discovery.tookMs} ms)`),
      finding(
        'issuer',
        'error',
        discovery.message,
        "Copy the issuer from the provider's metadata, character by character, the slash at the end included.",
      ),
    ];
  return judgeSilence(issuer, discovery);
}

/** No metadata came from there: why, and what to do. */
function judgeSilence(
  issuer: string,
  { code, message, word, trouble, tookMs }: Unfetched,
): readonly Finding[] {
  const seen = `${issuer}: ${message}${word === null ? '' : ` (${word})`}, after ${seconds(tookMs)}`;
  switch (code) {
    case 'network-failed':
      if (trouble !== undefined && trouble in ON_THE_WAY) {
        const { id, seen: what, todo } = ON_THE_WAY[trouble as keyof typeof ON_THE_WAY];
        return [
          finding('discovery', 'error', seen, `See ${id}.`),
          finding(id, 'error', what, todo),
        ];
      }
      if (word !== null && TLS_WORD.test(word))
        return [finding('discovery', 'error', seen, 'See tls.')];
      return [
        finding(
          'discovery',
          'error',
          seen,
          UNREACHABLE[word ?? ''] ?? 'Check the network, the proxy and the issuer.',
        ),
      ];
    case 'network-timeout':
      return [
        finding(
          'discovery',
          'error',
          seen,
          'Something swallows the request: a firewall, or a proxy that is not configured.',
        ),
      ];
    case 'server-unavailable':
      return [
        finding(
          'discovery',
          'error',
          seen,
          'The provider is out of order or asks for patience; try again later.',
        ),
      ];
    case 'response-invalid':
      return [
        finding(
          'discovery',
          'error',
          seen,
          'Something that is not the provider answers, such as a captive portal or a proxy; open the issuer in a browser.',
        ),
      ];
    default:
      return [
        finding(
          'discovery',
          'error',
          seen,
          'Check the issuer: its address with "/.well-known/openid-configuration" behind it must show JSON in a browser.',
        ),
      ];
  }
}

function judgeJwks({ jwks }: ProviderFacts): readonly Finding[] {
  if (jwks === null) return [];
  if (jwks.state === 'failed')
    return [
      finding(
        'jwks',
        'error',
        `the key set cannot be fetched: ${jwks.message}${jwks.word === null ? '' : ` (${jwks.word})`}`,
        'Without it no ID token can be verified. Its address stands in the metadata as "jwks_uri".',
      ),
    ];
  if (jwks.keys === 0)
    return [
      finding(
        'jwks',
        'error',
        'the key set holds no key',
        'Without a key no ID token can be verified; ask the provider.',
      ),
    ];
  return [
    finding(
      'jwks',
      'ok',
      `the key set has ${jwks.keys} ${jwks.keys === 1 ? 'key' : 'keys'} (${jwks.tookMs} ms)`,
    ),
  ];
}

function judgeClock(offsetSeconds: number): Finding {
  const apart = Math.abs(offsetSeconds);
  if (apart <= LIMITS.clockToleranceSeconds)
    return finding(
      'clock',
      'ok',
      `the clocks of this computer and of the provider are ${apart} s apart`,
    );
  const how = offsetSeconds > 0 ? 'behind' : 'ahead of';
  return finding(
    'clock',
    'warning',
    `this computer's clock is ${apart} s ${how} the provider's`,
    "Correct the clock that is wrong. Latchkey judges tokens by the provider's clock, but certificates and other programs use this computer's.",
  );
}

function judgeRedirect({ redirect, answer }: RedirectFacts): Finding {
  switch (answer.state) {
    case 'came-back':
      if (answer.error === null || WANTS_A_PERSON.has(answer.error))
        return finding('redirect', 'ok', `the provider accepts ${redirect}`);
      return finding(
        'redirect',
        'warning',
        `the provider accepts ${redirect}, but answers "${answer.error}"`,
        'Read what the provider says of this word; most often a scope or a grant is not allowed for this client.',
      );
    case 'kept': {
      const words = answer.words.length === 0 ? '' : `, with ${answer.words.join(', ')}`;
      const seen = `the provider does not come back to ${redirect} (status ${answer.status}${words})`;
      // A page of status 200 may be a refusal as well as a sign-in page of a provider that knows no
      // prompt=none.
      if (answer.words.length === 0 && answer.status < 400)
        return finding(
          'redirect',
          'warning',
          seen,
          'Best effort: this provider shows a page where OpenID Connect wants an answer, so it cannot be told. Try a sign-in.',
        );
      return finding('redirect', 'error', seen, todoFor(answer.words));
    }
    case 'failed':
      return finding(
        'redirect',
        'warning',
        `${redirect} could not be asked about: ${answer.message}${answer.word === null ? '' : ` (${answer.word})`}`,
        'Try again.',
      );
    default:
      return assertNever(answer);
  }
}

function todoFor(words: readonly string[]): string {
  if (
    words.includes('invalid_client') ||
    words.includes('unauthorized_client') ||
    words.includes('AADSTS700016')
  )
    return 'The provider does not know this client id, or does not let it use this flow: check the option "clientId" and the registration.';
  return 'Register exactly this redirect URI at the provider, for a native (public) client, and check the client id.';
}

function judgeDeviceCodes({ deviceCodes }: Announced): Finding {
  if (deviceCodes) return finding('device-code', 'ok', 'the provider offers device codes');
  return finding(
    'device-code',
    'warning',
    '"device-code" is in the list, and the provider offers none',
    'Take it out of the option "redirects". If the provider has such an endpoint all the same, name all endpoints in the option "endpoints", without a preset.',
  );
}

function judgePkce({ codeChallengeMethods }: Announced): Finding {
  if (codeChallengeMethods === null)
    return finding(
      'pkce',
      'warning',
      'the metadata says nothing about PKCE',
      'Nothing, if the provider is known to support it (Entra does not say so either). Latchkey always sends it.',
    );
  if (codeChallengeMethods.includes('S256'))
    return finding('pkce', 'ok', 'the provider announces PKCE with S256');
  return finding(
    'pkce',
    'error',
    'the provider announces PKCE, but not S256',
    'Latchkey sends S256 only (RFC 7636 §4.2); ask the provider.',
  );
}

function judgeRefresh(
  { grantTypes, scopes: announcedScopes }: Announced,
  scopes: readonly string[],
  refreshesWithoutScope: boolean,
): Finding {
  const wants = scopes.includes('offline_access');
  if (grantTypes !== null && !grantTypes.includes('refresh_token'))
    return finding(
      'refresh',
      'warning',
      'the provider announces no refresh tokens',
      'Allow the grant "refresh_token" for this client; without it a session ends with its access token.',
    );
  if (wants && announcedScopes !== null && !announcedScopes.includes('offline_access'))
    return finding(
      'refresh',
      'warning',
      'the scope "offline_access" is asked for, and the provider does not announce it',
      'Ask the provider how refresh tokens are asked for, and change the option "scopes".',
    );
  if (refreshesWithoutScope)
    return finding(
      'refresh',
      'ok',
      'the preset asks for refresh tokens in the way of this provider',
    );
  if (!wants)
    return finding(
      'refresh',
      'warning',
      'the scopes do not contain "offline_access"',
      'Most providers give a refresh token only with it; without one a session ends with its access token.',
    );
  return finding(
    'refresh',
    'ok',
    grantTypes === null
      ? 'the provider does not say which grants it has; "offline_access" is asked for'
      : 'the provider announces refresh tokens',
  );
}

export function judgeProxy({ proxies, source }: ProxyFacts): Finding {
  if (source === 'environment') {
    if (proxies.length === 0) return finding('proxy', 'ok', 'no proxy is set in the environment');
    return finding(
      'proxy',
      'warning',
      `the environment names a proxy (${proxies.join(', ')}), which this command does not use`,
      'The app asks the operating system for its proxy instead: run auth.diagnose() in the app to see which.',
    );
  }
  return finding(
    'proxy',
    'ok',
    proxies.length === 0
      ? 'requests go to the provider directly'
      : `requests go through ${proxies.join(', then ')}`,
  );
}

export function judgeTls(facts: TlsFacts): readonly Finding[] {
  switch (facts.state) {
    case 'none':
      return [];
    case 'refused':
      return [
        finding(
          'tls',
          'error',
          `the provider's certificate is refused (${facts.word})${facts.issuer === null ? '' : `; it was issued by ${facts.issuer}`}`,
          "If a company's proxy opens TLS here, its root certificate must be installed in the operating system. Else suspect an attack, or a wrong clock.",
        ),
      ];
    case 'trusted':
      if (facts.publicRoot === false)
        return [
          finding(
            'tls',
            'warning',
            `the provider's certificate was issued by ${facts.issuer}, which no public authority stands behind`,
            'A proxy or virus scanner opens TLS here, or the provider has a private authority. It is trusted by this computer; whether it is meant, only its owner knows.',
          ),
        ];
      return [
        finding(
          'tls',
          'ok',
          `the provider's certificate was issued by ${facts.issuer}${facts.publicRoot === null ? '' : ', a public authority'}`,
        ),
      ];
    default:
      return assertNever(facts);
  }
}
