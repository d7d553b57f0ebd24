// Computes when to renew and how long to back off. Pure: reads no clock and no randomness.
import { LIMITS } from './limits.js';

/**
 * A clock that shows a time this far before an earlier one was set back. What waits for that clock
 * is then due at once.
 */
const CLOCK_SET_BACK_MS = 60_000;

/** True when the clock was set back to before `since`: how long ago that was is then unknown. */
export function isSetBackBehind(since: number, now: number): boolean {
  return now < since - CLOCK_SET_BACK_MS;
}

/** True when `ms` have passed since then, and when the clock was set back to before it. */
export function hasPassed(since: number, ms: number, now: number): boolean {
  return now >= since + ms || isSetBackBehind(since, now);
}

/** All times in milliseconds since 1970; `random` is at least 0 and below 1. */
export interface RenewalInput {
  readonly obtainedAt: number;
  readonly expiresAt: number;
  readonly renewEarlySeconds: number;
  readonly random: number;
}

/**
 * When to renew a token: before its expiry by the margin, but never before two thirds of its life
 * have passed. A random delay of up to half of the margin or a tenth of the life keeps a fleet from
 * renewing all at once.
 */
export function renewAt(input: RenewalInput): number {
  const lifetimeMs = Math.max(0, input.expiresAt - input.obtainedAt);
  const marginMs = Math.min(input.renewEarlySeconds * 1000, lifetimeMs / 3);
  const jitterMs = Math.min(lifetimeMs / 10, marginMs / 2) * input.random;
  return Math.max(input.obtainedAt, Math.round(input.expiresAt - marginMs + jitterMs));
}

/**
 * The pause before the next try after `failures` failures in a row: 2, 8, 32, 128 s … up to the
 * cap, or longer when the server asks for it (RFC 9110 §10.2.3). Half of a pause is fixed, half is
 * random. `inAdvance`: the first of these tries was made while the token was still valid. Then
 * nobody waits, and the pauses are 128 s once and the cap from then on. `lifeLeftMs`: the rest of
 * that token's life. If the first pause would be longer, it is shortened to between a quarter and
 * half of what the server's `Retry-After` leaves, so that one failure does not cost the token. If
 * that leaves nothing, the pause is as long as without `inAdvance`.
 */
export function retryDelayMs(
  failures: number,
  retryAfterSeconds: number | undefined,
  random: number,
  inAdvance = false,
  lifeLeftMs = Infinity,
): number {
  // Every additional try of all clients during an outage adds the whole everyday load of the fleet
  // to the peak (docs/scaling.md).
  const steps = inAdvance ? (failures <= 1 ? 3 : Infinity) : failures - 1;
  const ceiling = Math.min(LIMITS.retryMaxMs, LIMITS.retryBaseMs * 4 ** steps);
  // Half is fixed, so that a series of small random numbers cannot become a burst.
  const backoff = ceiling / 2 + (ceiling / 2) * random;
  const asked = askedMs(retryAfterSeconds);
  // An overloaded server asks all clients for the same pause. Only a spread of the same width
  // flattens the wave.
  const spread = Math.min(LIMITS.retryMaxMs, Math.max(ceiling, asked));
  const longest = asked > 0 ? Math.max(ceiling, asked + spread) : ceiling;
  const room = lifeLeftMs - asked;
  if (inAdvance && failures <= 1 && longest > lifeLeftMs - LIMITS.retryReserveMs) {
    // The token expires before the next try is allowed, so this is no longer in advance.
    if (room <= 0) return retryDelayMs(failures, retryAfterSeconds, random);
    return Math.floor(
      asked + Math.max(Math.min(LIMITS.retryBaseMs, room) / 2, (room / 4) * (1 + random)),
    );
  }
  return Math.round(asked > 0 ? Math.max(backoff, asked + spread * random) : backoff);
}

/**
 * The time from which a caller without a valid token may start the next try: after a quarter of the
 * pause, about a minute at most, and never before the server's `Retry-After`. So people at work
 * wait less than idle apps, and callers that poll do not undo the pauses.
 */
export function retryEarlyAt(
  failedAt: number,
  nextTryAt: number,
  retryAfterSeconds: number | undefined,
): number {
  const asked = askedMs(retryAfterSeconds);
  const own = nextTryAt - failedAt - asked;
  // If all long pauses were cut to one length, clients that failed together would come back
  // together. The remainder keeps their random spread.
  const most = LIMITS.retryEarlyMaxMs * 0.75 + (own % (LIMITS.retryEarlyMaxMs / 2));
  const pause = Math.max(LIMITS.retryBaseMs, asked + Math.min(own / 4, most));
  return Math.min(nextTryAt, Math.ceil(failedAt + pause));
}

function askedMs(retryAfterSeconds: number | undefined): number {
  return Math.min((retryAfterSeconds ?? 0) * 1000, LIMITS.retryAfterMaxMs);
}

/**
 * The lifetime of a token answer in seconds (RFC 6749 §5.1 `expires_in`). A missing or senseless
 * number is replaced by an assumption.
 */
export function lifetimeSeconds(expiresIn: number | undefined): number {
  if (expiresIn === undefined || !Number.isFinite(expiresIn) || expiresIn < 0)
    return LIMITS.assumedLifetimeSeconds;
  return Math.min(expiresIn, LIMITS.lifetimeMaxSeconds);
}

/**
 * The seconds of a `Retry-After` header (RFC 9110 §10.2.3: seconds or a date), or undefined when it
 * has no usable value.
 */
export function retryAfterSeconds(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header.trim());
  const date = httpDate(header);
  return date === undefined ? undefined : Math.max(0, Math.ceil((date - nowMs) / 1000));
}

/** An HTTP date (RFC 9110 §5.6.7) in milliseconds since 1970, or undefined. */
export function httpDate(header: string | null): number | undefined {
  // Date.parse() accepts almost anything; every HTTP date begins with a day of the week.
  const date = /^\s*[A-Z][a-z]{2}/.test(header ?? '') ? Date.parse(header ?? '') : NaN;
  return Number.isNaN(date) ? undefined : date;
}
