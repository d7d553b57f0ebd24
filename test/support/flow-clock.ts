// The time of a flow test: it runs as real time does, and leaps when a test lets time pass. App,
// provider and person share it. Leaps only between exchanges: an answer that is on its way arrives
// before the next timer fires, as on a fast network.
import { createClock } from '../../src/main/adapters/clock.js';
import type { Clock } from '../../src/main/core/base/ports.js';
import { isCryptoUnderWay } from './crypto-work.js';

export interface FlowClock extends Clock {
  /**
   * Lets so much time pass at once: timers that fall due run in their order, each at its own time.
   */
  pass(ms: number): Promise<void>;
  /** The computer sleeps for so long: the calendar goes on, and no timer fires. */
  sleep(ms: number): void;
  /**
   * Lets second after second pass until the promise has settled. Rejects as it does, and after an
   * hour.
   */
  passUntil<T>(promise: Promise<T>): Promise<T>;
  /** An exchange: no time is left out while it is under way. */
  underWay<T>(exchange: Promise<T>): Promise<T>;
}

interface Timer {
  readonly due: number;
  readonly run: () => void;
  cancel: () => void;
}

/** What hangs is not waited for: its time runs. */
const QUIET_MS = 2_000;
/** Node's timers overflow beyond 2^31 ms. */
const TIMER_MS = 2 ** 30;
const HOUR_MS = 3_600_000;

export function createFlowClock(): FlowClock {
  const real = createClock();
  const timers = new Set<Timer>();
  let open = 0;
  let leapt = 0;
  let slept = 0;
  let leap: Promise<unknown> = Promise.resolve();

  const elapsed = (): number => performance.now() + leapt;
  const leapTo = (time: number): void => {
    leapt += Math.max(0, time - elapsed());
  };
  const fire = (timer: Timer): void => {
    timer.cancel();
    if (timers.delete(timer)) timer.run();
  };
  const arm = (timer: Timer): void => {
    timer.cancel();
    timer.cancel = real.after(Math.min(Math.max(0, timer.due - elapsed()), TIMER_MS), () => {
      if (elapsed() < timer.due) arm(timer);
      else fire(timer);
    });
  };

  const clock: FlowClock = {
    now: () => Math.round(Date.now() + leapt + slept),
    elapsed,
    after(delayMs, run) {
      const timer: Timer = { due: elapsed() + delayMs, run, cancel: () => undefined };
      timers.add(timer);
      arm(timer);
      return () => {
        timer.cancel();
        timers.delete(timer);
      };
    },
    pass(ms) {
      const end = elapsed() + ms;
      // Two who wait at the same time wait side by side.
      const turn = leap.then(() => passUntil(end));
      leap = turn.catch(() => undefined);
      return turn;
    },
    sleep(ms) {
      slept += ms;
    },
    async passUntil(promise) {
      let settled = false;
      const done = (): void => {
        settled = true;
      };
      promise.then(done, done);
      for (let passed = 0; passed < HOUR_MS && !settled; passed += 1_000) {
        await clock.pass(1_000);
        await quiet();
      }
      if (!settled) throw new Error('an hour has passed, and it has not settled');
      return promise;
    },
    async underWay(exchange) {
      open += 1;
      try {
        return await exchange;
      } finally {
        open -= 1;
      }
    },
  };
  return clock;

  async function passUntil(end: number): Promise<void> {
    await quiet();
    for (let next = nextDueBy(end); next !== null; next = nextDueBy(end)) {
      leapTo(next.due);
      fire(next);
      await quiet();
    }
    leapTo(end);
    for (const timer of timers) arm(timer);
  }

  function nextDueBy(end: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of timers)
      if (timer.due <= end && (next === null || timer.due < next.due)) next = timer;
    return next;
  }

  /** Resolves when nothing is under way, and what has arrived was taken. */
  async function quiet(): Promise<void> {
    const end = performance.now() + QUIET_MS;
    let turns = 0;
    while (turns < 10 && performance.now() < end) {
      await new Promise((resolve) => setImmediate(resolve));
      turns = open === 0 && !isCryptoUnderWay() ? turns + 1 : 0;
    }
  }
}
