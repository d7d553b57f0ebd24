// When a token answer came: by this computer's clock, which anybody may set, and by the server's
// own. Each exchange has its own values; nothing is remembered, and nothing that is wrong with a
// clock throws here.
import { serverDate } from './bounded-fetch.js';

/** Milliseconds since 1970. */
export interface ArrivalTimes {
  /**
   * This computer's clock as the request went out and as its answer came. It may have jumped in
   * between, either way.
   */
  readonly computer: readonly [requestedAt: number, answeredAt: number];
  /**
   * The `Date` of this very answer (RFC 9110 §6.6.1); null when it has none, or a cache has kept
   * it.
   */
  readonly server: number | null;
}

/**
 * Of the answer of a token endpoint, right as it arrives: `answeredAt` is read before anything else
 * is fetched or asked.
 */
export function timesOf(answer: Response, requestedAt: number, answeredAt: number): ArrivalTimes {
  return { computer: [requestedAt, answeredAt], server: serverDate(answer) ?? null };
}

/**
 * Since when a token may have lived at the longest. Never in the future, also when the clock was
 * set back meanwhile.
 */
export function earliestStart({ computer }: ArrivalTimes): number {
  return Math.min(...computer);
}

/**
 * The same for a token that cannot be renewed: a clock that was set forward during the request must
 * not end it. No exchange takes longer than its limit.
 */
export function latestStart(
  { computer: [requestedAt, answeredAt] }: ArrivalTimes,
  limitSeconds: number,
): number {
  return Math.min(answeredAt, Math.max(requestedAt, answeredAt - limitSeconds * 1000));
}
