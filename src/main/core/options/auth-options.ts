// The types of the host's options, and of the settings that options.ts makes from them. Types only.
import type { AuthEvent } from '../base/events.js';
import type { RedirectOption } from '../base/ports.js';
import type { LegacyEntry } from './migration-option.js';
import type { EndpointOptions, ProviderPreset } from './provider-preset.js';
import type { ResultPageOptions, ResultPageSettings } from './result-page-option.js';

export type { LegacyEntry, LegacySession } from './migration-option.js';
export type { EndpointOptions } from './provider-preset.js';
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

/** What Latchkey does with the app's window. Electron's `BaseWindow` and `BrowserWindow` fit. */
export interface AppWindow {
  isDestroyed(): boolean;
  isMinimized(): boolean;
  restore(): void;
  show(): void;
  focus(): void;
}

/**
 * The options of `createAuth`. Required: `clientId`, `redirects`, and `issuer` or `provider`.
 * Everything else has a default.
 */
export type AuthOptions = OptionsWithIssuer | OptionsWithProvider;

/** The options for a provider that is named by its issuer. */
export interface OptionsWithIssuer extends SharedOptions {
  /**
   * The issuer identifier (OpenID Connect Discovery §2, RFC 8414 §2). It is compared exactly. Set
   * this or `provider`.
   */
  readonly issuer: string;
  /** The endpoints, instead of discovery. */
  readonly endpoints?: EndpointOptions;
  readonly provider?: never;
}

/** The options for a provider that has a preset. */
export interface OptionsWithProvider extends SharedOptions {
  /**
   * A preset of `latchkey/providers`, such as `entra({ tenant })`. Set it instead of `issuer` and
   * `endpoints`.
   */
  readonly provider: ProviderPreset;
  readonly issuer?: never;
  readonly endpoints?: never;
}

/** The options of a host before they are checked: it may have set both, or neither. */
export interface GivenOptions extends SharedOptions {
  readonly issuer?: string | undefined;
  readonly endpoints?: EndpointOptions | undefined;
  readonly provider?: ProviderPreset | undefined;
}

/** The options that do not depend on how the provider is named. */
export interface SharedOptions {
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
   * The APIs that `auth.fetch()` may call, by names of yours. Their `resource` counts as an entry of
   * `resources`.
   */
  readonly apis?: Readonly<Record<string, ApiOption>>;
  /**
   * The claims that `account.claims` of the view has (OpenID Connect Core §5.1): members of the ID
   * token, and what is missing there, of userinfo. At most 32. Every trusted page sees them. Latchkey
   * refuses names of the protocol, such as `nonce`.
   */
  readonly claims?: readonly string[];
  /**
   * True: the ID token is kept beside the refresh token, so that `getIdToken()` needs no renewal
   * after a start. Default false: it is in memory only.
   */
  readonly keepIdToken?: boolean;
  /**
   * `one`: a new sign-in replaces the account that was signed in. `several`: all accounts stay
   * signed in; one of them is active, and views and calls refer to it. Default `one`.
   */
  readonly accounts?: 'one' | 'several';
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
   * The origins of pages that may call: `app://main` of a scheme that your app serves (register it
   * as `standard`), `http://localhost:5173` of a development server. `file:` pages below the app's
   * package.json may always call.
   */
  readonly trustedOrigins?: readonly string[];
  /**
   * What pages may ask of `signIn()` beyond `prompt` and `loginHint`; docs/step-up.md. Default:
   * nothing. A page that asks for more is refused with `page-refused`.
   */
  readonly pagesMayAsk?: PagesMayAsk;
  /**
   * Returns the window that comes to the front after a sign-in; null: none; undefined: the default.
   * Called each time. Default: of the visible windows, the one that shows a trusted page and had
   * the focus last; if no window is visible, the hidden one that had the focus last, or the only
   * one.
   */
  readonly appWindow?: () => AppWindow | null | undefined;
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
  /** How `signOut({ endBrowserSession: true })` ends the session in the browser. */
  readonly logout?: LogoutOptions;
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
   * True: errors carry advice for developers, and a failed sign-in writes one line that says what
   * was asked and what came. Default: only while the app is not packaged.
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

/** What pages may ask of `signIn()`, value by value. */
export interface PagesMayAsk {
  readonly scopes?: readonly string[];
  readonly acrValues?: readonly string[];
  /** True: any number of seconds. */
  readonly maxAge?: boolean;
  /** Whole values of the parameter `claims` (OpenID Connect Core §5.5), not parts of them. */
  readonly claims?: readonly Readonly<Record<string, unknown>>[];
}

/** OpenID Connect RP-Initiated Logout 1.0. */
export interface LogoutOptions {
  /**
   * The entry of `redirects` that is registered as `post_logout_redirect_uri`, too: the browser
   * leads back to the app. Default: the person stays on the provider's page.
   */
  readonly redirect?: string;
  /**
   * True: the ID token that is in memory is sent as `id_token_hint`, by a form. For providers that
   * insist on it. Default false.
   */
  readonly idTokenHint?: boolean;
}

/** Where a token may go, and which one. */
export interface ApiOption {
  /** Such as `https://api.example.com`; `http:` for this computer only. It is compared exactly. */
  readonly origin: string;
  /** Paths, with all that is below them: `/v1` lists `/v1/notes`, and not `/v10`. Default: all. */
  readonly paths?: readonly string[];
  /** Default: all. */
  readonly methods?: readonly string[];
  /** As in `getAccessToken({ resource })` (RFC 8707). */
  readonly resource?: string;
  /** As in `getAccessToken({ scopes })`. */
  readonly scopes?: readonly string[];
  /** True: trusted pages may call it, too, by `auth.fetch()` of `latchkey/renderer`. Default false. */
  readonly pages?: boolean;
}

/** A checked entry of `apis`. */
export interface ApiSettings {
  readonly name: string;
  readonly origin: string;
  readonly paths: readonly string[];
  /** Null: all. */
  readonly methods: readonly string[] | null;
  readonly resource: string | null;
  readonly scopes: readonly string[] | null;
  readonly pages: boolean;
}

/** The checked options: complete, parsed and frozen. */
export interface Settings {
  readonly issuer: string;
  readonly provider: ProviderPreset | null;
  readonly clientId: string;
  readonly redirects: readonly RedirectOption[];
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly apis: readonly ApiSettings[];
  readonly claims: readonly string[];
  readonly keepIdToken: boolean;
  readonly accounts: 'one' | 'several';
  readonly endpoints: EndpointOptions | null;
  readonly clientSecret: (() => string) | null;
  readonly authorizationParameters: Readonly<Record<string, string>>;
  readonly identify: ((accessToken: string) => Promise<Identity>) | null;
  readonly trustedOrigins: readonly string[];
  readonly pagesMayAsk: PagesMayAsk;
  readonly appWindow: (() => AppWindow | null | undefined) | null;
  readonly attachPreload: boolean;
  readonly singleInstanceLock: boolean;
  readonly secretStore: StoreChoice | 'memory';
  readonly keychainService: string | null;
  readonly migrateFrom: readonly LegacyEntry[];
  readonly logout: { readonly redirect?: string; readonly idTokenHint: boolean };
  readonly attemptTimeoutSeconds: number;
  readonly networkTimeoutSeconds: number;
  readonly renewEarlySeconds: number;
  /** Null: depends on whether the app is packaged. */
  readonly showAdvice: boolean | null;
  readonly resultPage: ResultPageSettings;
  readonly onLog: ((event: AuthEvent) => void) | null;
}

/**
 * `auto`: the keychain, or the sealed files if there is no keychain. The other two: only that
 * store; a value in the other store moves back to it.
 */
export type StoreChoice = 'auto' | 'keychain' | 'safe-storage';
