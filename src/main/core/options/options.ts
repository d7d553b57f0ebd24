// Checks and freezes the host's options. Every option of auth-options.ts is here with its check and
// its default. Throws AuthError "invalid-options" with the option's name and what was
// expected, never the value.
import {
  type Check,
  callable,
  checkMembers,
  fitting,
  flag,
  freezeDeep,
  list,
  number,
  oneOf,
  optional,
  record,
  refuse,
  requireKnown,
  text,
  url,
} from './option-checks.js';
import { clientSecret, requirePresetRules, resolvePreset } from './preset-option.js';
import { requireRedirects } from './redirect-option.js';
import type {
  ApiSettings,
  AuthOptions,
  EndpointOptions,
  LogoutOptions,
  GivenOptions,
  PagesMayAsk,
  Settings,
} from './auth-options.js';
import { parseApis } from './apis-option.js';
import { migrateFrom } from './migration-option.js';
import { parseResultPage } from './result-page-option.js';
import { isResource, isScope } from './syntax.js';

/**
 * Parameters that Latchkey sets. A host that set them would break the sign-in or its protection.
 */
const OWN_PARAMETERS =
  'client_id redirect_uri response_type response_mode scope state nonce code_challenge code_challenge_method'.split(
    ' ',
  );

const issuer: Check<string> = (value, name) => {
  const address = url(value, name);
  return /[?#]/.test(address)
    ? refuse(name, 'a URL without query and fragment (RFC 8414 §2)')
    : address;
};

const scopes = list(
  1,
  100,
  'a list of 1 to 100 scopes',
  fitting(isScope, 'a list of words without spaces, quotes and backslashes (RFC 6749 §3.3)'),
);

const pagesMayAsk = record({
  scopes: optional(scopes),
  acrValues: optional(scopes),
  maxAge: optional(flag),
  claims: optional(
    list(
      1,
      32,
      'a list of 1 to 32 objects',
      (value, name) => jsonObject(() => JSON.stringify(value)) ?? refuse(name, 'a list of objects'),
    ),
  ),
} satisfies { [Name in keyof PagesMayAsk]-?: Check }) as Check<PagesMayAsk>;

const someResources = 'a list of at most 32 absolute URIs without fragment (RFC 8707 §2)';
const resources = list(0, 32, someResources, fitting(isResource, someResources));

/**
 * None of the protocol: a nonce is a secret, and `_claim_sources` may hold an access token (OpenID
 * Connect Core §5.6.2).
 */
const CLAIM =
  /^(?!(?:iss|sub|aud|exp|nbf|iat|jti|azp|nonce|sid|(?:at|c|s)_hash|_claim_sources)$)[ -~]{1,256}$/;
const claims: Check<readonly string[]> = (value, name) =>
  areClaims(value)
    ? [...value]
    : refuse(name, 'a list of at most 32 claims, each once, none of the protocol');

const endpoints = record({
  authorization: url,
  token: url,
  jwks: optional(url),
  userinfo: optional(url),
  revocation: optional(url),
  endSession: optional(url),
  deviceAuthorization: optional(url),
  issParameterSupported: optional(flag),
} satisfies { [Name in keyof EndpointOptions]-?: Check }) as Check<EndpointOptions>;

const logout = record({
  redirect: optional(text(2048)),
  idTokenHint: optional(flag, false),
} satisfies { [Name in keyof LogoutOptions]-?: Check }) as Check<Settings['logout']>;

const authorizationParameters: Check<Readonly<Record<string, string>>> = (value, name) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(name, 'an object with string values');
  for (const [parameter, words] of Object.entries(value)) {
    if (OWN_PARAMETERS.includes(parameter))
      refuse(name, `free of "${parameter}", which Latchkey sets itself`);
    if (typeof words !== 'string' || words.length > 4096)
      refuse(name, 'an object with string values of at most 4096 characters');
    if (parameter === 'claims' && jsonObject(() => words) === null)
      refuse(name, 'an object whose "claims" is a JSON object');
    if (parameter === 'max_age' && !/^\d{1,9}$/.test(words))
      refuse(name, 'an object whose "max_age" is a number of seconds');
  }
  return { ...value };
};

const someOrigins = 'a list of origins like "https://app.example.com" or "app://main"';
// As a browser writes it. In capitals, with a default port, or with any port of a scheme of the
// app's own, it would match no page, and nobody would know why.
const trustedOrigin = fitting(
  (text) => /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s*A-Z]+$/.test(text) && isWrittenAsOrigin(text),
  `${someOrigins}, as browsers write them and without path`,
);

/**
 * Every option, with its check and its default. `parseOptions` checks what depends on other
 * options.
 */
const OPTIONS = {
  issuer,
  provider: (value: unknown) => value,
  clientId: text(1024),
  redirects: requireRedirects,
  scopes: optional(scopes, ['openid', 'profile', 'email', 'offline_access']),
  resources: optional(resources, []),
  apis: parseApis,
  claims: optional(claims, []),
  keepIdToken: optional(flag, false),
  accounts: optional(oneOf('one', 'several'), 'one'),
  endpoints: optional(endpoints, null),
  clientSecret: optional(clientSecret, null),
  authorizationParameters: optional(authorizationParameters, {}),
  identify: optional(callable<NonNullable<AuthOptions['identify']>>(), null),
  trustedOrigins: optional(list(0, Infinity, someOrigins, trustedOrigin), []),
  pagesMayAsk: optional(pagesMayAsk, {}),
  appWindow: optional(callable<NonNullable<AuthOptions['appWindow']>>(), null),
  attachPreload: optional(flag, true),
  singleInstanceLock: optional(flag, true),
  secretStore: optional(oneOf('auto', 'keychain', 'safe-storage', 'memory'), 'auto'),
  keychainService: optional(text(256), null),
  migrateFrom: optional(migrateFrom, []),
  logout: (value: unknown = {}) => logout(value, 'logout'),
  attemptTimeoutSeconds: optional(number(10, 3_600), 300),
  networkTimeoutSeconds: optional(number(1, 120), 15),
  renewEarlySeconds: optional(number(0, 86_400), 300),
  showAdvice: optional(flag, null),
  resultPage: parseResultPage,
  onLog: optional(callable<NonNullable<AuthOptions['onLog']>>(), null),
} satisfies { [Name in keyof AuthOptions]-?: Check };

/**
 * Checks everything at once and freezes it. Throws `invalid-options` for the first mistake. Options
 * that are only unwise are in option-warnings.ts.
 */
export function parseOptions(options: GivenOptions): Settings {
  requireKnown(options, 'options', OPTIONS);
  const preset = resolvePreset(options);
  const given =
    preset === null
      ? options
      : {
          ...options,
          issuer: preset.issuer,
          endpoints: preset.endpoints ?? undefined,
          scopes: options.scopes === undefined ? preset.scopes : options.scopes,
        };
  // Before the check of the redirects: the provider's own rules give the more useful message.
  if (preset !== null)
    requirePresetRules(preset, {
      redirects: options.redirects,
      scopes: OPTIONS.scopes(given.scopes, 'scopes'),
      clientId: options.clientId,
      hasClientSecret: options.clientSecret !== undefined,
      hasResources: hasResources(options),
    });
  const checked = checkMembers(given, OPTIONS);
  if (checked.endpoints !== null) checkEndpoints(checked.endpoints, checked);
  checkLogout(checked);
  // A page of such a scheme could be a forged callback.
  if (
    checked.redirects.some(
      (redirect) =>
        redirect.kind === 'custom-scheme' &&
        checked.trustedOrigins.some((origin) => origin.startsWith(`${redirect.scheme}:`)),
    )
  )
    refuse(
      'trustedOrigins',
      'free of the schemes of "redirects": pages need a scheme of their own',
    );
  if (checked.migrateFrom.length > 0 && checked.secretStore === 'memory')
    refuse(
      'migrateFrom',
      'left out if "secretStore" is "memory", because a migrated session would be lost with the app',
    );
  const settings: Settings = {
    ...checked,
    provider: preset,
    scopes: [...new Set(checked.scopes)],
    resources: [...new Set([...checked.resources, ...resourcesOf(checked.apis)])],
    authorizationParameters: {
      ...OPTIONS.authorizationParameters(
        preset?.authorizationParameters,
        'authorizationParameters',
      ),
      ...checked.authorizationParameters,
    },
  };
  return freezeDeep(settings);
}

function areClaims(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= 32 &&
    new Set(value).size === value.length &&
    Array.from<unknown>(value).every(
      (claim) => typeof claim === 'string' && CLAIM.test(claim) && !(claim in {}),
    )
  );
}

/** Unchecked yet. */
function hasResources({ resources: given, apis }: GivenOptions): boolean {
  return (
    (Array.isArray(given) && given.length > 0) || resourcesOf(parseApis(apis, 'apis')).length > 0
  );
}

function resourcesOf(apis: readonly ApiSettings[]): readonly string[] {
  return apis.flatMap(({ resource }) => (resource === null ? [] : [resource]));
}

function checkEndpoints(
  endpoints: EndpointOptions,
  { issuer, scopes, redirects }: Pick<Settings, 'issuer' | 'scopes' | 'redirects'>,
): void {
  for (const [name, address] of Object.entries(endpoints)) {
    if (typeof address === 'string' && address.startsWith('http:') && issuer.startsWith('https:'))
      refuse(`endpoints.${name}`, 'an "https:" URL, as the issuer is');
  }
  if (endpoints.jwks === undefined && scopes.includes('openid'))
    refuse('endpoints.jwks', 'given when the scopes contain "openid", to verify the ID token');
  if (
    endpoints.deviceAuthorization === undefined &&
    redirects.some(({ kind }) => kind === 'device-code')
  )
    refuse('endpoints.deviceAuthorization', 'given when the redirects contain "device-code"');
}

/** Null for anything else than a JSON object. */
function jsonObject(text: () => string): Readonly<Record<string, unknown>> | null {
  try {
    const value = JSON.parse(text()) as Readonly<Record<string, unknown>> | null;
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function checkLogout({
  logout: { redirect },
  redirects,
}: Pick<Settings, 'logout' | 'redirects'>): void {
  const isWayBack = redirects.some(
    ({ uri, kind }) => uri === redirect && (kind === 'custom-scheme' || kind === 'loopback'),
  );
  if (redirect !== undefined && !isWayBack)
    refuse('logout.redirect', 'one of "redirects" with a custom scheme or on loopback');
}

function isWrittenAsOrigin(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, host, port } = new URL(address);
  return `${protocol}//${host}` === address && (port === '' || /^https?:$/.test(protocol));
}
