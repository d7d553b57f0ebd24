// Clock over the process's own timers. Uses the wall clock, because tokens expire by it. setTimeout
// fires at once if the time is longer than 2^31 - 1 ms, or not a number. So a longer wait consists
// of shorter ones.
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
