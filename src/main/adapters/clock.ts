// Clock over the process's own timers. Wall clock: what counts is when a token expires, not how
// long we ran. setTimeout fires at once what is longer than 2^31 - 1 ms, or no number: a longer
// wait is made of shorter ones.
import type { Clock } from '../core/base/ports.js';

const TIMER_MAX_MS = 2_147_483_647;

export function createClock(): Clock {
  return {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    after(delayMs, run) {
      let left = Number.isNaN(delayMs) ? Infinity : Math.max(0, Math.ceil(delayMs));
      let timer: ReturnType<typeof setTimeout>;
      const wait = (): void => {
        const part = Math.min(left, TIMER_MAX_MS);
        left -= part;
        timer = setTimeout(left > 0 ? wait : run, part);
      };
      wait();
      return () => {
        clearTimeout(timer);
      };
    },
  };
}
