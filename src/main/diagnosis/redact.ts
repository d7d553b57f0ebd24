// Takes out of a text what must not leave the computer in a support bundle: a second net under the
// promise that log events and findings hold no secret. Pure. It rather takes too much than too
// little.

const REMOVED = '[removed]';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Removes queries and fragments of URLs, what looks like a token, e-mail addresses, and the name of
 * the home folder.
 */
export function scrub(text: string, homeFolder: string | null): string {
  const withoutHome =
    homeFolder === null || homeFolder.length < 3 ? text : text.split(homeFolder).join('~');
  return (
    withoutHome
      .replace(
        /\b([A-Za-z][A-Za-z0-9+.-]{1,63}:[^\s?#"'<>]{0,2048})[?#][^\s"'<>]*/g,
        `$1?${REMOVED}`,
      )
      .replace(/[?&#][\w.-]{1,64}=[^\s"'<>]*/g, `?${REMOVED}`)
      .replace(/[^\s@<>"'()]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+/g, REMOVED)
      // Three parts with dots are a JWT; a long word with letters and digits is a token, a code or
      // a key.
      .replace(/\beyJ[\w-]{8,}(?:\.[\w-]*){1,4}/g, REMOVED)
      .replace(/(?<![.\w])[A-Za-z0-9_~+/=.-]{24,}/g, (word) => (looksRandom(word) ? REMOVED : word))
  );
}

/** The same for every text in a value, however deep; keys stay. */
export function scrubDeep<T>(value: T, homeFolder: string | null): T {
  if (typeof value === 'string') return scrub(value, homeFolder) as T;
  if (Array.isArray(value)) return value.map((entry: unknown) => scrubDeep(entry, homeFolder)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, scrubDeep(entry as unknown, homeFolder)]),
  ) as T;
}

/**
 * Words of a language, paths and hosts seldom change between letters and digits. A lone UUID names
 * a tenant or a client.
 */
function looksRandom(word: string): boolean {
  return word
    .split(/[/]/)
    .some(
      (part) =>
        part.length >= 24 &&
        !UUID.test(part) &&
        (part.match(/[0-9](?=[A-Za-z])|[A-Za-z](?=[0-9])/g)?.length ?? 0) >= 4,
    );
}
