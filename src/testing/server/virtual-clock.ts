// Time for tests: a clock that moves only when it is told, and the provider's own sense of time
// that follows one. Touches neither `Date` nor timers: what a test does not hand this clock to
// keeps the time of the machine.

/** What the provider asks for the time. `Date` is one. */
export interface ClockLike {
  /** Milliseconds since 1970. */
  now(): number;
}

/** A clock that stands still until it is moved. */
export interface VirtualClock extends ClockLike {
  /** Moves on. Throws a TypeError for less than nothing: to go back, use `set`. */
  advance(milliseconds: number): void;
  advanceSeconds(seconds: number): void;
  /** Jumps to this time, forward or back, as a wrong clock that is put right does. */
  set(time: number | Date): void;
}

/** Makes a clock that starts at `start`, by default now, and stands still. */
export function createVirtualClock(start: number | Date = Date.now()): VirtualClock {
  let time = Number(start);

  const advance = (milliseconds: number): void => {
    if (!(milliseconds >= 0)) throw new TypeError('a clock advances by a number of at least 0');
    time += milliseconds;
  };
  return {
    now: () => time,
    advance,
    advanceSeconds: (seconds) => advance(seconds * 1000),
    set(next) {
      time = Number(next);
    },
  };
}

/** How far a provider's time is from the machine's. */
export interface ProviderTime {
  readonly now: () => number;
  /** Whole seconds to add to what oidc-provider dates by the machine. */
  offsetSeconds(): number;
  /**
   * How many seconds have passed in addition to those of the machine since the last call: negative
   * when the clock went back.
   */
  takeLeap(): number;
}

/**
 * The time of a provider. oidc-provider reads the machine's clock and cannot be given another one
 * (its helper `epoch_time` is imported by path). So the provider does what amounts to the same:
 * what it keeps grows older by each leap, and what it says about time is moved by the offset.
 */
export function createProviderTime(clock: ClockLike | null): ProviderTime {
  const now = (): number => clock?.now() ?? Date.now();
  const offsetSeconds = (): number =>
    clock === null ? 0 : Math.round((clock.now() - Date.now()) / 1000);
  let taken = 0;

  return {
    now,
    offsetSeconds,
    takeLeap() {
      const offset = offsetSeconds();
      const leap = offset - taken;
      taken = offset;
      return leap;
    },
  };
}
