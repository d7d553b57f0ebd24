// The people who can sign in: two built-in ones, those of the host, and any other typed name.
// Stores no password: every password works.
import { createHash } from 'node:crypto';

/** What the provider tells about a person (OpenID Connect Core §5.1). */
export interface PersonClaims {
  readonly name?: string;
  readonly email?: string;
  readonly preferred_username?: string;
  /**
   * An `https:` URL. Nobody has one unless the host gives it: a test loads nothing from outside.
   */
  readonly picture?: string;
  /** Any other, such as `roles` and `groups`: told to every app with the scope `openid`. */
  readonly [claim: string]: unknown;
}

/** A person as the endpoints know them. */
export interface Account {
  /** The `sub` claim: the same for the same login name at every provider of this kind. */
  readonly subject: string;
  readonly login: string;
  readonly claims: PersonClaims;
}

/** The people of one provider. */
export interface People {
  /** Finds or makes the account of a login name; upper and lower case are the same person. */
  signIn(login: string): Account;
  /** Null when nobody with this subject ever signed in here. */
  find(subject: string): Account | null;
  /** Changes these claims of a person, also of one who has signed in. Undefined: not told any more. */
  change(login: string, claims: PersonClaims): void;
}

const BUILT_IN: Readonly<Record<string, PersonClaims>> = {
  ada: { name: 'Ada Lovelace', email: 'ada@example.com' },
  grace: { name: 'Grace Hopper', email: 'grace@example.com' },
};

/** Longer names are cut, so that no page and no token grows without bound. */
const LOGIN_LENGTH = 64;

/**
 * The `sub` claim of a login name. It is no login name itself, so a test sees when the two are
 * mixed up.
 */
export function subjectOf(login: string): string {
  return `u-${createHash('sha256').update(normalise(login)).digest('hex').slice(0, 16)}`;
}

function normalise(login: string): string {
  return login.trim().toLowerCase().slice(0, LOGIN_LENGTH);
}

/** Makes the people of one provider. `known` adds to the built-in people and wins over them. */
export function createPeople(known: Readonly<Record<string, PersonClaims>>): People {
  const described = new Map(
    Object.entries({ ...BUILT_IN, ...known }).map(([login, claims]) => [normalise(login), claims]),
  );
  const accounts = new Map<string, Account>();

  return {
    signIn(typed) {
      const login = normalise(typed);
      const subject = subjectOf(login);
      const email = login.includes('@') ? login : `${login.replaceAll(/\s+/g, '.')}@example.com`;
      const claims: PersonClaims = {
        name: typed.trim().slice(0, LOGIN_LENGTH),
        email,
        preferred_username: login,
        ...described.get(login),
      };
      const account: Account = { subject, login, claims };
      accounts.set(subject, account);
      return account;
    },
    find: (subject) => accounts.get(subject) ?? null,
    change(typed, claims) {
      const login = normalise(typed);
      described.set(login, { ...described.get(login), ...claims });
      const account = accounts.get(subjectOf(login));
      if (account !== undefined)
        accounts.set(account.subject, { ...account, claims: { ...account.claims, ...claims } });
    },
  };
}
