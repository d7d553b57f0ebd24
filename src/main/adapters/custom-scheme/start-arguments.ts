// Finds the callback, or the doctor's probe, among the arguments of a start. Pure. Trusts no
// argument: a link's author writes it.
import { randomBytes } from 'node:crypto';
import { isLikeAnswer, leadsTo } from '../../core/base/redirect-uri.js';
import { START_LIMITS } from '../../core/base/start-limits.js';

/** `many`: more than one callback came, so somebody forged it. Nothing of it is used. */
export type FoundCallback =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly url: string }
  | { readonly kind: 'many' };

/**
 * Precedes the URL in the command that Latchkey registers on Windows. There the system pastes the
 * URL into a command line, and a URL that breaks out of its quotes becomes arguments. After this
 * word, exactly one argument may follow.
 */
export const LINK_SENTINEL = '--latchkey-link';
/** Chromium and Electron read no switches after it. */
export const SWITCHES_END = '--';

const ARGUMENTS_MAX = 1_024;
const PROBE_PATH = '/latchkey-probe';
/**
 * The member of `additionalData` that carries what looked like a callback in the second instance's
 * raw argv.
 */
const ADDITIONAL_KEY = 'latchkeyArgv';
/**
 * Chromium's message between instances ends at 32 KiB and holds argv already: more would be cut,
 * and the callback with it.
 */
const ADDITIONAL_MAX_LENGTH = 8_192;

/**
 * Finds the callback among the arguments of a start. Chromium adds and moves switches, so position
 * means nothing. An argument counts only if it leads to a registered redirect URI. Two of them are
 * `many`: no honest start has two.
 */
export function findCallback(
  argv: readonly string[],
  redirectUris: readonly string[],
): FoundCallback {
  const words = argv.slice(0, ARGUMENTS_MAX);
  // Arguments with our schemes are URLs, with any path. If the sentinel is there, somebody added
  // the second one.
  if (words.includes(LINK_SENTINEL) && ofSchemes(words, redirectUris).length > 1)
    return { kind: 'many' };
  const found = ofSchemes(words, redirectUris).filter(
    (word) => isUrlText(word) && redirectUris.some((uri) => leadsTo(word, uri)),
  );
  const [url, second] = found;
  if (url === undefined) return { kind: 'none' };
  return second === undefined ? { kind: 'one', url } : { kind: 'many' };
}

/**
 * The same for arguments as the operating system gave them: with the sentinel nothing may follow
 * but the one URL.
 */
export function findRawCallback(
  argv: readonly string[],
  redirectUris: readonly string[],
): FoundCallback {
  const at = argv.indexOf(LINK_SENTINEL);
  if (at !== -1 && argv.slice(at + 1).filter((word) => word !== SWITCHES_END).length > 1)
    return { kind: 'many' };
  return findCallback(argv, redirectUris);
}

/**
 * Why none of these arguments is a callback, although one is near: a callback that is no text of a
 * URL, or an answer to another path. Null: none is near.
 */
export function nearMissIn(
  argv: readonly string[],
  redirectUris: readonly string[],
): 'scheme text' | 'scheme path' | null {
  const near = ofSchemes(argv.slice(0, ARGUMENTS_MAX), redirectUris).filter(isLikeAnswer);
  if (near.some((word) => !isUrlText(word) && redirectUris.some((uri) => leadsTo(word, uri))))
    return 'scheme text';
  return near.length > 0 ? 'scheme path' : null;
}

/**
 * A URL that tests whether the scheme leads to this very process. It contains only a random number.
 */
export function createProbe(scheme: string): string {
  return `${scheme}:${PROBE_PATH}?nonce=${randomBytes(32).toString('base64url')}`;
}

/**
 * The first probe among these arguments, from any instance, as `createProbe` wrote it: a desktop may
 * rewrite it as it rewrites a callback. Null if there is none.
 */
export function findProbe(argv: readonly string[], redirectUris: readonly string[]): string | null {
  for (const word of ofSchemes(argv.slice(0, ARGUMENTS_MAX), redirectUris)) {
    const query = /^[^?#]*(\?nonce=[A-Za-z0-9_-]{43})$/.exec(word)?.[1];
    const probe = `${schemeOf(word)}${PROBE_PATH}`;
    if (query !== undefined && leadsTo(word, probe)) return probe + query;
  }
  return null;
}

/**
 * What a second instance sends to the first in addition to its changed argv. Sends only what may be
 * a callback: the rest of the command line is private, and space is scarce. A crafted link is sent
 * as two callbacks.
 */
export function toAdditionalData(
  argv: readonly string[],
  redirectUris: readonly string[],
): Record<string, readonly string[]> {
  const candidates = ofSchemes(argv, redirectUris);
  const [first] = candidates;
  if (first !== undefined && findRawCallback(argv, redirectUris).kind === 'many')
    return { [ADDITIONAL_KEY]: [LINK_SENTINEL, first.slice(0, 256), first.slice(0, 256)] };
  const length = candidates.reduce((sum, candidate) => sum + candidate.length, 0);
  return length > ADDITIONAL_MAX_LENGTH ? {} : { [ADDITIONAL_KEY]: candidates };
}

/** The words that `toAdditionalData` sent; empty for anything else. */
export function fromAdditionalData(additional: unknown): readonly string[] {
  if (typeof additional !== 'object' || additional === null) return [];
  const carried = (additional as Record<string, unknown>)[ADDITIONAL_KEY];
  return Array.isArray(carried) && carried.every((argument) => typeof argument === 'string')
    ? carried
    : [];
}

function ofSchemes(argv: readonly string[], redirectUris: readonly string[]): readonly string[] {
  const schemes = new Set(redirectUris.map(schemeOf));
  return argv.filter((argument) => schemes.has(schemeOf(argument)));
}

/**
 * URLs arrive percent-encoded. A text with blanks, control characters or non-ASCII characters is
 * something else.
 */
function isUrlText(argument: string): boolean {
  return (
    argument.length <= START_LIMITS.callbackLength &&
    /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]*$/.test(argument)
  );
}

function schemeOf(text: string): string {
  return text.slice(0, text.indexOf(':') + 1).toLowerCase();
}
