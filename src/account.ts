// Who is signed in, as a page may know it: types only, for contract.ts. May not import anything, and
// may not name a token.

/** A signed-in person: one issuer, one subject. Contains no secret. */
export interface AccountView {
  /** Opaque and stable: the same person at the same issuer always has the same id. */
  readonly id: string;
  /** Who vouches for the person: the issuer of the ID token, else the one of the options. */
  readonly issuer: string;
  /** The `sub` claim (OpenID Connect Core §2). */
  readonly subject: string;
  /** The person's name as it is shown (`name`). Absent if the provider does not tell it. */
  readonly name?: string;
  /** The name for signing in (`preferred_username`). It may change and may be given again. */
  readonly username?: string;
  /** As the provider tells it; Latchkey does not ask whether it was verified. */
  readonly email?: string;
  /** An `https:` URL. A page that shows it must allow it in its CSP. */
  readonly picture?: string;
}

/** A value of JSON, as the provider sent it. */
export type ClaimValue =
  | string
  | number
  | boolean
  | null
  | readonly ClaimValue[]
  | { readonly [member: string]: ClaimValue };

/** Claims by their names (OpenID Connect Core §5.1). Frozen plain data. */
export type AccountClaims = Readonly<Record<string, ClaimValue>>;

/** The account that is signed in and active. */
export interface ActiveAccountView extends AccountView {
  /**
   * Of the claims that the option `claims` names, those that the provider has told, unchanged. Never
   * use a text in it as markup. Absent if the option names none, and after an update of the app that
   * added the option, until the next ID token.
   */
  readonly claims?: AccountClaims;
}
