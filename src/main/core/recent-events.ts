// The last log events, kept for a support bundle: a bounded ring in memory. Holds what the log holds, and that is no secret.
// Writes nothing anywhere by itself.
import { LIMITS } from './options.js';
import type { Clock, Log, LogEvent } from './ports.js';

/** An event with its time, in milliseconds since 1970. */
export interface DatedEvent extends LogEvent {
  readonly at: number;
}

export interface RecentEvents {
  /** Takes note of an event, then hands it on. */
  readonly log: Log;
  /** Oldest first. */
  list(): readonly DatedEvent[];
}

/** Keeps the last `LIMITS.recentEvents`. `next` may throw; the event is kept all the same. */
export function createRecentEvents(next: Log, clock: Pick<Clock, 'now'>): RecentEvents {
  let kept: readonly DatedEvent[] = [];
  return {
    log: {
      write(event) {
        kept = [...kept, { ...event, at: clock.now() }].slice(-LIMITS.recentEvents);
        next.write(event);
      },
    },
    list: () => kept,
  };
}
