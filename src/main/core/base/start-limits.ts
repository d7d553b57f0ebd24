// The limits of code that is loaded before the engine, mostly before the app's first window.
// limits.ts has all others. The names contain the units; each limit has its reason.

/** Part of `LIMITS`. */
export const START_LIMITS = {
  /** Browsers and registries cut URLs far below this. Codes of Entra reach 2 kB. */
  callbackLength: 16_384,
  /**
   * Apps make their first window as soon as they are ready. Latchkey waits no longer for a window.
   */
  windowMadeMs: 100,
  /** If a page loads longer than this, the session starts without it. */
  firstWindowMs: 3_000,
  /** Enough for the last attempts and renewals, and small enough to read. */
  recentEvents: 200,
  /** xdg tools took up to 4 s on a loaded desktop. */
  redirectPrepareMs: 10_000,
} as const;
