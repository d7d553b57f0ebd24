// The limits of what is loaded without the engine, before the app's first window above all. All
// others are in limits.ts. Units in the names, a reason for each.

/** Part of `LIMITS`. */
export const START_LIMITS = {
  /** Browsers and registries cut URLs far below this; codes of Entra reach 2 kB. */
  callbackLength: 16_384,
  /**
   * Apps make their first window as soon as they are ready; one that has none by then is not waited
   * for.
   */
  windowMadeMs: 100,
  /** A page that loads for longer than this does not hold up the session. */
  firstWindowMs: 3_000,
  /** Enough for the last attempts and renewals, and small enough to read. */
  recentEvents: 200,
  /** xdg tools were seen to take 4 s on a loaded desktop. */
  redirectPrepareMs: 10_000,
} as const;
