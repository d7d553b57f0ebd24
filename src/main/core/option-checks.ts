// The checks of single options: each gives the value in its right type, or throws "invalid-options".
// A message names the option and what was expected, never the value. Knows no option by name.
import { AuthError } from './errors.js';
import { isLoopback } from './redirect-option.js';

/** Throws `invalid-options`. `expected` completes the sentence "option … must be". */
export function refuse(name: string, expected: string): never {
  throw new AuthError('invalid-options', `option "${name}" must be ${expected}`);
}

/** An object with no member beside the known ones. */
export function requireRecord(value: unknown, name: string, known: Readonly<Record<string, true>>): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(name, 'an object');
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(known, key)) {
      const shown = /^[\w-]{1,40}$/.test(key) ? `"${key}"` : 'with an unprintable name';
      throw new AuthError('invalid-options', `unknown option ${shown} in "${name}"; expected one of ${Object.keys(known).join(', ')}`);
    }
  }
}

/** Printable ASCII: what goes on the wire needs no more. */
export function requireText(value: unknown, name: string, maxLength: number): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > maxLength || !/^[\x20-\x7e]+$/.test(value)) {
    refuse(name, `a text of 1 to ${maxLength} printable ASCII characters`);
  }
  return value;
}

/** An absolute `https:` URL, or `http:` of this computer, without credentials. */
export function requireUrl(value: unknown, name: string): URL {
  const text = requireText(value, name, 2048);
  // new URL() repairs spaces, backslashes and missing slashes; a comparison of issuers repairs nothing.
  if (!/^[a-z]+:\/\/[^\s\\]+$/.test(text) || !URL.canParse(text)) return refuse(name, 'an absolute URL like "https://login.example.com"');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') refuse(name, 'a URL without user name and password');
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url;
  return refuse(name, 'an "https:" URL ("http:" only for 127.0.0.1, [::1] or localhost)');
}

/** Null when it was not given. */
export function requireFunction<F>(value: F | undefined, name: string): F | null {
  if (value === undefined) return null;
  return typeof value === 'function' ? value : refuse(name, 'a function');
}

/** `fallback` when it was not given. */
export function requireBoolean(value: unknown, name: string, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  return typeof value === 'boolean' ? value : refuse(name, 'true or false');
}

/** `fallback` when it was not given; both ends are allowed. */
export function requireNumber(value: unknown, name: string, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback;
  return typeof value === 'number' && value >= min && value <= max ? value : refuse(name, `a number from ${min} to ${max}`);
}

/** The first when it was not given. */
export function requireOneOf<const W extends string>(value: unknown, name: string, words: readonly [W, ...W[]]): W {
  if (value === undefined) return words[0];
  return words.find((word) => word === value) ?? refuse(name, words.map((word) => `"${word}"`).join(', ').replace(/, (?=[^,]*$)/, ' or '));
}

/** A list of origins, empty when it was not given. */
export function requireOrigins(value: readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return refuse('trustedOrigins', 'a list of origins like "https://app.example.com"');
  return (value as readonly unknown[]).map((origin) => {
    // As a browser writes it: in capitals or with a default port it would fit no page, and nobody would know why.
    if (typeof origin === 'string' && /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s*]+$/.test(origin) && isWrittenAsOrigin(origin)) return origin;
    return refuse('trustedOrigins', 'a list of origins like "https://app.example.com", as browsers write them and without path');
  });
}

function isWrittenAsOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, host } = new URL(text);
  return `${protocol}//${host}` === text;
}

/** Freezes the value and every object in it. */
export function freezeDeep<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) freezeDeep(member as object);
  }
  return Object.freeze(value);
}
