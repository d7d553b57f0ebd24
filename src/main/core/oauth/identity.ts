// Makes an account from claims or userinfo. Claims come from outside: they are cut, cleaned and
// never trusted as markup. Sends nothing; computes only the account id.
import type { AccountView } from '../../../contract.js';
import type { Identity } from '../options/auth-options.js';
import { ANONYMOUS } from '../base/anonymous.js';
import { base64url, digestOf } from '../base/digest.js';

/**
 * Reads the OpenID Connect standard claims (Core §5.1), and `id`, `login` and `avatar_url`, which
 * plain OAuth 2.0 providers use. `more`: claims of the same person, for the gaps of the first.
 */
export function readClaims(
  claims: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): Identity | null {
  const subject = subjectOf(claims);
  if (subject === undefined) return null;
  const both = [claims, more];
  return compact({
    subject,
    name: nameOf(both),
    username: firstOf(both, (from) => text(from['preferred_username']) ?? text(from['login'])),
    email: firstOf(both, (from) => text(from['email'])),
    picture: firstOf(both, (from) => pictureUrl(from['picture'] ?? from['avatar_url'])),
  });
}

/**
 * Why the member names no person: it is missing, or it is no usable identifier. Contains nothing of
 * its value.
 */
export function whyNoSubject(value: unknown, member: string): string {
  if (value === undefined || value === null || value === '') return `"${member}" missing`;
  if (typeof value !== 'string') return `"${member}" is no text`;
  return value.length > TEXT_MAX
    ? `"${member}" is longer than ${TEXT_MAX} characters (OpenID Connect Core §2 allows 255)`
    : `"${member}" contains characters that cannot be seen`;
}

/**
 * The name to show (Core §5.1): `name`, or `given_name` and `family_name`. A whole name from the
 * second source is better than half of one from the first.
 */
function nameOf(sources: readonly Readonly<Record<string, unknown>>[]): string | undefined {
  const parts = (from: Readonly<Record<string, unknown>>): readonly string[] =>
    [displayName(from['given_name']), displayName(from['family_name'])].filter(
      (part) => part !== undefined,
    );
  const joined = (from: Readonly<Record<string, unknown>>, wanted: number): string | undefined =>
    parts(from).length < wanted ? undefined : displayName(parts(from).join(' '));
  return (
    firstOf(sources, (from) => displayName(from['name'])) ??
    firstOf(sources, (from) => joined(from, 2)) ??
    firstOf(sources, (from) => joined(from, 1))
  );
}

function firstOf(
  sources: readonly Readonly<Record<string, unknown>>[],
  read: (from: Readonly<Record<string, unknown>>) => string | undefined,
): string | undefined {
  for (const from of sources) {
    const value = read(from);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** A number beyond 2^53 has lost digits and may be the id of another person. */
export function subjectOf(claims: Readonly<Record<string, unknown>>): string | undefined {
  return (
    unchanged(claims['sub']) ??
    (Number.isSafeInteger(claims['id']) ? String(claims['id']) : unchanged(claims['id']))
  );
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
  const said = value as Readonly<Record<string, unknown>>;
  const known = unchanged(said['subject']);
  return known === undefined
    ? null
    : compact({
        subject: known,
        name: nameOf([said]),
        username: text(said['username']),
        email: text(said['email']),
        picture: pictureUrl(said['picture']),
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
 * Connect Core §2 allows 255 ASCII characters). So could one with half a character: in UTF-8, and in
 * the account's id, all halves are the same.
 */
function unchanged(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '' || value.length > TEXT_MAX) return undefined;
  const isPlain = value.replace(UNSEEN, '').replace(JOINERS, '') === value && !HALF.test(value);
  return isPlain ? value : undefined;
}

const TEXT_MAX = 256;

/** Control and direction marks can make one name look like another on the screen. */
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const JOINERS = /[\u200c\u200d]/g;
/** Half a character: a surrogate alone. */
const HALF = /\p{Surrogate}/u;
const HALVES = /\p{Surrogate}/gu;
/**
 * What has no glyph, or an empty one: two names that differ in it alone look the same. Emoji and
 * Japanese names need the variation selectors, and the flag of Scotland the tags behind a black one.
 */
const BLANK =
  /(?![\u200c\u200d\p{Variation_Selector}])(?!(?<=\u{1f3f4}[\u{e0020}-\u{e007f}]{0,8})[\u{e0020}-\u{e007f}])\p{Default_Ignorable_Code_Point}|\u2800/gu;
const UNJOINED = 'Latn Grek Cyrl Armn Geor Hebr Thai Laoo Ethi Hani Hang Hira Kana Bopo'
  .split(' ')
  .map((script) => `\\p{Script=${script}}`)
  .join('');
/** A letter, a mark or an emoji of which the next one's shape may depend. */
const JOINING = `(?![${UNJOINED}])[\\p{L}\\p{M}\\p{Extended_Pictographic}\\p{Emoji_Modifier}]`;
/**
 * A joiner (ZWNJ, ZWJ) stays between two of these: Persian and Indic names need it, and so do
 * emoji. Elsewhere nobody can see it.
 */
const JOINER_OF_NOTHING = new RegExp(
  `(?<!${JOINING})[\\u200c\\u200d]|[\\u200c\\u200d](?!${JOINING})`,
  'gu',
);

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? visible(value.replace(JOINERS, '')) : undefined;
}

function displayName(value: unknown): string | undefined {
  return typeof value === 'string' ? visible(value.replace(JOINER_OF_NOTHING, '')) : undefined;
}

function visible(value: string): string | undefined {
  // The cut may leave half a character, or a joiner with nothing to join.
  const clean = value
    .replace(UNSEEN, '')
    .replace(BLANK, '')
    .slice(0, TEXT_MAX)
    .replace(HALVES, '')
    .replace(/[\u200c\u200d]+$/, '');
  return clean.trim() === '' ? undefined : clean;
}

function pictureUrl(value: unknown): string | undefined {
  return typeof value === 'string' &&
    value.length <= 2048 &&
    value.startsWith('https://') &&
    URL.canParse(value)
    ? value
    : undefined;
}
