// Makes an account from claims or userinfo. Claims come from outside: they are cut, cleaned and
// never trusted as markup. Sends nothing; computes only the account id.
import type { AccountView } from '../../../contract.js';
import type { Identity } from '../options/auth-options.js';
import { ANONYMOUS } from '../base/anonymous.js';
import { base64url, digestOf } from '../base/digest.js';

/**
 * Reads the OpenID Connect standard claims (Core §5.1), and `id`, `login` and `avatar_url`, which
 * plain OAuth 2.0 providers use.
 */
export function readClaims(claims: Readonly<Record<string, unknown>>): Identity | null {
  // A number beyond 2^53 has lost digits and may be the id of another person.
  const subject =
    unchanged(claims['sub']) ??
    (Number.isSafeInteger(claims['id']) ? String(claims['id']) : unchanged(claims['id']));
  if (subject === undefined) return null;
  return compact({
    subject,
    name: text(claims['name']),
    username: text(claims['preferred_username']) ?? text(claims['login']),
    email: text(claims['email']),
    picture: pictureUrl(claims['picture'] ?? claims['avatar_url']),
  });
}

/** Fills gaps of the first identity from the second. Both must have the same subject. */
export function mergeIdentity(first: Identity, second: Identity): Identity {
  return { ...second, ...first };
}

/**
 * Makes the account. Its id is a digest of issuer and subject, so that it fits every keychain. The
 * id of an anonymous person is random: two anonymous people are not the same person, and nothing of
 * the first may go to the second.
 */
export async function toAccount(issuer: string, identity: Identity): Promise<AccountView> {
  if (identity === ANONYMOUS)
    return { id: base64url(crypto.getRandomValues(new Uint8Array(16))), issuer, ...identity };
  return { id: await digestOf(`${issuer}\u0000${identity.subject}`), issuer, ...identity };
}

/** Checks what the host's `identify` answered: its type is only a promise. */
export function readIdentity(value: unknown): Identity | null {
  if (typeof value !== 'object' || value === null) return null;
  const { subject, name, username, email, picture } = value as Record<string, unknown>;
  const known = unchanged(subject);
  return known === undefined
    ? null
    : compact({
        subject: known,
        name: text(name),
        username: text(username),
        email: text(email),
        picture: pictureUrl(picture),
      });
}

function compact(
  identity: { readonly subject: string } & {
    readonly [Name in keyof Identity]: string | undefined;
  },
): Identity {
  return Object.fromEntries(
    Object.entries(identity).filter(([, value]) => value !== undefined),
  ) as unknown as Identity;
}

/**
 * The subject unchanged, or undefined: a cleaned or cut subject could name another person (OpenID
 * Connect Core §2 allows 255 ASCII characters).
 */
function unchanged(value: unknown): string | undefined {
  const clean = text(value);
  return clean === value ? clean : undefined;
}

// Control and direction marks can make one name look like another on the screen.
function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const clean = value
    .replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, '')
    .slice(0, 256);
  return clean === '' ? undefined : clean;
}

function pictureUrl(value: unknown): string | undefined {
  return typeof value === 'string' &&
    value.length <= 2048 &&
    value.startsWith('https://') &&
    URL.canParse(value)
    ? value
    : undefined;
}
