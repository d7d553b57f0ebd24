// Errors as pages see them, with advice for developers where the host wants it. Loads the advice at
// the first error that may have some. Knows no advice itself: what it says comes by the port, and a
// load that fails costs the advice and nothing else.
import type { AuthErrorView } from '../../../contract.js';
import { type AuthError, toErrorView } from './errors.js';
import type { Advise, Log } from './ports.js';

/**
 * `load` undefined: no advice, ever. `changed` is called once, when views that were given before
 * would now say more.
 */
export function createErrorViews(
  load: (() => Promise<Advise>) | undefined,
  changed: () => void,
  log: Log,
): (error: AuthError) => AuthErrorView {
  let advise: Advise | null = null;
  let asked = false;
  // The view is made anew at every event; an error that stays in it is looked up once.
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
