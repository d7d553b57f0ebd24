// Where events go: to the host's `onLog` and to every listener of `onEvent`, each a frozen copy
// with its time. May not let a listener's failure stop the others, or the caller that wrote the
// event.
import { type AuthEvent, type LogEvent, toAuthEvent } from './events.js';
import type { Clock, Log } from './ports.js';

type Listener = (event: AuthEvent) => void;

/** The log of the whole module, to which hosts may listen. */
export interface EventLog extends Log {
  /** Calls the listener with every event from now on, in order. Returns the way to stop. */
  onEvent(listener: Listener): () => void;
}

/**
 * Creates the log. `always` hears every event from the first on: the option `onLog`, or what stands
 * in for it.
 */
export function createEventLog(clock: Pick<Clock, 'now'>, always: Listener): EventLog {
  const listeners = new Set<Listener>();

  return {
    write(event: LogEvent) {
      const told = toAuthEvent(event, clock.now());
      for (const listener of [always, ...listeners]) {
        try {
          listener(told);
        } catch {
          // To say so would be another event for the same listener.
        }
      }
    },
    onEvent(listener) {
      // Two calls with one function are two listeners, and each ends by itself.
      const own: Listener = (event) => {
        listener(event);
      };
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },
  };
}
