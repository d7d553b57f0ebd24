// The options of the embedded provider: every default and its check. Says the option's name, never its value.
import type { PersonClaims } from './people.js';
import type { SigningAlgorithm } from './signing-keys.js';

/** What a host may choose; nothing is needed. */
export interface ProviderOptions {
  /** Default: a free port. */
  readonly port?: number;
  /** Default `latchkey-demo`: a public native client, without a secret (RFC 8252 §8.4). */
  readonly clientId?: string;
  /** What the pages call the app. Default "Latchkey Demo". */
  readonly clientName?: string;
  /**
   * Compared exactly, but for the port of `http://127.0.0.1` (RFC 8252 §7.3). A custom scheme needs a dot in it.
   * Default: `com.example.latchkey-demo:/callback` and `http://127.0.0.1/callback`.
   */
  readonly redirectUris?: readonly string[];
  /** Scopes besides `openid`, `profile`, `email` and `offline_access`. */
  readonly scopes?: readonly string[];
  /** Default 300; `setAccessTokenSeconds` changes it while running. */
  readonly accessTokenSeconds?: number;
  /** Claims of people by their login name, besides the built-in `ada` and `grace`. Any other name can sign in, too. */
  readonly people?: Readonly<Record<string, PersonClaims>>;
  /** What ID tokens are signed with. Default RS256. */
  readonly signingAlgorithm?: SigningAlgorithm;
  /**
   * `openid` (default): OpenID Connect Discovery and RFC 8414. `oauth`: only RFC 8414, as a plain OAuth 2.0 server, whose
   * `userinfo_endpoint` is `/me`. `none`: neither; clients must be told the `endpoints`.
   */
  readonly discovery?: 'openid' | 'oauth' | 'none';
  /** Pushed authorization requests (RFC 9126). Default `off`. */
  readonly pushedAuthorizationRequests?: 'off' | 'supported' | 'required';
}

/** The options, complete. */
export type ProviderSettings = Required<ProviderOptions>;

/** Fills in the defaults. Throws a TypeError that names the option and what was expected. */
export function readProviderOptions(options: ProviderOptions): ProviderSettings {
  const settings: ProviderSettings = {
    port: 0,
    clientId: 'latchkey-demo',
    clientName: 'Latchkey Demo',
    redirectUris: ['com.example.latchkey-demo:/callback', 'http://127.0.0.1/callback'],
    scopes: [],
    accessTokenSeconds: 300,
    people: {},
    signingAlgorithm: 'RS256',
    discovery: 'openid',
    pushedAuthorizationRequests: 'off',
  };
  for (const name of Object.keys(options)) {
    if (!(name in settings)) throw new TypeError(`option "${name}" is unknown`);
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const read: ProviderSettings = { ...settings, ...given };
  if (!Number.isInteger(read.port) || read.port < 0 || read.port > 65_535) throw new TypeError('option "port" must be a port number');
  if (read.redirectUris.length === 0) throw new TypeError('option "redirectUris" must name at least one URI');
  checkAccessTokenSeconds(read.accessTokenSeconds);
  return Object.freeze(read);
}

/** Throws unless it is a whole positive number. */
export function checkAccessTokenSeconds(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 1) throw new TypeError('"accessTokenSeconds" must be a whole number of at least 1');
}
