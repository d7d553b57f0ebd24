// The engine before it is there: what pages and the host ask at start is answered or kept until the
// engine is loaded, in order. Loading must not hold up the app's first window. Decides nothing;
// once loaded, every call goes straight on.
import type { AuthView } from '../../contract.js';
import type { Engine } from './engine.js';
import { partMissingError, stoppedError, toErrorView } from './base/errors.js';

/** One object: who has been told it need not hear it again from the engine. */
const STARTING: AuthView = Object.freeze({ status: 'starting' });

/** The engine as pages and hosts call it: what they ask of a sign-in was not looked at yet. */
export interface OpenEngine extends Omit<Engine, 'signIn'> {
  signIn(argument: unknown): Promise<void>;
}

interface Waiting {
  readonly listener: (view: AuthView) => void;
  /** Null: not handed to the engine yet. */
  off: (() => void) | null;
}

/**
 * Creates it. `start` calls `load`, once, and so does the first call that asks for something. Where
 * loading fails, the view says so and every call rejects with `files-missing`: a part of Latchkey
 * is not where it belongs. After `stop` nothing is loaded any more.
 */
export function createLazyEngine(load: () => Promise<OpenEngine>): OpenEngine {
  let engine: OpenEngine | null = null;
  let loading: Promise<OpenEngine> | null = null;
  let failure: AuthView | null = null;
  let stopping: Promise<void> | null = null;
  const waiting = new Set<Waiting>();

  /** Whoever calls hears of a failure; nobody has to. */
  function start(): void {
    loaded().catch(() => undefined);
  }

  function arrive(loaded: OpenEngine): OpenEngine {
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
        // The callers still hear of the failure; the engine that would log this one is what is
        // missing.
      }
    }
    waiting.clear();
    throw error;
  }

  function view(): AuthView {
    const now = engine?.view();
    return now === undefined || now.status === 'starting' ? (failure ?? STARTING) : now;
  }

  async function loaded(): Promise<OpenEngine> {
    if (stopping !== null) throw stoppedError();
    loading ??= load().then(arrive, fail);
    return loading;
  }

  /** What has no answer is done when it can be, and forgotten when it never can. */
  function later(run: (engine: OpenEngine) => void): void {
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
    signIn: async (argument) => (await loaded()).signIn(argument),
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
    signOut: async (accountId) => (await loaded()).signOut(accountId),
    switchAccount: async (accountId) => (await loaded()).switchAccount(accountId),
    retry: () => {
      later((there) => {
        there.retry();
      });
    },
    // Asked before every request of the app: no promise more than needed.
    getAccessToken: (request) =>
      engine === null
        ? loaded().then((there) => there.getAccessToken(request))
        : engine.getAccessToken(request),
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
