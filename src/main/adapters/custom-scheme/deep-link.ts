// Callbacks of kind 'custom-scheme': open-url, second-instance and start-up argv, and the
// single-instance lock. Must be created before the app is ready, or macOS' first open-url is lost.
// Logs no URL, not even in part.
import type { App } from 'electron';
import type { Callbacks, CallbackVerdict, Log, RedirectOption } from '../../core/base/ports.js';
import { createNearMisses } from '../../core/base/near-misses.js';
import type { SchemeRegistration } from './scheme-registration.js';
import {
  type FoundCallback,
  createProbe,
  findCallback,
  findProbe,
  findRawCallback,
  fromAdditionalData,
  nearMissIn,
  toAdditionalData,
} from './start-arguments.js';

const EARLY_MAX = 16;

/** A callback among them is for one sign-in only: a later one of this process may ask another issuer. */
const readArguments = new WeakSet<readonly string[]>();

export interface DeepLinkOptions {
  readonly app: Pick<App, 'on' | 'off' | 'requestSingleInstanceLock'>;
  readonly redirects: readonly RedirectOption[];
  /** False if the host holds the lock itself. Latchkey still listens to second-instance. */
  readonly singleInstanceLock: boolean;
  readonly registration: Pick<SchemeRegistration, 'register'>;
  /** Brings the app's window to the front. */
  readonly showApp: () => void;
  readonly log: Log;
  /** The arguments of this start. Default: `process.argv`. */
  readonly argv?: readonly string[];
}

export interface DeepLink extends Callbacks {
  /**
   * False: another instance holds the lock and got the arguments of this start. The app must call
   * `app.exit(0)`.
   */
  readonly primary: boolean;
  /**
   * Sends a URL without meaning along the path of a callback: `open` passes it to the operating
   * system. Resolves with true if it comes back to this process in time. Any other program gets
   * only a random number.
   */
  probe(scheme: string, open: (url: string) => Promise<void>, timeoutMs: number): Promise<boolean>;
}

/** Creates the callbacks of custom schemes. Synchronous, and complete before it returns. */
export function createDeepLink({
  app,
  redirects,
  singleInstanceLock,
  registration,
  showApp,
  log,
  argv = process.argv,
}: DeepLinkOptions): DeepLink {
  const redirectUris = redirects.flatMap((redirect) =>
    redirect.kind === 'custom-scheme' ? [redirect.uri] : [],
  );
  let listener: ((callbackUrl: string) => CallbackVerdict) | null = null;
  let early: string[] = [];
  let stopped = false;
  const tellNearMiss = createNearMisses(log);
  /** Probes in transit, and their callers. */
  const probes = new Map<string, (came: boolean) => void>();

  const primary =
    !singleInstanceLock || app.requestSingleInstanceLock(toAdditionalData(argv, redirectUris));
  if (primary) {
    app.on('open-url', onOpenUrl);
    app.on('second-instance', onSecondInstance);
    if (!readArguments.has(argv)) arrive('start', findRawCallback(argv, redirectUris), argv);
    readArguments.add(argv);
  }

  function onOpenUrl(event: { preventDefault: () => void }, url: string): void {
    if (swallowProbe([url])) {
      event.preventDefault();
      return;
    }
    const found = findCallback([url], redirectUris);
    // Other URLs of the scheme are the host's own deep links.
    if (found.kind === 'one') event.preventDefault();
    if (arrive('open-url', found, [url]) === 'taken') showApp();
  }

  function onSecondInstance(
    _event: unknown,
    changedArgv: readonly string[],
    _folder: string,
    additional: unknown,
  ): void {
    const sent = fromAdditionalData(additional);
    if (swallowProbe([...sent, ...changedArgv])) return;
    const raw = findCallback(sent, redirectUris);
    const found = raw.kind === 'none' ? findCallback(changedArgv, redirectUris) : raw;
    arrive('second-instance', found, [...sent, ...changedArgv]);
    // With or without a callback, the person started the app and wants to see it.
    showApp();
  }

  /**
   * Also a probe that nobody waits for any more, or that another instance sent. It is never a
   * callback.
   */
  function swallowProbe(words: readonly string[]): boolean {
    const url = findProbe(words, redirectUris);
    if (url === null) return false;
    probes.get(url)?.(true);
    return true;
  }

  function arrive(source: string, found: FoundCallback, words: readonly string[]): CallbackVerdict {
    const nearMiss = found.kind === 'none' ? nearMissIn(words, redirectUris) : null;
    if (nearMiss !== null) tellNearMiss(nearMiss);
    if (found.kind === 'many')
      log.write({
        level: 'warn',
        event: 'callback-ignored',
        fields: { source, reason: 'more than one' },
      });
    if (found.kind !== 'one' || stopped) return 'foreign';
    if (listener !== null) return listener(found.url);
    if (early.length < EARLY_MAX) early.push(found.url);
    else
      log.write({
        level: 'warn',
        event: 'callback-ignored',
        fields: { source, reason: 'too many before the start' },
      });
    return 'taken';
  }

  return {
    primary,
    async prepare(redirect) {
      if (redirect.kind !== 'custom-scheme')
        return { state: 'unavailable', detail: 'not a custom scheme' };
      if (!primary || stopped)
        return {
          state: 'unavailable',
          detail: primary ? 'stopped' : 'another instance of the app is running',
        };
      const registered = await registration.register(redirect.scheme);
      if (!registered.ok) return { state: 'unavailable', detail: registered.detail };
      return {
        state: 'ready',
        redirect: { kind: 'custom-scheme', redirectUri: redirect.uri, close: () => {} },
      };
    },
    onCallback(next) {
      listener = next;
      const buffered = early;
      early = [];
      for (const url of buffered) next(url);
    },
    probe(scheme, open, timeoutMs) {
      if (!primary || stopped) return Promise.resolve(false);
      const url = createProbe(scheme);
      return new Promise((resolve) => {
        const end = (came: boolean): void => {
          clearTimeout(timer);
          probes.delete(url);
          resolve(came);
        };
        const timer = setTimeout(() => end(false), timeoutMs);
        probes.set(url, end);
        open(url).catch(() => end(false));
      });
    },
    stop() {
      stopped = true;
      early = [];
      for (const end of [...probes.values()]) end(false);
      app.off('open-url', onOpenUrl);
      app.off('second-instance', onSecondInstance);
    },
  };
}
