// Clock over the process's own timers. Wall clock: what counts is when a token expires, not how long we ran.
import type { Clock } from '../core/ports.js';

export function createClock(): Clock {
  return {
    now: () => Date.now(),
    after(delayMs, run) {
      const timer = setTimeout(run, Math.max(0, Math.ceil(delayMs)));
      return () => { clearTimeout(timer); };
    },
  };
}
