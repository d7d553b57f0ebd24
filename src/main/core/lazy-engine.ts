// The engine before it is loaded: answers the first calls of pages and the host, or keeps them in
// order until the engine is loaded. Loading must not delay the app's first window. Decides nothing;
// after loading, every call goes to the engine directly.
import type { AuthView } from '../../contract.js';
import type { Engine } from './engine.js';
import { partMissingError, stoppedError, toErrorView } from './base/errors.js';

/** Listeners that have got this view do not get it again from the engine. */
const STARTING: AuthView = Object.freeze({ status: 'starting' });

interface Waiting {
  readonly listener: (view: AuthView) => void;
  /** Null until the listener is passed to the engine. */
  off: (() => void) | null;
}

/**
 * Creates it. `start`, or the first call that needs the engine, calls `load`, and only once. If
 * loading fails, the view says so and every call rejects with `files-missing`: a file of Latchkey
 * is missing. After `stop` nothing is loaded any more.
 */
export function createLazyEngine(load: () => Promise<Engine>): Engine {
  let engine: Engine | null = null;
  let loading: Promise<Engine> | null = null;
  let failure: AuthView | null = null;
  let stopping: Promise<void> | null = null;
  const waiting = new Set<Waiting>();

  /** A failure of the load goes to the callers; without a caller it is ignored. */
  function start(): void {
    loaded().catch(() => undefined);
  }

  function arrive(loaded: Engine): Engine {
    if (stopping !== null) return loaded;
    engine = loaded;
    for (const entry of waiting)
      entry.off = loaded.onView((view) => {
        if (view.status !== 'starting') entry.listener(view);
      });
    waiting.clear();
    loaded.start();
    return loaded;
  }

  function fail(cause: unknown): never {
    const error = partMissingError(cause);
    failure = Object.freeze({ status: 'signed-out', reason: 'never', error: toErrorView(error) });
    for (const { listener } of waiting) {
      try {
        listener(failure);
      } catch {
        // The callers still get the failure. This one cannot be logged, because the engine that
        // would log it is missing.
      }
    }
    waiting.clear();
    throw error;
  }

  function view(): AuthView {
    const now = engine?.view();
    return now === undefined || now.status === 'starting' ? (failure ?? STARTING) : now;
  }

  async function loaded(): Promise<Engine> {
    if (stopping !== null) throw stoppedError();
    loading ??= load().then(arrive, fail);
    return loading;
  }

  /** Runs a call without a result when the engine is loaded; drops it if loading fails. */
  function later(run: (engine: Engine) => void): void {
    if (engine !== null) run(engine);
    else loaded().then(run, () => undefined);
  }

  return {
    start,
    view,
    onView(listener) {
      if (engine !== null) return engine.onView(listener);
      listener(view());
      const entry: Waiting = { listener, off: null };
      waiting.add(entry);
      return () => {
        waiting.delete(entry);
        entry.off?.();
      };
    },
    signIn: async (argument, by) => (await loaded()).signIn(argument, by),
    cancelSignIn: () => {
      later((there) => {
        there.cancelSignIn();
      });
    },
    reopenBrowser: () => {
      later((there) => {
        there.reopenBrowser();
      });
    },
    tryAnotherWay: () => {
      later((there) => {
        there.tryAnotherWay();
      });
    },
    pasteCallback: async (argument) => (await loaded()).pasteCallback(argument),
    signOut: async (request) => (await loaded()).signOut(request),
    forgetAccount: async (accountId) => (await loaded()).forgetAccount(accountId),
    switchAccount: async (accountId) => (await loaded()).switchAccount(accountId),
    retry: () => {
      later((there) => {
        there.retry();
      });
    },
    // The app calls it before every request, so it makes no promise more than necessary.
    getAccessToken: (request, refusedBy) =>
      engine === null
        ? loaded().then((there) => there.getAccessToken(request, refusedBy))
        : engine.getAccessToken(request, refusedBy),
    getIdToken: async (request) => (await loaded()).getIdToken(request),
    errorView: async (error) => (engine === null ? toErrorView(error) : engine.errorView(error)),
    stop() {
      stopping ??=
        engine !== null
          ? engine.stop()
          : (loading ?? Promise.resolve(null)).then(
              (there) => there?.stop(),
              () => undefined,
            );
      waiting.clear();
      return stopping;
    },
  };
}
