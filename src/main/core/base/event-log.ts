// Sends events to the host's `onLog` and to every listener of `onEvent`, each as a frozen copy with
// its time. The failure of a listener must not stop the other listeners or the code that wrote the
// event.
import { type AuthEvent, type LogEvent, toAuthEvent } from './events.js';
import type { Clock, Log } from './ports.js';

type Listener = (event: AuthEvent) => void;

/** The log of the whole module. Hosts may listen to it. */
export interface EventLog extends Log {
  /** Calls the listener with every event from now on, in order. Returns a function to stop it. */
  onEvent(listener: Listener): () => void;
}

/**
 * Creates the log. `always` gets every event from the first one on: the option `onLog`, or its
 * replacement.
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
          // An event about this failure would go to the same listener.
        }
      }
    },
    onEvent(listener) {
      // Two calls with the same function make two listeners, and each can be stopped separately.
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
