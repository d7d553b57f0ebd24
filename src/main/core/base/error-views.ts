// Makes the views of errors that pages see, with advice for developers if the host wants it. Loads
// the advice through the port at the first error that may have some; if that fails, only the advice
// is missing. Contains no advice itself.
import type { AuthErrorView } from '../../../contract.js';
import { type AuthError, toErrorView } from './errors.js';
import type { Advise, Log } from './ports.js';

export interface ErrorViews {
  /** What is known now; the advice may come later. */
  now(error: AuthError): AuthErrorView;
  /** Waits for the advice, for an answer that is given once. Never rejects. */
  complete(error: AuthError): Promise<AuthErrorView>;
}

/**
 * `load` undefined: no advice. `changed` is called once, when views that were made before would now
 * have advice.
 */
export function createErrorViews(
  load: (() => Promise<Advise>) | undefined,
  changed: () => void,
  log: Log,
): ErrorViews {
  let advise: Advise | null = null;
  let loading: Promise<void> | null = null;
  // The whole view is made again at every event; the advice for an error is looked up only once.
  const known = new WeakMap<AuthError, AuthErrorView>();

  return {
    now,
    async complete(error) {
      now(error);
      await loading;
      return now(error);
    },
  };

  function now(error: AuthError): AuthErrorView {
    const isServers = error.serverError !== undefined || error.provider !== undefined;
    if (load === undefined || !isServers) return toErrorView(error);
    if (advise === null) {
      loading ??= fetchAdvice(load);
      return toErrorView(error);
    }
    const view = known.get(error) ?? withAdvice(error, advise);
    known.set(error, view);
    return view;
  }

  async function fetchAdvice(loading: () => Promise<Advise>): Promise<void> {
    try {
      advise = await loading();
      changed();
    } catch (cause) {
      log.write({
        level: 'warn',
        event: 'advice-unavailable',
        fields: { name: cause instanceof Error ? cause.name : 'unknown' },
      });
    }
  }
}

function withAdvice(error: AuthError, advise: Advise): AuthErrorView {
  const advice = advise(error);
  return advice === null ? toErrorView(error) : { ...toErrorView(error), advice };
}
