// Checks the times in an ID token, each against the right clock. The OAuth library checks none of
// them, because it knows only this computer's clock. Pure: reads no clock, and remembers nothing of
// other answers.
import { AuthError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { Settings } from '../options/auth-options.js';
import type { ArrivalTimes } from './arrival-times.js';

type Claims = Readonly<Record<string, unknown>>;

const TOLERANCE_MS = LIMITS.clockToleranceSeconds * 1000;
const AGREEMENT_MS = LIMITS.clockAgreementSeconds * 1000;

/** The `max_age` that was sent, and how long the person may have been in the browser since then. */
export interface AskedAge {
  readonly maxAgeSeconds: number;
  readonly waitedMs: number;
}

/**
 * Null when no `max_age` was sent. `startedAt` and `now` follow this computer's clock, which may
 * have been set in between. `demanded`: by the sign-in itself; the stricter one counts. A clock that was set back must not refuse a valid token, and a clock
 * that was set forward must not accept an old one.
 */
export function askedAge(
  settings: Pick<Settings, 'authorizationParameters' | 'attemptTimeoutSeconds'>,
  startedAt: number,
  now: number,
  demanded?: number,
): AskedAge | null {
  const usual = settings.authorizationParameters['max_age'];
  if (usual === undefined && demanded === undefined) return null;
  const maxAge = Math.min(Number(usual ?? Infinity), demanded ?? Infinity);
  const longestMs = Math.max(settings.attemptTimeoutSeconds * 1000, LIMITS.deviceCodeMaxMs);
  const waitedMs = now < startedAt ? longestMs : Math.min(now - startedAt, longestMs);
  return { maxAgeSeconds: maxAge, waitedMs };
}

/**
 * Core §3.1.3.7 (13). `max_age` is sent when the browser opens. If the person authenticates then,
 * and the code exchange follows minutes later, the authentication is not too old. Milliseconds
 * sent as seconds would pass any age, so a time in the future is refused too.
 */
export function assertAuthTime(claims: Claims, asked: AskedAge, times: ArrivalTimes): void {
  const authTime = claims['auth_time'];
  if (typeof authTime !== 'number')
    throw invalid('"auth_time" missing, though "max_age" was sent (OpenID Connect Core §2)');
  const ageSeconds = (nowByServer(claims, times) ?? NaN) / 1000 - authTime;
  const oldestSeconds = asked.maxAgeSeconds + asked.waitedMs / 1000 + LIMITS.clockToleranceSeconds;
  if (ageSeconds < -LIMITS.clockToleranceSeconds) throw invalid('"auth_time" lies in the future');
  if (!(ageSeconds <= oldestSeconds))
    throw invalid('"auth_time" is longer ago than the "max_age" that was sent');
}

/**
 * Core §3.1.3.7 (9, 10), RFC 7519 §4.1.5. The nonce proves that the token was made for this
 * attempt, and TLS proves that the token endpoint has just sent it. A check against a wrong clock
 * would only make the sign-in fail. So a time refuses a token only when the server's own `Date`
 * does and nothing contradicts that `Date`; this computer's clock alone never refuses one.
 */
export function assertTimes(claims: Claims, times: ArrivalTimes): void {
  const [issuedAt, expiresAt] = [millis(claims['iat']), millis(claims['exp'])];
  if (issuedAt === null) throw invalid('"iat" is not a time');
  if (expiresAt === null || expiresAt <= issuedAt) throw invalid('"exp" is not a time after "iat"');
  const now = refusingClock(issuedAt, expiresAt, times);
  if (now !== null && expiresAt <= now - TOLERANCE_MS)
    throw invalid('"exp" has passed by the server\'s own clock');
  const latest = latestNow(times);
  if (latest !== null && issuedAt > latest + AGREEMENT_MS)
    throw invalid('"iat" lies in the future, by the server\'s own clock too');
  const notBefore = claims['nbf'] === undefined ? issuedAt : millis(claims['nbf']);
  if (
    notBefore === null ||
    notBefore > Math.max(issuedAt, ...times.computer, times.server ?? 0) + TOLERANCE_MS
  )
    throw invalid('"nbf" lies in the future');
}

/**
 * The server's time: its own `Date`, or else the time at which it says it issued the token. For
 * checks that need the server's clock, such as the age of `auth_time` (Core §3.1.2.1 `max_age`).
 */
export function nowByServer(claims: Claims, times: ArrivalTimes): number | null {
  const issuedAt = millis(claims['iat']);
  const expiresAt = millis(claims['exp']);
  return issuedAt === null || expiresAt === null
    ? null
    : (refusingClock(issuedAt, expiresAt, times) ?? issuedAt);
}

/**
 * How long an ID token that has just come is still valid, by the server's clock. 0 if it is over, or
 * if its times are no times. At most a year.
 */
export function lifeLeftMs(claims: Claims, times: ArrivalTimes): number {
  const now = nowByServer(claims, times);
  const left = now === null ? 0 : (millis(claims['exp']) ?? 0) - now;
  return Math.min(Math.max(left, 0), LIMITS.lifetimeMaxSeconds * 1000);
}

/**
 * The server's `Date`, unless it is absurd, or this computer's clock agrees with the token and not
 * with that `Date`.
 */
function refusingClock(
  issuedAt: number,
  expiresAt: number,
  { server, computer }: ArrivalTimes,
): number | null {
  if (server === null) return null;
  const isAbsurd = [issuedAt, ...computer].every(
    (time) => Math.abs(server - time) > LIMITS.dateOffMaxMs,
  );
  const vouches = computer.some((time) => agree(time, issuedAt) && time < expiresAt);
  return isAbsurd || vouches ? null : server;
}

/** The latest possible time if the two clocks agree; otherwise null, because it is unknown. */
function latestNow({ server, computer }: ArrivalTimes): number | null {
  return server !== null && computer.every((time) => agree(time, server))
    ? Math.max(server, ...computer)
    : null;
}

function agree(one: number, other: number): boolean {
  return Math.abs(one - other) <= AGREEMENT_MS;
}

/** A NumericDate (RFC 7519 §2) in milliseconds, or null. */
function millis(claim: unknown): number | null {
  return typeof claim === 'number' && Number.isFinite(claim) ? claim * 1000 : null;
}

function invalid(what: string): AuthError {
  return new AuthError('id-token-invalid', `ID token: ${what}`);
}
