// Makes the views of errors that pages see, with advice for developers if the host wants it. Loads
// the advice through the port at the first error that may have some; if that fails, only the advice
// is missing. Contains no advice itself.
import type { AuthErrorView } from '../../../contract.js';
import { type AuthError, toErrorView } from './errors.js';
import type { Advise, Log } from './ports.js';

/**
 * `load` undefined: no advice. `changed` is called once, when views that were made before would now
 * have advice.
 */
export function createErrorViews(
  load: (() => Promise<Advise>) | undefined,
  changed: () => void,
  log: Log,
): (error: AuthError) => AuthErrorView {
  let advise: Advise | null = null;
  let asked = false;
  // The whole view is made again at every event; the advice for an error is looked up only once.
  const known = new WeakMap<AuthError, AuthErrorView>();

  return (error) => {
    const isServers = error.serverError !== undefined || error.provider !== undefined;
    if (load === undefined || !isServers) return toErrorView(error);
    if (advise === null) {
      if (!asked) void fetchAdvice(load);
      return toErrorView(error);
    }
    const view = known.get(error) ?? withAdvice(error, advise);
    known.set(error, view);
    return view;
  };

  async function fetchAdvice(loading: () => Promise<Advise>): Promise<void> {
    asked = true;
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
