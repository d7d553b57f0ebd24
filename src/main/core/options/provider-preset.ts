// What a provider preset may say: data that the core interprets. Types only; latchkey/providers
// makes presets, core never imports them. Every member is required, so that a preset of a host's
// own is complete or does not compile.

/** One thing that is known of a provider, and where it was read. */
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
  /** The address of the page where it was read; of the best page to check it when it was not. */
  readonly source: string;
  /** The day on which it was looked up, or the date of the page. */
  readonly date: string;
  /**
   * True: it was read in the source. False: general knowledge. Nothing here was tried on a live
   * tenant.
   */
  readonly verified: boolean;
}

/**
 * For a provider with many issuers behind one address: `pattern` holds the placeholder
 * `{tenantid}`, and the ID token's claim `tid`, a GUID, stands for it. `metadata`: whether the
 * published issuer is the pattern itself or one that fits it.
 */
export interface IssuerTemplate {
  readonly pattern: string;
  readonly metadata: 'pattern' | 'filled';
}

/**
 * Properties of one entry of the option `redirects`, as the host wrote it. All that are given must
 * hold.
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

/** When a rule applies: all conditions that are given hold. `redirect`: for at least one entry. */
export interface PreflightCondition {
  readonly redirect?: RedirectTrait;
  readonly scope?: string;
  /** Scopes of more than one API, told apart by what stands before the last slash. */
  readonly scopesOf?: 'several-resources';
  readonly resources?: 'given';
  readonly clientSecret?: 'given' | 'missing';
  /** A regular expression that the client id does not match. */
  readonly clientIdUnlike?: string;
}

/**
 * Something that cannot work (`refuse`) or works badly (`warn`) with this provider, and what to do
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
  /** One short word, such as `entra`. */
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  readonly issuer: string;
  readonly issuerTemplate: IssuerTemplate | null;
  /** Instead of discovery. */
  readonly endpoints: EndpointOptions | null;
  /** What is asked for when the host names no scopes. */
  readonly scopes: readonly string[];
  /** Whether a refresh token is asked for by the scope `offline_access`. */
  readonly offlineAccess: 'by-scope' | 'by-other-means';
  /** The host's own parameters come over these. */
  readonly authorizationParameters: Readonly<Record<string, string>>;
  /** When `prompt=consent` is sent without being asked for (docs/decisions/0007). */
  readonly promptConsent: 'always' | 'with-offline-access' | 'never';
  /** The provider's name for `login_hint` (OpenID Connect Core §3.1.2.1). */
  readonly loginHintParameter: string;
  /**
   * `expected`: this provider gives desktop apps a secret that is none. `sentBy`: `announced` by
   * the metadata.
   */
  readonly clientSecret: {
    readonly expected: boolean;
    readonly sentBy: 'post' | 'basic' | 'announced';
  };
  /**
   * Words with which the token endpoint says of a refresh token what RFC 6749 §5.2 calls
   * `invalid_grant`.
   */
  readonly endingErrors: readonly string[];
  /**
   * What is wrong in the arguments that the preset was made with; completes the sentence "option
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
  /** RFC 8628 §3.1. Required if the redirects contain `'device-code'`. */
  readonly deviceAuthorization?: string;
  /**
   * True: the provider promises `iss` in its callbacks (RFC 9207 §3). A callback without it is then
   * an error.
   */
  readonly issParameterSupported?: boolean;
}
