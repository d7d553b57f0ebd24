// Reads the state file until it can be read: at the start, by a timer, and whenever somebody has
// reason to hope. Until then nobody is signed out, taken over or restored: what the file holds is
// not known.
import type { Clock } from '../base/ports.js';
import { AuthError } from '../base/errors.js';
import type { StoredState } from './stored-state.js';
import { LIMITS } from '../base/limits.js';

export interface StateReader {
  /**
   * Resolves when it was tried once. Tries go on by themselves until the file is read, or the end.
   */
  begin(): Promise<void>;
  /** The disk may answer now. Resolves when it was tried; at once when the file has been read. */
  tryAgain(): Promise<void>;
  stop(): void;
}

export function createStateReader(
  storedState: Pick<StoredState, 'load' | 'isRead'>,
  clock: Pick<Clock, 'after'>,
): StateReader {
  let trying: Promise<void> | null = null;
  let cancelTimer = (): void => undefined;
  let stopped = false;

  return {
    begin: attempt,
    tryAgain: async () => {
      if (!storedState.isRead()) await attempt();
    },
    stop() {
      stopped = true;
      cancelTimer();
    },
  };

  function attempt(): Promise<void> {
    cancelTimer();
    trying ??= storedState.load().finally(() => {
      trying = null;
      if (!storedState.isRead() && !stopped)
        cancelTimer = clock.after(LIMITS.stateRetryMs, () => {
          void attempt();
        });
    });
    return trying;
  }
}

/** What the view and callers are told meanwhile. */
export function unreadError(): AuthError {
  return new AuthError(
    'storage-failed',
    'the file that leads to the stored session cannot be read now',
  );
}
