// When a token answer arrived: by this computer's clock, which anyone may set, and by the server's
// clock. Each exchange has its own values, and nothing is remembered. A wrong clock never throws
// here.
import { serverDate } from './bounded-fetch.js';

/** Milliseconds since 1970. */
export interface ArrivalTimes {
  /**
   * This computer's clock when the request was sent and when its answer arrived. It may have jumped
   * in between, forward or back.
   */
  readonly computer: readonly [requestedAt: number, answeredAt: number];
  /**
   * The `Date` of this answer (RFC 9110 §6.6.1); null when it has none, or when it comes from a
   * cache.
   */
  readonly server: number | null;
}

/**
 * The times of a token endpoint's answer. Call it as soon as the answer arrives: read `answeredAt`
 * before anything else is fetched.
 */
export function timesOf(answer: Response, requestedAt: number, answeredAt: number): ArrivalTimes {
  return { computer: [requestedAt, answeredAt], server: serverDate(answer) ?? null };
}

/**
 * The earliest time at which the token's lifetime may have begun. Never in the future, even when
 * the clock was set back in between.
 */
export function earliestStart({ computer }: ArrivalTimes): number {
  return Math.min(...computer);
}

/**
 * The same for a token that cannot be renewed: a clock that was set forward during the request must
 * not expire it. No exchange takes longer than `limitSeconds`.
 */
export function latestStart(
  { computer: [requestedAt, answeredAt] }: ArrivalTimes,
  limitSeconds: number,
): number {
  return Math.min(answeredAt, Math.max(requestedAt, answeredAt - limitSeconds * 1000));
}
