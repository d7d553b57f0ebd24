// What a provider preset may contain: data that the core interprets. Types only: latchkey/providers
// makes presets, and core may not import them. Every member is required, so that a host's own
// preset is complete or does not compile.

/** One fact about a provider, and its source. */
export interface ProviderFact {
  readonly topic:
    | 'registration'
    | 'redirects'
    | 'scopes'
    | 'prompt'
    | 'secret'
    | 'tokens'
    | 'identity'
    | 'errors'
    | 'sign-out';
  readonly fact: string;
  /** The page where it was read; if `verified` is false, the best page to check it. */
  readonly source: string;
  /** The day when it was looked up, or the date of the page. */
  readonly date: string;
  /**
   * True: it was read in the source. False: it is general knowledge. No fact was tried on a live
   * tenant.
   */
  readonly verified: boolean;
}

/**
 * For a provider with many issuers behind one address. `pattern` contains the placeholder
 * `{tenantid}`, which the ID token's claim `tid`, a GUID, replaces. `metadata`: whether the
 * published issuer is the pattern itself or a filled one.
 */
export interface IssuerTemplate {
  readonly pattern: string;
  readonly metadata: 'pattern' | 'filled';
}

/**
 * Properties of one entry of the option `redirects`, as the host wrote it. All given properties
 * must be true.
 */
export interface RedirectTrait {
  readonly kind?: 'custom-scheme' | 'loopback' | 'https' | 'device-code' | 'paste';
  readonly host?: string;
  /** For loopback: whether the entry names a port. */
  readonly port?: 'named' | 'free';
  readonly path?: 'missing';
  readonly first?: true;
  readonly longerThan?: number;
  readonly withCharacterOf?: string;
  readonly startsWith?: string;
  readonly startsNotWith?: string;
}

/** A rule applies when all given conditions are true. `redirect`: for at least one entry. */
export interface PreflightCondition {
  readonly redirect?: RedirectTrait;
  readonly scope?: string;
  /** Scopes of more than one API; the text before the last slash tells the API. */
  readonly scopesOf?: 'several-resources';
  readonly resources?: 'given';
  readonly clientSecret?: 'given' | 'missing';
  /** A regular expression that the client id does not match. */
  readonly clientIdUnlike?: string;
}

/**
 * An option that cannot work (`refuse`) or works badly (`warn`) with this provider, and what to do
 * instead.
 */
export interface PreflightRule {
  readonly when: PreflightCondition;
  readonly verdict: 'refuse' | 'warn';
  readonly option: 'redirects' | 'scopes' | 'resources' | 'clientSecret' | 'clientId';
  readonly problem: string;
  readonly fix: string;
}

/** A provider as data. */
export interface ProviderPreset {
  /** One short word, for example `entra`. */
  readonly name: string;
  /** The name that people use. */
  readonly title: string;
  readonly issuer: string;
  readonly issuerTemplate: IssuerTemplate | null;
  /** Null: the provider's metadata is discovered. */
  readonly endpoints: EndpointOptions | null;
  /** The scopes that are requested when the host gives none. */
  readonly scopes: readonly string[];
  /** Whether the scope `offline_access` requests a refresh token. */
  readonly offlineAccess: 'by-scope' | 'by-other-means';
  /** The host's parameters replace these. */
  readonly authorizationParameters: Readonly<Record<string, string>>;
  /** When `prompt=consent` is sent although nobody asks for it (docs/decisions/0007). */
  readonly promptConsent: 'always' | 'with-offline-access' | 'never';
  /**
   * Whether `prompt=select_account` offers the choice of account (OpenID Connect Core §3.1.2.1).
   * False: only if the metadata names it in `prompt_values_supported`.
   */
  readonly selectAccount: boolean;
  /** The provider's name for `login_hint` (OpenID Connect Core §3.1.2.1). */
  readonly loginHintParameter: string;
  /**
   * `expected`: this provider gives desktop apps a client secret that is not really secret.
   * `sentBy`: how it is sent; `announced`: as the metadata says.
   */
  readonly clientSecret: {
    readonly expected: boolean;
    readonly sentBy: 'post' | 'basic' | 'announced';
  };
  /**
   * What this client can do, in the claim `xms_cc` of the parameter `claims` of every authorization
   * and token request. Entra sends claims challenges to clients with `cp1` only.
   */
  readonly clientCapabilities: readonly string[];
  /**
   * Error codes that this token endpoint sends for a refresh token instead of `invalid_grant` (RFC
   * 6749 §5.2).
   */
  readonly endingErrors: readonly string[];
  /**
   * What is wrong with the arguments of the preset; each text completes the sentence "option
   * "provider" must be".
   */
  readonly refusals: readonly string[];
  readonly preflight: readonly PreflightRule[];
  readonly facts: readonly ProviderFact[];
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
  /** RP-Initiated Logout 1.0 §2.1. */
  readonly endSession?: string;
  /** RFC 8628 §3.1. Required if the redirects contain `'device-code'`. */
  readonly deviceAuthorization?: string;
  /**
   * True: the provider promises `iss` in its callbacks (RFC 9207 §3). A callback without it is then
   * an error.
   */
  readonly issParameterSupported?: boolean;
}
