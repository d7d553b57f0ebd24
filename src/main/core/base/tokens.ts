// The types of tokens that rooms pass to each other, and of what a token is for. Types only. Every
// token in them is a secret.

/**
 * Tokens as the server issued them. Times are milliseconds since 1970. `expiresAt` null: the server
 * sent no lifetime and no refresh token.
 */
export interface TokenSet {
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
}
