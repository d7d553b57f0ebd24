// Tries to read the state file until that succeeds: at the start, by a timer, and whenever there is
// a reason to hope. Until then the content is unknown, so no session may be signed out, migrated or
// restored.
import type { Clock } from '../base/ports.js';
import { AuthError } from '../base/errors.js';
import type { StoredState } from './stored-state.js';
import { LIMITS } from '../base/limits.js';

export interface StateReader {
  /**
   * Resolves after the first try. The tries continue until the file is read, or until `stop`.
   */
  begin(): Promise<void>;
  /** The disk may answer now. Resolves after one try; at once if the file was already read. */
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

/** What the view shows and callers get until the file is read. */
export function unreadError(): AuthError {
  return new AuthError(
    'storage-failed',
    'the state file, which names the stored session, cannot be read now',
  );
}
