// What a start of the app was about: finds the callback, or the doctor's probe, among its
// arguments. Pure. Trusts no argument: whoever opens a link writes it.
import { randomBytes } from 'node:crypto';
import { START_LIMITS } from '../../core/base/start-limits.js';

/** `many`: more came than one callback, so somebody made it up; nothing of it is used. */
export type FoundCallback =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly url: string }
  | { readonly kind: 'many' };

/**
 * Stands in front of the URL in the command that Latchkey registers on Windows. There the system
 * pastes the URL into a command line: what breaks out of its quotes becomes arguments. Where this
 * word is, exactly one may follow.
 */
export const LINK_SENTINEL = '--latchkey-link';
/** What follows it is no switch, neither for Chromium nor for Electron. */
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
 * means nothing; an argument counts only when scheme (in any case), host and path are those of a
 * registered redirect URI. Two of them are `many`: nobody starts the app like that in good faith.
 */
export function findCallback(
  argv: readonly string[],
  redirectUris: readonly string[],
): FoundCallback {
  const wanted = new Set(redirectUris.map(withoutQuery));
  const words = argv.slice(0, ARGUMENTS_MAX);
  // The words of our schemes are URLs, whatever their path: with the sentinel a second one was put
  // there.
  if (words.includes(LINK_SENTINEL) && ofSchemes(words, redirectUris).length > 1)
    return { kind: 'many' };
  const found = words.filter(
    (argument) => isUrlText(argument) && wanted.has(withoutQuery(argument)),
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
 * A URL that finds out whether the scheme leads to this very process. It holds nothing but a random
 * number.
 */
export function createProbe(scheme: string): string {
  return `${scheme}:${PROBE_PATH}?nonce=${randomBytes(32).toString('base64url')}`;
}

/** The first probe among these arguments, of whichever instance; null when there is none. */
export function findProbe(argv: readonly string[], redirectUris: readonly string[]): string | null {
  return (
    ofSchemes(argv.slice(0, ARGUMENTS_MAX), redirectUris).find((word) =>
      /^[^:]+:\/latchkey-probe\?nonce=[A-Za-z0-9_-]{43}$/.test(word),
    ) ?? null
  );
}

/**
 * What a second instance tells the first besides its changed argv. Only what may be a callback goes
 * along: the rest of the command line is nobody's business, and room is scarce. A crafted link is
 * told as two callbacks.
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
 * URLs arrive percent-encoded: blanks, control characters and anything beyond ASCII mean that it is
 * something else.
 */
function isUrlText(argument: string): boolean {
  return (
    argument.length <= START_LIMITS.callbackLength &&
    /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]*$/.test(argument)
  );
}

function withoutQuery(url: string): string {
  const base = url.split(/[?#]/, 1)[0] ?? '';
  const colon = base.indexOf(':');
  const rest = base.slice(colon + 1);
  // `app://host` may come back as `app://host/`.
  const path = /^\/\/[^/]+$/.test(rest) ? `${rest}/` : rest;
  return base.slice(0, colon + 1).toLowerCase() + path;
}

function schemeOf(text: string): string {
  return text.slice(0, text.indexOf(':') + 1).toLowerCase();
}
