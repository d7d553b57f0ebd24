// Checks and freezes the host's options; every default and limit of the product stands here, units in the names.
// Throws AuthError "invalid-options" with the option's name and what was expected, never the value.
import type { LogEvent, RedirectOption } from './ports.js';

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
  /** The provider promises `iss` in its callbacks (RFC 9207 §3): then its absence is an error. */
  readonly issParameterSupported?: boolean;
}

/** What a host gives to `createAuth`. Only the first three are required. */
export interface AuthOptions {
  /** The issuer identifier (OpenID Connect Discovery §2, RFC 8414 §2), compared exactly. */
  readonly issuer: string;
  /** The client id of a *public native* client: no secret, PKCE (RFC 8252 §8.4). */
  readonly clientId: string;
  /**
   * What is registered at the provider, best first: `com.example.app:/callback` (RFC 8252 §7.1) or
   * `http://127.0.0.1/callback` (RFC 8252 §7.3; without a port a free one is taken). The first that works here is used.
   */
  readonly redirects: readonly string[];
  /** Default: `openid profile email offline_access`. Without `openid` it is plain OAuth 2.0. */
  readonly scopes?: readonly string[];
  /** Instead of discovery. */
  readonly endpoints?: EndpointOptions;
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
  /** `keychain` (default) or `memory`: never written anywhere. */
  readonly secretStore?: 'keychain' | 'memory';
  /** The service name of the keychain entries. Default: `latchkey:` and the app's name. */
  readonly keychainService?: string;
  /** How long an attempt may wait for the browser. Default 300, 10 to 3600. */
  readonly attemptTimeoutSeconds?: number;
  /** How long one HTTP exchange may take. Default 15, 1 to 120. */
  readonly networkTimeoutSeconds?: number;
  /** How long before its expiry a token is renewed, at most; never more than a third of its life. Default 300, 0 to 86400. */
  readonly renewEarlySeconds?: number;
  /** Receives every log event. Default: warnings and errors go to the console. */
  readonly onLog?: (event: LogEvent) => void;
}

/** The options after the check: complete, parsed and frozen. */
export interface Settings {
  readonly issuer: string;
  readonly clientId: string;
  readonly redirects: readonly RedirectOption[];
  readonly scopes: readonly string[];
  readonly endpoints: EndpointOptions | null;
  readonly authorizationParameters: Readonly<Record<string, string>>;
  readonly identify: ((accessToken: string) => Promise<Identity>) | null;
  readonly trustedOrigins: readonly string[];
  readonly attachPreload: boolean;
  readonly singleInstanceLock: boolean;
  readonly secretStore: 'keychain' | 'memory';
  readonly keychainService: string | null;
  readonly attemptTimeoutSeconds: number;
  readonly networkTimeoutSeconds: number;
  readonly renewEarlySeconds: number;
  readonly onLog: ((event: LogEvent) => void) | null;
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
  /** A keyring's password dialog needs a person; after this the view says so while the call goes on. */
  keyringSlowMs: 2_500,
  /** A dialog that nobody answers: the worker is ended, and `retry()` asks again. */
  keyringTimeoutMs: 120_000,
  /** A keyring that takes longer to store is treated as "not remembered" until it answers. */
  keyringWriteSlowMs: 5_000,
  /** xdg tools were seen to take 4 s on a loaded desktop. */
  redirectPrepareMs: 10_000,
  /** Clocks of laptops are off by this much without anyone noticing (OpenID Connect Core §3.1.3.7 allows a leeway). */
  clockToleranceSeconds: 60,
  /** First pause after a failed renewal; doubled each time. */
  retryBaseMs: 2_000,
  /** A person who opens the laptop should not wait longer for the next try. */
  retryMaxMs: 300_000,
  /** A server may ask for patience, but not for ever. */
  retryAfterMaxMs: 3_600_000,
  /** Without `expires_in` (RFC 6749 §5.1 only recommends it) a token is taken to live this long. */
  assumedLifetimeSeconds: 3_600,
  /** A year: longer lifetimes are taken for a unit mistake and cut. */
  lifetimeMaxSeconds: 31_536_000,
  /** setTimeout overflows past 2^31 ms; a longer wait is made of shorter ones. */
  timerMaxMs: 3_600_000,
} as const;

