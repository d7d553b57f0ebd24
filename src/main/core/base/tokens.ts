// The types of tokens that rooms pass to each other, and of what a token is for. Types only. Every
// token in them is a secret.
import type { AccountClaims } from '../../../contract.js';

/**
 * Tokens as the server issued them. Times are milliseconds since 1970. `expiresAt` null: the server
 * sent no lifetime and no refresh token.
 */
export interface TokenSet extends PersonFacts {
  readonly accessToken: string;
  readonly obtainedAt: number;
  readonly expiresAt: number | null;
  readonly refreshToken: string | null;
  readonly scope: string;
  /** After a sign-in: the resources that it requested. */
  readonly resources?: readonly string[];
}

export interface AccessToken {
  readonly token: string;
  readonly obtainedAt: number;
  readonly expiresAt: number | null;
}

/**
 * What an access token is for, if it differs from what the sign-in requested: one resource (RFC
 * 8707 §2.2), or a narrower scope (RFC 6749 §6).
 */
export interface TokenTarget {
  /** Equal for the same resource and scopes. */
  readonly key: string;
  readonly resource: string | null;
  /** The value of the parameter `scope`. */
  readonly scope: string | null;
  /** For the parameter `claims` (OpenID Connect Core §5.5), which Entra reads here too. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Claims that the option `claims` names, by where they come from: the ID token wins. */
export interface SessionClaims {
  readonly idToken: AccountClaims;
  readonly userinfo: AccountClaims;
}

/** Times are milliseconds since 1970, by this computer's clock. */
export interface IdToken {
  readonly token: string;
  readonly obtainedAt: number;
  readonly expiresAt: number;
}

/** What the provider says about the person of a session. */
export interface PersonFacts {
  /** Absent: nothing new is known, or the option `claims` names none. */
  readonly claims?: SessionClaims;
  /**
   * `none`: the last answer brought none that is of use. Absent: that is unknown, so a renewal may
   * bring one.
   */
  readonly idToken?: IdToken | 'none';
}
