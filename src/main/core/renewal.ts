// When to renew and how to back off: numbers in, numbers out. Reads no clock and no randomness.
import { LIMITS } from './options.js';

/** All times in milliseconds since 1970; `random` is at least 0 and below 1. */
export interface RenewalInput {
  readonly obtainedAt: number;
  readonly expiresAt: number;
  readonly renewEarlySeconds: number;
  readonly random: number;
}

/**
 * When a token is to be renewed: before its expiry by the margin, but never before two thirds of its life
 * are over; and up to a tenth of the life earlier by chance, so that a fleet does not come at once.
 */
export function renewAt(input: RenewalInput): number {
  const lifetimeMs = Math.max(0, input.expiresAt - input.obtainedAt);
  const marginMs = Math.min(input.renewEarlySeconds * 1000, lifetimeMs / 3);
  const jitterMs = Math.min(lifetimeMs / 10, marginMs / 2) * input.random;
  return Math.max(input.obtainedAt, Math.round(input.expiresAt - marginMs - jitterMs));
}

/** The pause before the next try after `failures` failures in a row: capped exponential with full jitter, or what the server asked for. */
export function retryDelayMs(failures: number, retryAfterSeconds: number | undefined, random: number): number {
  const ceiling = Math.min(LIMITS.retryMaxMs, LIMITS.retryBaseMs * 2 ** Math.min(failures - 1, 20));
  // Half of the ceiling is fixed, so that a series of small draws cannot become a burst.
  const backoff = ceiling / 2 + (ceiling / 2) * random;
  const asked = Math.min((retryAfterSeconds ?? 0) * 1000, LIMITS.retryAfterMaxMs);
  return Math.round(asked > 0 ? Math.max(backoff, asked + ceiling * random) : backoff);
}

/** Seconds of life that a token answer means (RFC 6749 §5.1 `expires_in`); what is no sensible number is replaced by an assumption. */
export function lifetimeSeconds(expiresIn: number | undefined): number {
  if (expiresIn === undefined || !Number.isFinite(expiresIn) || expiresIn < 0) return LIMITS.assumedLifetimeSeconds;
  return Math.min(expiresIn, LIMITS.lifetimeMaxSeconds);
}

/** Seconds from a `Retry-After` header (RFC 9110 §10.2.3: seconds or a date), or undefined when it says nothing usable. */
export function retryAfterSeconds(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header.trim());
  // Date.parse() makes a date of almost anything; every HTTP date begins with a day of the week.
  if (!/^\s*[A-Z][a-z]{2}/.test(header)) return undefined;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - nowMs) / 1000));
}
