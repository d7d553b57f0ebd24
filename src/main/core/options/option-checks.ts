// The checks for options: each returns the value in its type, or throws "invalid-options". A
// message names the option and what was expected, and must not contain the value. Knows no option
// by name.
import { AuthError } from '../base/errors.js';
import { isLoopback } from './syntax.js';

/**
 * Returns the value in its type, or throws `invalid-options`. `name` is the option's name in the
 * message.
 */
export type Check<T = unknown> = (value: unknown, name: string) => T;

/** The members that an object may have, and their checks. */
export type Checks = Readonly<Record<string, Check>>;

/** The object after the checks. */
export type Checked<C extends Checks> = { readonly [Name in keyof C]: ReturnType<C[Name]> };

/** Throws `invalid-options`. `expected` completes the sentence "option … must be". */
export function refuse(name: string, expected: string): never {
  throw new AuthError('invalid-options', `option "${name}" must be ${expected}`);
}

/** Throws unless the value is an object that has only the known members. */
export function requireKnown(
  value: unknown,
  name: string,
  known: Readonly<Record<string, unknown>>,
): asserts value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(name, 'an object');
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(known, key)) continue;
    const shown = /^[\w-]{1,40}$/.test(key) ? `"${key}"` : 'with an unprintable name';
    throw new AuthError(
      'invalid-options',
      `unknown option ${shown} in "${name}"; expected one of ${Object.keys(known).join(', ')}`,
    );
  }
}

/**
 * Checks all members. `prefix` goes before their names in messages. Leaves out members that are
 * undefined after their check.
 */
export function checkMembers<C extends Checks>(
  value: Readonly<Record<string, unknown>>,
  checks: C,
  prefix = '',
): Checked<C> {
  const members = Object.entries(checks).map(([name, check]) => [
    name,
    check(value[name], prefix + name),
  ]);
  return Object.fromEntries(members.filter(([, checked]) => checked !== undefined)) as Checked<C>;
}

/** An object with these members and no others. */
export function record<C extends Checks>(checks: C): Check<Checked<C>> {
  return (value, name) => {
    requireKnown(value, name, checks);
    return checkMembers(value, checks, `${name}.`);
  };
}

/** Gives `fallback` when the value is undefined. */
export function optional<T>(check: Check<T>): Check<T | undefined>;
export function optional<T, const F>(check: Check<T>, fallback: F): Check<T | F>;
export function optional<T, F>(check: Check<T>, fallback?: F): Check<T | F | undefined> {
  return (value, name) => (value === undefined ? fallback : check(value, name));
}

/** A text for which `fits` is true; `expected` completes the message. */
export function fitting(fits: (value: string) => boolean, expected: string): Check<string> {
  return (value, name) =>
    typeof value === 'string' && fits(value) ? value : refuse(name, expected);
}

/** A text that matches the pattern. */
export function matching(pattern: RegExp, expected: string): Check<string> {
  return fitting((value) => pattern.test(value), expected);
}

/** Printable ASCII: parameters of the protocol need no more. */
export function text(maxLength: number): Check<string> {
  return matching(
    new RegExp(`^[ -~]{1,${maxLength}}$`),
    `a text of 1 to ${maxLength} printable ASCII characters`,
  );
}

/** One of these words. */
export function oneOf<W extends string>(...words: readonly W[]): Check<W> {
  const quoted = words.map((word) => `"${word}"`);
  const last = quoted.pop();
  return (value, name) =>
    words.find((word) => word === value) ?? refuse(name, `${quoted.join(', ')} or ${last}`);
}

export const flag: Check<boolean> = (value, name) =>
  typeof value === 'boolean' ? value : refuse(name, 'true or false');

/** Both ends are allowed. */
export function number(min: number, max: number): Check<number> {
  return (value, name) =>
    typeof value === 'number' && value >= min && value <= max
      ? value
      : refuse(name, `a number from ${min} to ${max}`);
}

/** Checks only that the value can be called. */
export function callable<F>(): Check<F> {
  return (value, name) => (typeof value === 'function' ? (value as F) : refuse(name, 'a function'));
}

/** A list of `min` to `max` members; messages about a member have the list's name. */
export function list<T>(
  min: number,
  max: number,
  expected: string,
  check: Check<T>,
): Check<readonly T[]> {
  return (value, name) =>
    Array.isArray(value) && value.length >= min && value.length <= max
      ? value.map((member) => check(member, name))
      : refuse(name, expected);
}

/**
 * An absolute `https:` URL, or an `http:` URL of this computer, without credentials. The text stays
 * unchanged.
 */
export const url: Check<string> = (value, name) => {
  const address = text(2048)(value, name);
  // new URL() repairs spaces, backslashes and missing slashes, but issuers are compared exactly.
  if (!/^[a-z]+:\/\/[^\s\\]+$/.test(address) || !URL.canParse(address))
    return refuse(name, 'an absolute URL like "https://login.example.com"');
  const { username, password, protocol, hostname } = new URL(address);
  if (username + password !== '') return refuse(name, 'a URL without user name and password');
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) return address;
  return refuse(name, 'an "https:" URL ("http:" only for 127.0.0.1, [::1] or localhost)');
};

/** Freezes the value and every object in it. */
export function freezeDeep<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) freezeDeep(member as object);
  }
  return Object.freeze(value);
}
