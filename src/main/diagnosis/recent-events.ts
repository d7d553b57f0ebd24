// The last events, kept for a support bundle: a bounded ring in memory. Holds what the log holds,
// and that is no secret. Writes nothing anywhere by itself.
import type { AuthEvent } from '../core/base/events.js';
import { START_LIMITS } from '../core/base/start-limits.js';

export interface RecentEvents {
  note(event: AuthEvent): void;
  /** Oldest first. */
  list(): readonly AuthEvent[];
}

/** Keeps the last `START_LIMITS.recentEvents`. */
export function createRecentEvents(): RecentEvents {
  let kept: readonly AuthEvent[] = [];
  return {
    note(event) {
      kept = [...kept, event].slice(-START_LIMITS.recentEvents);
    },
    list: () => kept,
  };
}
