// Callbacks of kind 'custom-scheme': open-url, second-instance and start-up argv, and the single-instance lock.
// Must be created before the app is ready, or macOS' first open-url is lost. Logs no URL, not even in part.
import type { App } from 'electron';
import { LIMITS } from '../core/options.js';
import type { Callbacks, CallbackVerdict, Log, RedirectOption } from '../core/ports.js';
import type { SchemeRegistration } from './scheme-registration.js';

export type FoundCallback = { readonly kind: 'none' } | { readonly kind: 'one'; readonly url: string } | { readonly kind: 'many' };

/** The member of `additionalData` that carries what looked like a callback in the second instance's raw argv. */
const ADDITIONAL_KEY = 'latchkeyArgv';
/** Chromium's message between instances ends at 32 KiB and holds argv already: more would be cut, and the callback with it. */
const ADDITIONAL_MAX_LENGTH = 8_192;
const ARGUMENTS_MAX = 1_024;
const EARLY_MAX = 16;

/**
 * Finds the callback among the arguments of a start. Chromium adds and moves switches, so position means nothing;
 * an argument counts only when scheme (in any case), host and path are those of a registered redirect URI.
 * Two of them are `many`: nobody starts the app like that in good faith.
 */
export function findCallback(argv: readonly string[], redirectUris: readonly string[]): FoundCallback {
  const wanted = new Set(redirectUris.map(withoutQuery));
  const found = argv.slice(0, ARGUMENTS_MAX).filter((argument) => isUrlText(argument) && wanted.has(withoutQuery(argument)));
  const [url, second] = found;
  if (url === undefined) return { kind: 'none' };
  return second === undefined ? { kind: 'one', url } : { kind: 'many' };
}

/** URLs arrive percent-encoded: blanks, control characters and anything beyond ASCII mean that it is something else. */
function isUrlText(argument: string): boolean {
  return argument.length <= LIMITS.callbackLength && /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]*$/.test(argument);
}

function withoutQuery(url: string): string {
  const base = url.split(/[?#]/, 1)[0] ?? '';
  const colon = base.indexOf(':');
  const rest = base.slice(colon + 1);
  // `app://host` may come back as `app://host/`.
  const path = /^\/\/[^/]+$/.test(rest) ? `${rest}/` : rest;
  return base.slice(0, colon + 1).toLowerCase() + path;
}

export interface DeepLinkOptions {
  readonly app: Pick<App, 'on' | 'off' | 'requestSingleInstanceLock'>;
  readonly redirects: readonly RedirectOption[];
  /** False when the host holds the lock itself; second-instance is heard all the same. */
  readonly singleInstanceLock: boolean;
  readonly registration: SchemeRegistration;
  /** Brings the app's window to the front. */
  readonly showApp: () => void;
  readonly log: Log;
  /** The arguments of this start. Default: `process.argv`. */
  readonly argv?: readonly string[];
}

export interface DeepLink extends Callbacks {
  /** False: another instance holds the lock and was told what this start was about. The app must `app.exit(0)`. */
  readonly primary: boolean;
}

/** Creates the callbacks of custom schemes. Synchronous, and complete before it returns. */
export function createDeepLink({ app, redirects, singleInstanceLock, registration, showApp, log, argv = process.argv }: DeepLinkOptions): DeepLink {
  const redirectUris = redirects.flatMap((redirect) => (redirect.kind === 'custom-scheme' ? [redirect.uri] : []));
  let listener: ((callbackUrl: string) => CallbackVerdict) | null = null;
  let early: string[] = [];
  let stopped = false;

  const primary = !singleInstanceLock || app.requestSingleInstanceLock(additionalData(argv, redirectUris));
  if (primary) {
    app.on('open-url', onOpenUrl);
    app.on('second-instance', onSecondInstance);
    arrive('start', findCallback(argv, redirectUris));
  }

  function onOpenUrl(event: { preventDefault: () => void }, url: string): void {
    const found = findCallback([url], redirectUris);
    // Other URLs of the scheme are the host's own deep links.
    if (found.kind !== 'one') return;
    event.preventDefault();
    if (arrive('open-url', found) === 'taken') showApp();
  }

  function onSecondInstance(_event: unknown, changedArgv: readonly string[], _folder: string, additional: unknown): void {
    const raw = findCallback(rawArguments(additional), redirectUris);
    arrive('second-instance', raw.kind === 'none' ? findCallback(changedArgv, redirectUris) : raw);
    // With or without a callback, the person started the app and wants to see it.
    showApp();
  }

  function arrive(source: string, found: FoundCallback): CallbackVerdict {
    if (found.kind === 'many') log.write({ level: 'warn', event: 'callback-ignored', fields: { source, reason: 'more than one' } });
    if (found.kind !== 'one' || stopped) return 'foreign';
    if (listener !== null) return listener(found.url);
    if (early.length < EARLY_MAX) early.push(found.url);
    else log.write({ level: 'warn', event: 'callback-ignored', fields: { source, reason: 'too many before the start' } });
    return 'taken';
  }

  return {
    primary,
    async prepare(redirect) {
      if (redirect.kind !== 'custom-scheme') return { state: 'unavailable', detail: 'not a custom scheme' };
      if (!primary || stopped) return { state: 'unavailable', detail: primary ? 'stopped' : 'another instance of the app is running' };
      const registered = await registration.register(redirect.scheme);
      if (!registered.ok) return { state: 'unavailable', detail: registered.detail };
      return { state: 'ready', redirect: { kind: 'custom-scheme', redirectUri: redirect.uri, close: () => {} } };
    },
    onCallback(next) {
      listener = next;
      const buffered = early;
      early = [];
      for (const url of buffered) next(url);
    },
    stop() {
      stopped = true;
      early = [];
      app.off('open-url', onOpenUrl);
      app.off('second-instance', onSecondInstance);
    },
  };
}

/** Only what may be a callback goes along: the rest of the command line is nobody's business, and room is scarce. */
function additionalData(argv: readonly string[], redirectUris: readonly string[]): Record<string, readonly string[]> {
  const schemes = new Set(redirectUris.map(schemeOf));
  const candidates = argv.filter((argument) => schemes.has(schemeOf(argument)));
  const length = candidates.reduce((sum, candidate) => sum + candidate.length, 0);
  return length > ADDITIONAL_MAX_LENGTH ? {} : { [ADDITIONAL_KEY]: candidates };
}

function schemeOf(text: string): string {
  return text.slice(0, text.indexOf(':') + 1).toLowerCase();
}

function rawArguments(additional: unknown): readonly string[] {
  if (typeof additional !== 'object' || additional === null) return [];
  const carried = (additional as Record<string, unknown>)[ADDITIONAL_KEY];
  return Array.isArray(carried) && carried.every((argument) => typeof argument === 'string') ? carried : [];
}
