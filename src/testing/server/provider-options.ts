// The options of the embedded provider: every default and its check. Errors name the option, never
// its value.
import type { PersonClaims } from './people.js';
import type { RegisteredRedirect } from './registration.js';
import type { SigningAlgorithm } from './signing-keys.js';
import type { ClockLike } from './virtual-clock.js';

/** In the order of the documents. */
export const PERSONALITY_NAMES = [
  'strict',
  'legacy',
  'entra',
  'google',
  'github',
  'keycloak',
  'okta',
] as const;

/** The names of the personalities. */
export type PersonalityName = (typeof PERSONALITY_NAMES)[number];

/** The options of `startProvider`. None is required. */
export interface ProviderOptions {
  /** The provider that it imitates; docs/testing.md lists them. Default `strict`. */
  readonly personality?: PersonalityName;
  /** Default: a free port. */
  readonly port?: number;
  /** Uses `https:` with its own certificate, see `provider.certificate`. Default false. */
  readonly https?: boolean;
  /** Default `latchkey-demo`: a public native client, without a secret (RFC 8252 §8.4). */
  readonly clientId?: string;
  /** The app's name on the pages. Default "Latchkey Demo". */
  readonly clientName?: string;
  /**
   * Compared exactly, except the port of `http://127.0.0.1` (RFC 8252 §7.3); personalities have
   * their own rules. For `entra` an entry may name its platform: `{ uri, platform: 'spa' }`.
   * `provider.register` changes them while running. Default: `com.example.latchkey-demo:/callback`
   * and `http://127.0.0.1/callback`.
   */
  readonly redirectUris?: readonly (string | RegisteredRedirect)[];
  /** Default: none; `google` and `github` require one and have `latchkey-demo-secret`. */
  readonly clientSecret?: string;
  /** `entra`: "Allow public client flows", which device codes need. Default false, as there. */
  readonly publicClientFlows?: boolean;
  /**
   * `entra`: the tenant id, by default that of Microsoft's examples. `keycloak`: the realm, by
   * default `demo`.
   */
  readonly tenant?: string;
  /**
   * How many seconds a rotated refresh token is still accepted. Default: depends on the personality
   * (`strict` 0, `okta` 30).
   */
  readonly graceSeconds?: number;
  /**
   * Default: the machine's clock. With a virtual clock, codes, tokens and sessions expire without
   * waiting.
   */
  readonly clock?: ClockLike;
  /** Scopes in addition to `openid`, `profile`, `email` and `offline_access`. */
  readonly scopes?: readonly string[];
  /**
   * APIs for which an app can get tokens (RFC 8707): absolute URIs. Default: none; the provider
   * then ignores the parameter.
   */
  readonly resources?: readonly string[];
  /**
   * The authentication context classes that a sign-in can reach (`acr_values`, OpenID Connect Core
   * §3.1.2.1). The first one that is asked for is the `acr` of the ID token; the provider asks for the
   * name again to reach it. Default: none, and no `acr`.
   */
  readonly acrValues?: readonly string[];
  /** Default 300; `setAccessTokenSeconds` changes it while running. */
  readonly accessTokenSeconds?: number;
  /**
   * Claims of people by their login name, in addition to the built-in `ada` and `grace`. Any other
   * name can sign in, too.
   */
  readonly people?: Readonly<Record<string, PersonClaims>>;
  /**
   * Names of claims that only the userinfo endpoint tells, and no ID token. Default: none. The scope
   * decides nothing about claims of your own, such as `roles`: every app with `openid` gets them.
   */
  readonly userinfoOnly?: readonly string[];
  /** The algorithm that signs ID tokens. Default RS256. */
  readonly signingAlgorithm?: SigningAlgorithm;
  /**
   * `openid` (default): OpenID Connect Discovery and RFC 8414. `oauth`: only RFC 8414, as a plain
   * OAuth 2.0 server, whose `userinfo_endpoint` is `/me`. `none`: neither; set the `endpoints` in
   * the client by hand.
   */
  readonly discovery?: 'openid' | 'oauth' | 'none';
  /** Pushed authorization requests (RFC 9126). Default `off`. */
  readonly pushedAuthorizationRequests?: 'off' | 'supported' | 'required';
}

/** The options, complete. Null: the personality decides. */
export interface ProviderSettings extends Required<
  Omit<ProviderOptions, 'clientSecret' | 'tenant' | 'graceSeconds' | 'clock'>
> {
  readonly clientSecret: string | null;
  readonly tenant: string;
  readonly graceSeconds: number | null;
  readonly clock: ClockLike | null;
}

/** The personalities that require a secret. */
const SECRETIVE: readonly PersonalityName[] = ['google', 'github'];

const TENANTS: Readonly<Partial<Record<PersonalityName, string>>> = {
  entra: 'aaaabbbb-0000-cccc-1111-dddd2222eeee',
  keycloak: 'demo',
};

/** Fills in the defaults. Throws a TypeError that names the option and what was expected. */
export function readProviderOptions(options: ProviderOptions): ProviderSettings {
  const personality = options.personality ?? 'strict';
  const settings: ProviderSettings = {
    personality,
    port: 0,
    https: false,
    clientId: 'latchkey-demo',
    clientName: 'Latchkey Demo',
    redirectUris: ['com.example.latchkey-demo:/callback', 'http://127.0.0.1/callback'],
    clientSecret: SECRETIVE.includes(personality) ? 'latchkey-demo-secret' : null,
    publicClientFlows: false,
    tenant: TENANTS[personality] ?? '',
    graceSeconds: null,
    clock: null,
    scopes: [],
    resources: [],
    acrValues: [],
    accessTokenSeconds: 300,
    people: {},
    userinfoOnly: [],
    signingAlgorithm: 'RS256',
    discovery: 'openid',
    pushedAuthorizationRequests: 'off',
  };
  for (const name of Object.keys(options)) {
    if (!(name in settings)) throw new TypeError(`option "${name}" is unknown`);
  }
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const read: ProviderSettings = { ...settings, ...given };
  if (!isPersonalityName(read.personality))
    throw new TypeError(`option "personality" must be one of ${PERSONALITY_NAMES.join(', ')}`);
  if (!Number.isInteger(read.port) || read.port < 0 || read.port > 65_535)
    throw new TypeError('option "port" must be a port number');
  if (read.tenant !== '' && !/^[\w.-]+$/.test(read.tenant))
    throw new TypeError('option "tenant" must be a word without slashes');
  if (read.graceSeconds !== null && !(read.graceSeconds >= 0))
    throw new TypeError('option "graceSeconds" must be a number of at least 0');
  if (read.clock !== null && typeof read.clock.now !== 'function')
    throw new TypeError('option "clock" must have a function "now"');
  checkAccessTokenSeconds(read.accessTokenSeconds);
  return Object.freeze(read);
}

/** Throws unless the value is a positive whole number. */
export function checkAccessTokenSeconds(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 1)
    throw new TypeError('"accessTokenSeconds" must be a whole number of at least 1');
}

/** True for the name of a personality. */
export function isPersonalityName(name: unknown): name is PersonalityName {
  return PERSONALITY_NAMES.includes(name as PersonalityName);
}
