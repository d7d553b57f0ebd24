// The device authorization grant (RFC 8628): reads the provider's answer and decides when to poll
// again. Pure. The device code is a secret and stays with the effects; a `DeviceWait` holds only
// times and what may be shown.
import type { DeviceView } from '../../../contract.js';
import { AuthError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { isLoopback } from '../options/redirect-option.js';

/** The checked answer to the device authorization request (RFC 8628 §3.2). */
export interface DeviceAuthorization {
  /** Brings the tokens once the person has agreed. Never show or log it. */
  readonly deviceCode: string;
  readonly view: DeviceView;
  readonly lifetimeMs: number;
  readonly intervalMs: number;
}

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

/**
 * The answer to one poll of the token endpoint that does not end the waiting. `error` is temporary:
 * the network or the server has a problem.
 */
export type PollAnswer =
  | { readonly state: 'pending' | 'slow-down' }
  | { readonly state: 'failed'; readonly error: AuthError };

/**
 * Checks the answer. Throws `response-invalid` for a value that must not be shown to a person or
 * opened in a browser: otherwise a hostile provider could start any program or display any text.
 */
export function readDeviceAuthorization(
  answer: Readonly<Record<string, unknown>>,
  httpAllowed: boolean,
): DeviceAuthorization {
  const {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: uri,
    verification_uri_complete: complete,
    expires_in: lifetime,
    interval,
  } = answer;
  if (
    typeof deviceCode !== 'string' ||
    deviceCode === '' ||
    deviceCode.length > LIMITS.callbackLength
  )
    throw invalid('device_code');
  if (
    typeof userCode !== 'string' ||
    !/^[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$/.test(userCode)
  )
    throw invalid('user_code');
  // Google's first drafts, and servers that follow them, use "verification_url".
  const page = uri ?? answer['verification_url'];
  if (!isPage(page, httpAllowed)) throw invalid('verification_uri');
  const lifetimeSeconds =
    typeof lifetime === 'number' && lifetime > 0 ? lifetime : LIMITS.deviceCodeMaxMs / 1000;
  const intervalSeconds =
    typeof interval === 'number' && interval > 0 ? interval : LIMITS.devicePollMs / 1000;
  return {
    deviceCode,
    // If the optional member is invalid, the QR code is missing, but the sign-in works.
    view: {
      userCode,
      verificationUri: page,
      ...(isPage(complete, httpAllowed) ? { verificationUriComplete: complete } : {}),
    },
    lifetimeMs: Math.min(lifetimeSeconds * 1000, LIMITS.deviceCodeMaxMs),
    intervalMs: Math.max(intervalSeconds * 1000, 1_000),
  };
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

/** True when the failed poll says nothing about the person's answer, so it is repeated. */
export function passes({ code }: AuthError): boolean {
  return (
    code === 'network-failed' ||
    code === 'network-timeout' ||
    code === 'server-unavailable' ||
    code === 'response-invalid'
  );
}

export function codeExpired(): AuthError {
  return new AuthError('sign-in-expired', 'the code was not used in time');
}

function isPage(value: unknown, httpAllowed: boolean): value is string {
  if (
    typeof value !== 'string' ||
    value.length > 2048 ||
    !/^https?:\/\/[\x21-\x7e]+$/.test(value) ||
    /["'<>\\^`{|}]/.test(value) ||
    !URL.canParse(value)
  )
    return false;
  const { protocol, hostname, username, password } = new URL(value);
  return (
    username === '' &&
    password === '' &&
    (protocol === 'https:' || (httpAllowed && isLoopback(hostname)))
  );
}

function invalid(member: string): AuthError {
  return new AuthError(
    'response-invalid',
    `device authorization endpoint: answer member "${member}" is missing or breaks RFC 8628 §3.2`,
  );
}
