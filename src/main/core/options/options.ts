// Checks and freezes the host's options. Every option is here with its check and its default; the
// names contain the units. Throws AuthError "invalid-options" with the option's name and what was
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
import type { AuthEvent } from '../base/events.js';
import type { RedirectOption } from '../base/ports.js';
import type { ProviderPreset } from './provider-preset.js';
import {
  type ResultPageOptions,
  type ResultPageSettings,
  parseResultPage,
} from './result-page-option.js';
import type { StoreChoice } from '../storage/fallback-store.js';
import { type LegacyEntry, migrateFrom } from './migration-option.js';
import { isResource, isScope } from './syntax.js';

export type { LegacyEntry, LegacySession } from './migration-option.js';

export type { ResultPageOptions, ResultPageSettings, ResultTexts } from './result-page-option.js';

/** What the host knows about the person, for a provider of plain OAuth 2.0 (no scope `openid`). */
export interface Identity {
  /** Stable and unique at this issuer. */
  readonly subject: string;
  readonly name?: string;
  readonly username?: string;
  readonly email?: string;
  readonly picture?: string;
}

/**
 * Endpoints set by hand, for a provider without discovery. All are absolute `https:` URLs (`http:`
 * on loopback).
 */
export interface EndpointOptions {
  readonly authorization: string;
  readonly token: string;
  readonly jwks?: string;
  readonly userinfo?: string;
  readonly revocation?: string;
  /** RFC 8628 §3.1. Required if the redirects contain `'device-code'`. */
  readonly deviceAuthorization?: string;
  /**
   * True: the provider promises `iss` in its callbacks (RFC 9207 §3). A callback without it is then
   * an error.
   */
  readonly issParameterSupported?: boolean;
}

/**
 * The options of `createAuth`. Required: `clientId`, `redirects`, and `issuer` or `provider`.
 * Everything else has a default.
 */
export interface AuthOptions {
  /**
   * The issuer identifier (OpenID Connect Discovery §2, RFC 8414 §2). It is compared exactly. Set
   * this or `provider`.
   */
  readonly issuer?: string;
  /**
   * A preset of `latchkey/providers`, such as `entra({ tenant })`. Set it instead of `issuer` and
   * `endpoints`.
   */
  readonly provider?: ProviderPreset;
  /** The client id of a *public native* client: no secret, PKCE (RFC 8252 §8.4). */
  readonly clientId: string;
  /**
   * The redirects that you registered at the provider, best first: `com.example.app:/callback` (RFC
   * 8252 §7.1); `http://127.0.0.1/callback` (RFC 8252 §7.3; without a port, Latchkey uses a free
   * one; several with ports are tried one after the other); `device-code` (RFC 8628);
   * `paste:https://login.example.com/done`, a page from which the person copies the answer.
   * Latchkey uses the first that works. The others are for `tryAnotherWay()`.
   */
  readonly redirects: readonly string[];
  /**
   * Default: `openid profile email offline_access`, or the scopes of the preset. Without `openid`,
   * Latchkey uses plain OAuth 2.0.
   */
  readonly scopes?: readonly string[];
  /**
   * The APIs for which you will call `getAccessToken({ resource })` (RFC 8707): absolute URIs. They
   * are sent with the authorization request, so that the person agrees to them. For providers
   * without resources, such as Entra, use scopes instead.
   */
  readonly resources?: readonly string[];
  /**
   * `one`: a new sign-in replaces the account that was signed in. `several`: all accounts stay
   * signed in; one of them is active, and views and calls refer to it. Default `one`.
   */
  readonly accounts?: 'one' | 'several';
  /** The endpoints, instead of discovery. */
  readonly endpoints?: EndpointOptions;
  /**
   * Only for providers that give desktop apps a secret and demand it, such as Google and GitHub. It
   * is not secret: everybody has the app.
   */
  readonly clientSecret?: string;
  /**
   * Further parameters of the authorization request. You cannot set parameters that Latchkey sets
   * itself. If you set `max_age`, in seconds, the ID token must contain an `auth_time` that fits
   * (OpenID Connect Core §3.1.3.7).
   */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /**
   * Returns who signed in if there is no ID token. Latchkey calls it in the main process with the
   * access token. Default: the userinfo endpoint.
   */
  readonly identify?: (accessToken: string) => Promise<Identity>;
  /**
   * The origins of further pages that may call. `file:` pages of the app and pages of schemes that
   * the app serves itself may always call.
   */
  readonly trustedOrigins?: readonly string[];
  /**
   * True: Latchkey adds its preload to the default session. Set it to false if your own preload
   * imports `latchkey/preload`. Default true.
   */
  readonly attachPreload?: boolean;
  /**
   * True: Latchkey takes Electron's single-instance lock and ends a second instance. Default true.
   */
  readonly singleInstanceLock?: boolean;
  /**
   * Where sessions are kept. `keychain`; `safe-storage`: files that Electron ≥ 42 encrypts;
   * `memory`: never written anywhere. Default `auto`: the keychain, or the files if there is no
   * keychain. A session that is stored elsewhere moves at its next write.
   */
  readonly secretStore?: 'auto' | 'keychain' | 'safe-storage' | 'memory';
  /** The service name of the keychain entries. Default: `latchkey:` and the app's name. */
  readonly keychainService?: string;
  /**
   * Sessions that earlier versions of your app kept. Latchkey migrates one at start, if nobody was
   * ever signed in, so that nobody has to sign in again after the update.
   */
  readonly migrateFrom?: readonly LegacyEntry[];
  /**
   * How long an attempt may wait for one redirect. A device code waits as long as it lives, 30
   * minutes at most. Default 300, 10 to 3600.
   */
  readonly attemptTimeoutSeconds?: number;
  /** How long one HTTP exchange may take. Default 15, 1 to 120. */
  readonly networkTimeoutSeconds?: number;
  /**
   * How long before its expiry a token is renewed, at most. Never more than a third of its
   * lifetime. Default 300, 0 to 86400.
   */
  readonly renewEarlySeconds?: number;
  /**
   * True: errors in the view carry advice for developers. Default: only while the app is not
   * packaged.
   */
  readonly showAdvice?: boolean;
  /**
   * Language, colour and texts of the page that the browser shows at the end of a loopback sign-in.
   * Default: English.
   */
  readonly resultPage?: ResultPageOptions;
  /**
   * Receives every [event](events.md), starting with the first. Default: warnings and errors go to
   * the console.
   */
  readonly onLog?: (event: AuthEvent) => void;
}

/** The checked options: complete, parsed and frozen. */
export interface Settings {
  readonly issuer: string;
  readonly provider: ProviderPreset | null;
  readonly clientId: string;
  readonly redirects: readonly RedirectOption[];
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly accounts: 'one' | 'several';
  readonly endpoints: EndpointOptions | null;
  readonly clientSecret: (() => string) | null;
  readonly authorizationParameters: Readonly<Record<string, string>>;
  readonly identify: ((accessToken: string) => Promise<Identity>) | null;
  readonly trustedOrigins: readonly string[];
  readonly attachPreload: boolean;
  readonly singleInstanceLock: boolean;
  readonly secretStore: StoreChoice | 'memory';
  readonly keychainService: string | null;
  readonly migrateFrom: readonly LegacyEntry[];
  readonly attemptTimeoutSeconds: number;
  readonly networkTimeoutSeconds: number;
  readonly renewEarlySeconds: number;
  /** Null: depends on whether the app is packaged. */
  readonly showAdvice: boolean | null;
  readonly resultPage: ResultPageSettings;
  readonly onLog: ((event: AuthEvent) => void) | null;
}

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

const someResources = 'a list of at most 32 absolute URIs without fragment (RFC 8707 §2)';
const resources = list(0, 32, someResources, fitting(isResource, someResources));

const endpoints = record({
  authorization: url,
  token: url,
  jwks: optional(url),
  userinfo: optional(url),
  revocation: optional(url),
  deviceAuthorization: optional(url),
  issParameterSupported: optional(flag),
} satisfies { [Name in keyof EndpointOptions]-?: Check }) as Check<EndpointOptions>;

const authorizationParameters: Check<Readonly<Record<string, string>>> = (value, name) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(name, 'an object with string values');
  for (const [parameter, words] of Object.entries(value)) {
    if (OWN_PARAMETERS.includes(parameter))
      refuse(name, `free of "${parameter}", which Latchkey sets itself`);
    if (typeof words !== 'string' || words.length > 4096)
      refuse(name, 'an object with string values of at most 4096 characters');
    if (parameter === 'max_age' && !/^\d{1,9}$/.test(words))
      refuse(name, 'without a "max_age" that is not a number of seconds');
  }
  return { ...value };
};

const someOrigins = 'a list of origins like "https://app.example.com"';
// As a browser writes it. In capitals or with a default port it would match no page, and nobody
// would know why.
const trustedOrigin = fitting(
  (text) => /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s*]+$/.test(text) && isWrittenAsOrigin(text),
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
  accounts: optional(oneOf('one', 'several'), 'one'),
  endpoints: optional(endpoints, null),
  clientSecret: optional(clientSecret, null),
  authorizationParameters: optional(authorizationParameters, {}),
  identify: optional(callable<NonNullable<AuthOptions['identify']>>(), null),
  trustedOrigins: optional(list(0, Infinity, someOrigins, trustedOrigin), []),
  attachPreload: optional(flag, true),
  singleInstanceLock: optional(flag, true),
  secretStore: optional(oneOf('auto', 'keychain', 'safe-storage', 'memory'), 'auto'),
  keychainService: optional(text(256), null),
  migrateFrom: optional(migrateFrom, []),
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
export function parseOptions(options: AuthOptions): Settings {
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
  if (checked.migrateFrom.length > 0 && checked.secretStore === 'memory')
    refuse(
      'migrateFrom',
      'left out if "secretStore" is "memory", because a migrated session would be lost with the app',
    );
  const settings: Settings = {
    ...checked,
    provider: preset,
    scopes: [...new Set(checked.scopes)],
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

/** Unchecked yet. */
function hasResources({ resources: given }: AuthOptions): boolean {
  return Array.isArray(given) && given.length > 0;
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

function isWrittenAsOrigin(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, host } = new URL(address);
  return `${protocol}//${host}` === address;
}
