// The device authorization grant (RFC 8628): decides when to poll again. Pure. The device code is a
// secret and stays with the effects; a `DeviceWait` holds only times and what may be shown.
import type { DeviceView } from '../../../contract.js';
import { LIMITS } from '../base/limits.js';
import type { DeviceAuthorization, PollAnswer } from '../oauth/device-authorization.js';

/**
 * Waits for the person to use the device code, with one poll at a time. Times are milliseconds
 * since 1970.
 */
export interface DeviceWait {
  readonly view: DeviceView;
  readonly expiresAt: number;
  /**
   * The provider's interval, plus 5 s for each `slow_down`. Never becomes shorter (RFC 8628 §3.5).
   */
  readonly intervalMs: number;
  /** Polls in a row that got no answer. */
  readonly failures: number;
  /** `at`: when to poll. `since`: when that was decided. Null while a poll is running. */
  readonly asking: { readonly since: number; readonly at: number } | null;
}

/** The first poll comes after one interval: nobody can have typed the code before. */
export function beginWait(
  { view, lifetimeMs, intervalMs }: DeviceAuthorization,
  now: number,
): DeviceWait {
  return {
    view,
    expiresAt: now + lifetimeMs,
    intervalMs,
    failures: 0,
    asking: { since: now, at: now + intervalMs },
  };
}

/** True when the poll is due. If the clock was set back, that is unknown, and the poll is due. */
export function isPollDue({ asking }: DeviceWait, now: number): boolean {
  return asking !== null && (now >= asking.at || now < asking.since);
}

/**
 * The clock was set back, so the age of the code is unknown. It gets as much time as it had left at
 * the last poll.
 */
export function afterSetBack(wait: DeviceWait, now: number): DeviceWait {
  const { asking, expiresAt } = wait;
  const left = asking === null ? expiresAt - now : expiresAt - asking.since;
  return {
    ...wait,
    expiresAt: now + Math.min(left, LIMITS.deviceCodeMaxMs),
    asking: asking === null ? null : { since: now, at: now + (asking.at - asking.since) },
  };
}

export function polling(wait: DeviceWait): DeviceWait {
  return { ...wait, asking: null };
}

/**
 * When to poll again (RFC 8628 §3.5). `slow_down` adds 5 s permanently; each failure in a row
 * doubles the pause until a poll succeeds.
 */
export function afterPoll(wait: DeviceWait, answer: PollAnswer, now: number): DeviceWait {
  const intervalMs =
    answer.state === 'slow-down' ? wait.intervalMs + LIMITS.deviceSlowDownMs : wait.intervalMs;
  const failures = answer.state === 'failed' ? wait.failures + 1 : 0;
  const doubled = Math.max(
    intervalMs,
    Math.min(intervalMs * 2 ** Math.min(failures, 10), LIMITS.devicePollMaxMs),
  );
  const asked = answer.state === 'failed' ? (answer.error.retryAfterSeconds ?? 0) * 1000 : 0;
  return {
    ...wait,
    intervalMs,
    failures,
    asking: { since: now, at: now + Math.max(doubled, asked) },
  };
}
