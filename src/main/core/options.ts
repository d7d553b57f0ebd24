// Checks and freezes the host's options; every default and limit of the product stands here, units in the names.
// Throws AuthError "invalid-options" with the option's name and what was expected, never the value.
import { freezeDeep, refuse, requireBoolean, requireFunction, requireNumber, requireOneOf, requireOrigins, requireRecord, requireText, requireUrl } from './option-checks.js';
import { checkWithPreset, requireClientSecret, resolveProvider } from './preset-option.js';
import { requireRedirects } from './redirect-option.js';
import type { AuthEvent } from './events.js';
import type { RedirectOption } from './ports.js';
import type { ProviderPreset } from './provider-preset.js';
import { type ResultPageOptions, type ResultPageSettings, parseResultPage } from './result-page-option.js';
import type { StoreChoice } from './store-choice.js';
import { isResource, isScope } from './token-request.js';
import { type EarlierEntry, requireTakeOver } from './take-over-option.js';

export type { EarlierEntry, EarlierSession } from './take-over-option.js';

export type { ResultPageOptions, ResultPageSettings, ResultTexts } from './result-page-option.js';

/** What the host knows of the person when the provider is plain OAuth 2.0 (no scope `openid`). */
export interface Identity {
  /** Stable and unique at this issuer. */
  readonly subject: string;
  readonly name?: string;
  readonly username?: string;
  readonly email?: string;
  readonly picture?: string;
}

/** Endpoints given by hand, for a provider without discovery. All are absolute `https:` URLs (`http:` on loopback). */
export interface EndpointOptions {
  readonly authorization: string;
  readonly token: string;
  readonly jwks?: string;
  readonly userinfo?: string;
  readonly revocation?: string;
  /** RFC 8628 §3.1; wanted by `'device-code'` among the redirects. */
  readonly deviceAuthorization?: string;
  /** The provider promises `iss` in its callbacks (RFC 9207 §3): then its absence is an error. */
  readonly issParameterSupported?: boolean;
}

/** What a host gives to `createAuth`: `issuer` or `provider`, `clientId` and `redirects`. Everything else has a default. */
export interface AuthOptions {
  /** The issuer identifier (OpenID Connect Discovery §2, RFC 8414 §2), compared exactly. This or `provider`. */
  readonly issuer?: string;
  /** A preset of `latchkey/providers`, such as `entra({ tenant })`, instead of `issuer` and `endpoints`. */
  readonly provider?: ProviderPreset;
  /** The client id of a *public native* client: no secret, PKCE (RFC 8252 §8.4). */
  readonly clientId: string;
  /**
   * What is registered at the provider, best first: `com.example.app:/callback` (RFC 8252 §7.1); `http://127.0.0.1/callback`
   * (RFC 8252 §7.3; without a port a free one is taken, several with ports are tried in turn); `device-code` (RFC 8628);
   * `paste:https://login.example.com/done`, a page from which the person copies the answer. The first that works here is used,
   * the others are for `tryAnotherWay()`.
   */
  readonly redirects: readonly string[];
  /** Default: `openid profile email offline_access`, or what the preset says. Without `openid` it is plain OAuth 2.0. */
  readonly scopes?: readonly string[];
  /**
   * The APIs for which `getAccessToken({ resource })` will be asked (RFC 8707): absolute URIs, sent with the authorization request, so
   * that the person agrees to them. Providers that know no resources, as Entra, take scopes instead.
   */
  readonly resources?: readonly string[];
  /**
   * `one`: who signs in takes the place of who was signed in. `several`: they stay signed in beside each other, and one of them is
   * the active one, which views and calls mean. Default `one`.
   */
  readonly accounts?: 'one' | 'several';
  /** Instead of discovery. */
  readonly endpoints?: EndpointOptions;
  /** For providers that give desktop apps a secret and demand it, as Google and GitHub do. It is not secret: everybody has the app. */
  readonly clientSecret?: string;
  /** Further parameters of the authorization request. Parameters that Latchkey sets itself are refused. */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /** Tells who signed in when there is no ID token. Default: the userinfo endpoint. Called in main with the access token. */
  readonly identify?: (accessToken: string) => Promise<Identity>;
  /** The origins of pages that may call, besides `file:` pages of the app and schemes that the app itself serves. */
  readonly trustedOrigins?: readonly string[];
  /** Latchkey adds its preload to the default session. Default true; false when the host's own preload imports `latchkey/preload`. */
  readonly attachPreload?: boolean;
  /** Latchkey takes Electron's single-instance lock and ends a second instance. Default true. */
  readonly singleInstanceLock?: boolean;
  /**
   * Where sessions are kept. `keychain`; `safe-storage`: files that Electron ≥ 42 encrypts; `memory`: never written anywhere.
   * Default `auto`: the keychain, and where there is none the files. What is stored elsewhere moves when it is written next.
   */
  readonly secretStore?: 'auto' | 'keychain' | 'safe-storage' | 'memory';
  /** The service name of the keychain entries. Default: `latchkey:` and the app's name. */
  readonly keychainService?: string;
  /** Sessions that earlier versions of your app kept, so that nobody has to sign in again after the update. Tried at start, while nobody is known. */
  readonly takeOver?: readonly EarlierEntry[];
  /** How long an attempt may wait for one way; a device code waits as long as it lives, 30 minutes at most. Default 300, 10 to 3600. */
  readonly attemptTimeoutSeconds?: number;
  /** How long one HTTP exchange may take. Default 15, 1 to 120. */
  readonly networkTimeoutSeconds?: number;
  /** How long before its expiry a token is renewed, at most; never more than a third of its life. Default 300, 0 to 86400. */
  readonly renewEarlySeconds?: number;
  /** Errors in the view carry advice for developers. Default: only while the app is not packaged. */
  readonly showAdvice?: boolean;
  /** Language, colour and words of the page that the browser shows at the end of a loopback trip. Default: English. */
  readonly resultPage?: ResultPageOptions;
  /** Receives every [event](events.md), from the first on. Default: warnings and errors go to the console. */
  readonly onLog?: (event: AuthEvent) => void;
}

/** The options after the check: complete, parsed and frozen. */
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
  readonly takeOver: readonly EarlierEntry[];
  readonly attemptTimeoutSeconds: number;
  readonly networkTimeoutSeconds: number;
  readonly renewEarlySeconds: number;
  /** Null: as the app is packaged or not. */
  readonly showAdvice: boolean | null;
  readonly resultPage: ResultPageSettings;
  readonly onLog: ((event: AuthEvent) => void) | null;
  /** What is allowed but unwise, for the log: once each. */
  readonly warnings: readonly string[];
}

/** Limits that no host needs to change. Each says why it is what it is. */
export const LIMITS = {
  /** Entra sends ID tokens and errors of some 10 kB, JWKS of 30 kB; a thousandfold is an attack or a mistake. */
  responseBytes: 1_048_576,
  /** Browsers and registries cut URLs far below this; codes of Entra reach 2 kB. */
  callbackLength: 16_384,
  /** Each open attempt holds a listener and a verifier; a person has no more tabs in mind. */
  openAttempts: 4,
  /** Whoever reaches a loopback port can send callbacks without end; a log of them has an end. */
  strangeCallbacksLogged: 100,
  /** A keyring that is slow to keep an attempt must not hold up the browser; a kill within that time loses the attempt. */
  keepBeforeBrowserMs: 500,
  /** RFC 8628 §3.2: how often to ask when the provider does not say. */
  devicePollMs: 5_000,
  /** RFC 8628 §3.5: what each `slow_down` adds. */
  deviceSlowDownMs: 5_000,
  /** Failures double the pause between questions up to this; the person waits for the app to notice. */
  devicePollMaxMs: 60_000,
  /** Google's codes live 30 minutes; who has not typed one by then has left. */
  deviceCodeMaxMs: 1_800_000,
  /** A keyring's password dialog needs a person; after this the view says so while the call goes on. */
  keyringSlowMs: 2_500,
  /** A dialog that nobody answers: the worker is ended, and `retry()` asks again. */
  keyringTimeoutMs: 120_000,
  /** A keyring that takes longer to store is treated as "not remembered" until it answers. */
  keyringWriteSlowMs: 5_000,
  /** A claim is one read and one removal; who waits longer has met a keyring's dialog. */
  claimWaitMs: 5_000,
  /** What a renewal may take beyond its exchanges and its calls of the keyring, on a computer that is busy. */
  renewalSlackMs: 2_000,
  /** Long enough to store a token that has just arrived, short enough for an app that quits. */
  stopMs: 2_500,
  /** How often storing is tried again while no keyring takes the session; besides every renewal and wake-up. */
  storeRetryMs: 300_000,
  /** xdg tools were seen to take 4 s on a loaded desktop. */
  redirectPrepareMs: 10_000,
  /** Without `max-age` metadata counts as fresh for this long; it changes once in years. */
  metadataFreshMs: 3_600_000,
  /** Entra says a day; whoever says more is taken at a day. */
  metadataFreshMaxMs: 86_400_000,
  /** Metadata of an app that was not opened for a week is asked for anew before it is used. */
  metadataMaxMs: 604_800_000,
  /** Clocks of laptops are off by this much without anyone noticing (OpenID Connect Core §3.1.3.7 allows a leeway). */
  clockToleranceSeconds: 60,
  /** A token that is over as it comes is renewed by itself no sooner; a caller gets a new one each second. */
  lifelessPauseMs: 60_000,
  /** First pause after a failed renewal; doubled each time. */
  retryBaseMs: 2_000,
  /** Keycloak ends a session that is idle for 30 minutes; an idle app must be back before (docs/scaling.md). */
  retryMaxMs: 1_200_000,
  /** A refusal in odd words counts again only after this: a provider that is being deployed must not sign a fleet out. */
  refusalPauseMs: 30_000,
  /** An app talks to a few APIs; a key that changes with each call must not fill the memory. */
  tokenTargets: 64,
  /** A token that an API refuses so soon after it came is not mended by another one; a caller in a loop must not make a renewal of each turn. */
  refusedYoungMs: 5_000,
  /** A person who waits for an answer gives up after a minute; a quarter more or less keeps a fleet apart. */
  hurryMaxMs: 60_000,
  /** A server may ask for patience, but not for ever. */
  retryAfterMaxMs: 3_600_000,
  /** Without `expires_in` (RFC 6749 §5.1 only recommends it) a token is taken to live this long. */
  assumedLifetimeSeconds: 3_600,
  /** A year: longer lifetimes are taken for a unit mistake and cut. */
  lifetimeMaxSeconds: 31_536_000,
  /** Registering a scheme may take 10 s, and asking before who owns it as long. */
  diagnosisStepMs: 25_000,
  /** From the question to the operating system until the URL is back: a second start of the app, on a desktop under load. */
  probeMs: 20_000,
  /** The keychain's process starts in a second or two, on a loaded computer in more; after this a dialog must be open. */
  diagnosisKeyringMs: 10_000,
  /** Apps make their first window as soon as they are ready; one that has none by then is not waited for. */
  windowMadeMs: 100,
  /** A page that loads for longer than this does not hold up the session. */
  firstWindowMs: 3_000,
  /** Enough for the last attempts and renewals, and small enough to read. */
  recentEvents: 200,
  /** setTimeout overflows past 2^31 ms; a longer wait is made of shorter ones. */
  timerMaxMs: 3_600_000,
} as const;

/**
 * How long a renewal waits for another process: as long as one can take that is neither stopped nor broken. That is two
 * exchanges (the second with a token that was found meanwhile), two reads of the record and one write.
 */
export function renewalLockWaitMs({ networkTimeoutSeconds }: Pick<Settings, 'networkTimeoutSeconds'>): number {
  return 2 * networkTimeoutSeconds * 1_000 + 3 * LIMITS.keyringWriteSlowMs + LIMITS.renewalSlackMs;
}

const KNOWN_OPTIONS: { readonly [Name in keyof AuthOptions]-?: true } = {
  issuer: true, provider: true, clientId: true, redirects: true, scopes: true, resources: true, accounts: true, endpoints: true, clientSecret: true, authorizationParameters: true, identify: true,
  trustedOrigins: true, attachPreload: true, singleInstanceLock: true, secretStore: true, keychainService: true, takeOver: true,
  attemptTimeoutSeconds: true, networkTimeoutSeconds: true, renewEarlySeconds: true, showAdvice: true, resultPage: true, onLog: true,
};

const KNOWN_ENDPOINTS: { readonly [Name in keyof EndpointOptions]-?: true } = {
  authorization: true, token: true, jwks: true, userinfo: true, revocation: true, deviceAuthorization: true, issParameterSupported: true,
};

/** Parameters that belong to Latchkey: a host that set them would break the trip or its protection. */
const OWN_PARAMETERS = new Set(['client_id', 'redirect_uri', 'response_type', 'response_mode', 'scope', 'state', 'nonce', 'code_challenge', 'code_challenge_method']);

/** Checks everything at once and freezes it. Throws `invalid-options` for the first thing that is wrong. */
export function parseOptions(options: AuthOptions): Settings {
  requireRecord(options, 'options', KNOWN_OPTIONS);
  const given = resolveProvider(options);
  const issuer = requireUrl(given.issuer, 'issuer');
  if (/[?#]/.test(String(given.issuer))) refuse('issuer', 'a URL without query and fragment (RFC 8414 §2)');
  const scopes = requireScopes(options.scopes === undefined ? given.defaultScopes : options.scopes);
  const presetWarnings = checkWithPreset(given.preset, options, scopes);
  const redirects = requireRedirects(options.redirects);
  const endpoints = given.endpoints === undefined ? null : requireEndpoints(given.endpoints, scopes, issuer, redirects);
  const settings: Settings = {
    issuer: String(given.issuer),
    provider: given.preset,
    clientId: requireText(options.clientId, 'clientId', 1024),
    redirects,
    scopes,
    resources: requireResources(options.resources),
    accounts: requireOneOf(options.accounts, 'accounts', ['one', 'several']),
    endpoints,
    clientSecret: requireClientSecret(options.clientSecret),
    authorizationParameters: { ...requireParameters(given.preset?.authorizationParameters), ...requireParameters(options.authorizationParameters) },
    identify: requireFunction(options.identify, 'identify'),
    trustedOrigins: requireOrigins(options.trustedOrigins),
    attachPreload: requireBoolean(options.attachPreload, 'attachPreload', true),
    singleInstanceLock: requireBoolean(options.singleInstanceLock, 'singleInstanceLock', true),
    secretStore: requireOneOf(options.secretStore, 'secretStore', ['auto', 'keychain', 'safe-storage', 'memory']),
    keychainService: options.keychainService === undefined ? null : requireText(options.keychainService, 'keychainService', 256),
    takeOver: requireTakeOver(options.takeOver, options.secretStore === 'memory'),
    attemptTimeoutSeconds: requireNumber(options.attemptTimeoutSeconds, 'attemptTimeoutSeconds', 300, 10, 3_600),
    networkTimeoutSeconds: requireNumber(options.networkTimeoutSeconds, 'networkTimeoutSeconds', 15, 1, 120),
    renewEarlySeconds: requireNumber(options.renewEarlySeconds, 'renewEarlySeconds', 300, 0, 86_400),
    showAdvice: options.showAdvice === undefined ? null : requireBoolean(options.showAdvice, 'showAdvice', false),
    resultPage: parseResultPage(options.resultPage),
    onLog: requireFunction(options.onLog, 'onLog'),
    warnings: [...unwise(redirects, scopes, issuer, given.preset?.offlineAccess ?? 'by-scope'), ...presetWarnings],
  };
  return freezeDeep(settings);
}

function unwise(redirects: readonly RedirectOption[], scopes: readonly string[], issuer: URL, offlineAccess: ProviderPreset['offlineAccess']): readonly string[] {
  const warnings: string[] = [];
  for (const redirect of redirects) {
    if (redirect.kind === 'custom-scheme' && !redirect.scheme.includes('.')) {
      warnings.push('option "redirects": a scheme without a dot may belong to another app; use a reversed domain name (RFC 8252 §7.1)');
    }
  }
  if (offlineAccess === 'by-scope' && !scopes.includes('offline_access')) {
    warnings.push('option "scopes": without "offline_access" most providers give no refresh token, and the session ends with the access token');
  }
  if (issuer.protocol === 'http:') warnings.push('option "issuer": "http:" is for a provider on this computer only');
  return [...new Set(warnings)];
}

function requireScopes(value: readonly string[]): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 100) return refuse('scopes', 'a list of 1 to 100 scopes');
  const scopes = (value as readonly unknown[]).map((scope) => {
    if (typeof scope === 'string' && isScope(scope)) return scope;
    return refuse('scopes', 'a list of words without spaces, quotes and backslashes (RFC 6749 §3.3)');
  });
  return [...new Set(scopes)];
}

function requireResources(value: readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > 32 || !value.every(isResource)) return refuse('resources', 'a list of at most 32 absolute URIs without fragment (RFC 8707 §2)');
  return [...value];
}

function requireEndpoints(value: EndpointOptions, scopes: readonly string[], issuer: URL, redirects: readonly RedirectOption[]): EndpointOptions {
  requireRecord(value, 'endpoints', KNOWN_ENDPOINTS);
  for (const name of ['authorization', 'token', 'jwks', 'userinfo', 'revocation', 'deviceAuthorization'] as const) {
    if (value[name] === undefined && name !== 'authorization' && name !== 'token') continue;
    if (requireUrl(value[name], `endpoints.${name}`).protocol !== issuer.protocol && issuer.protocol === 'https:') refuse(`endpoints.${name}`, 'an "https:" URL, as the issuer is');
  }
  if (value.jwks === undefined && scopes.includes('openid')) refuse('endpoints.jwks', 'given when the scopes contain "openid", to verify the ID token');
  if (value.deviceAuthorization === undefined && redirects.some(({ kind }) => kind === 'device-code')) refuse('endpoints.deviceAuthorization', 'given when the redirects contain "device-code"');
  requireBoolean(value.issParameterSupported, 'endpoints.issParameterSupported', false);
  return { ...value };
}

function requireParameters(value: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('authorizationParameters', 'an object of texts');
  for (const [name, text] of Object.entries(value)) {
    if (OWN_PARAMETERS.has(name)) refuse('authorizationParameters', `free of "${name}", which Latchkey sets itself`);
    if (typeof text !== 'string' || text.length > 4096) refuse('authorizationParameters', 'an object of texts of at most 4096 characters');
  }
  return { ...value };
}
