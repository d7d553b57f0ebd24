// The checks of an ID token that the OAuth engine leaves to its caller (OpenID Connect Core §3.1.3.6, §3.1.3.7, §12.2), and all
// that is a matter of time. Pure but for the digest; the signature and the other claims are checked by the engine in protocol.ts.
import { AuthError } from './errors.js';
import { base64url } from './identity.js';
import { LIMITS } from './limits.js';
import type { ArrivalTimes } from './oauth/arrival-times.js';
import type { Settings } from './options/options.js';

type Claims = Readonly<Record<string, unknown>>;

/** What was sent as `max_age`, and how long the person may have been in the browser since. */
export interface AskedAge {
  readonly maxAgeSeconds: number;
  readonly waitedMs: number;
}

/** What the ID token is checked against, besides what the engine has checked. */
export interface ExpectedClaims {
  readonly clientId: string;
  readonly accessToken: string;
  /** Of the answer that brought it. */
  readonly times: ArrivalTimes;
  /** Null where no `max_age` was sent. */
  readonly asked: AskedAge | null;
}

const TOLERANCE_MS = LIMITS.clockToleranceSeconds * 1000;
const AGREEMENT_MS = LIMITS.clockAgreementSeconds * 1000;

/** Null where no age was asked for. `startedAt` and `now` are by this computer's clock, which may have been set between them. */
export function askedAge({ authorizationParameters, attemptTimeoutSeconds }: Pick<Settings, 'authorizationParameters' | 'attemptTimeoutSeconds'>, startedAt: number, now: number): AskedAge | null {
  const maxAge = authorizationParameters['max_age'];
  if (maxAge === undefined) return null;
  const longestMs = Math.max(attemptTimeoutSeconds * 1000, LIMITS.deviceCodeMaxMs);
  // A clock that was set back must not refuse a right token, nor one that was set forward pass an old one: an attempt has an end.
  return { maxAgeSeconds: Number(maxAge), waitedMs: now < startedAt ? longestMs : Math.min(now - startedAt, longestMs) };
}

/**
 * Throws `id-token-invalid` unless `azp`, the times, `at_hash`, and `auth_time` where an age was asked for, are right. `azp`, `nbf`
 * and `at_hash` may be absent.
 */
export async function assertRemainingClaims(idToken: string, claims: Claims, expected: ExpectedClaims): Promise<void> {
  if (claims['azp'] !== undefined && claims['azp'] !== expected.clientId) throw invalid('"azp" names another client');
  assertTimes(claims, expected.times);
  if (expected.asked !== null) assertAuthTime(claims, expected.asked, expected.times);
  if (claims['at_hash'] !== undefined && claims['at_hash'] !== (await accessTokenHash(idToken, expected.accessToken))) {
    throw invalid('"at_hash" does not fit the access token');
  }
}

/**
 * Core §3.1.3.7 (9, 10), RFC 7519 §4.1.5. The nonce proves that the token was made for this attempt, and TLS that the
 * token endpoint has just sent it: a clock that is wrong can only cost a person their sign-in. So a time refuses a token
 * when the server's own `Date` does, and nothing speaks against that `Date`; this computer's clock alone never does.
 */
function assertTimes(claims: Claims, times: ArrivalTimes): void {
  const [issuedAt, expiresAt] = [millis(claims['iat']), millis(claims['exp'])];
  if (issuedAt === null) throw invalid('"iat" is no time');
  if (expiresAt === null || expiresAt <= issuedAt) throw invalid('"exp" is no time after "iat"');
  const now = refusingClock(issuedAt, expiresAt, times);
  if (now !== null && expiresAt <= now - TOLERANCE_MS) throw invalid('"exp" is over by the server\'s own clock');
  const latest = latestNow(times);
  if (latest !== null && issuedAt > latest + AGREEMENT_MS) throw invalid('"iat" lies in the future, by the server\'s own clock too');
  const notBefore = claims['nbf'] === undefined ? issuedAt : millis(claims['nbf']);
  if (notBefore === null || notBefore > Math.max(issuedAt, ...times.computer, times.server ?? 0) + TOLERANCE_MS) throw invalid('"nbf" lies in the future');
}

/**
 * What time it is by the server: its own `Date`, else when it says that it issued the token. For what only the server's
 * clock can judge, such as the age of `auth_time` (Core §3.1.2.1 `max_age`).
 */
export function nowByServer(claims: Claims, times: ArrivalTimes): number | null {
  const issuedAt = millis(claims['iat']);
  const expiresAt = millis(claims['exp']);
  return issuedAt === null || expiresAt === null ? null : (refusingClock(issuedAt, expiresAt, times) ?? issuedAt);
}

/** The server's `Date`, unless it is absurd, or this computer's clock agrees with the token and not with it. */
function refusingClock(issuedAt: number, expiresAt: number, { server, computer }: ArrivalTimes): number | null {
  if (server === null) return null;
  const isAbsurd = [issuedAt, ...computer].every((time) => Math.abs(server - time) > LIMITS.dateOffMaxMs);
  const vouches = computer.some((time) => agree(time, issuedAt) && time < expiresAt);
  return isAbsurd || vouches ? null : server;
}

/** The latest time that it can be, when the two clocks agree; else nobody knows. */
function latestNow({ server, computer }: ArrivalTimes): number | null {
  return server !== null && computer.every((time) => agree(time, server)) ? Math.max(server, ...computer) : null;
}

function agree(one: number, other: number): boolean {
  return Math.abs(one - other) <= AGREEMENT_MS;
}

/** A NumericDate (RFC 7519 §2) in milliseconds, or null. */
function millis(claim: unknown): number | null {
  return typeof claim === 'number' && Number.isFinite(claim) ? claim * 1000 : null;
}

/**
 * Core §3.1.3.7 (13). The age is asked for when the browser opens: a person who authenticates then, and takes minutes until the
 * code is redeemed, is not too old. Seconds that were meant as milliseconds would fit any age, so the future is refused, too.
 */
function assertAuthTime(claims: Claims, { maxAgeSeconds, waitedMs }: AskedAge, times: ArrivalTimes): void {
  const authTime = claims['auth_time'];
  if (typeof authTime !== 'number') throw invalid('"auth_time" missing, though "max_age" was sent (OpenID Connect Core §2)');
  const ageSeconds = (nowByServer(claims, times) ?? NaN) / 1000 - authTime;
  if (ageSeconds < -LIMITS.clockToleranceSeconds) throw invalid('"auth_time" lies in the future');
  if (!(ageSeconds <= maxAgeSeconds + waitedMs / 1000 + LIMITS.clockToleranceSeconds)) throw invalid('"auth_time" is longer ago than the "max_age" that was sent');
}

/**
 * Whom an ID token names that came with a renewal (Core §12.2): `same` has the account's `iss` and `sub`, and this client in `aud`
 * and `azp`; `unsaid` when there is none. TLS stands for the signature (§3.1.3.7, 6). Times are not checked: a clock that is wrong
 * must not cost a session. Nor is `auth_time`: it may move when the person signs in again elsewhere, and names nobody.
 */
export function personIn(idToken: unknown, expected: { readonly issuer: string; readonly subject: string }, clientId: string): 'same' | 'another' | 'unsaid' {
  if (typeof idToken !== 'string') return 'unsaid';
  const claims = decodePart(idToken, 1);
  if (claims === undefined || claims['iss'] !== expected.issuer || claims['sub'] !== expected.subject) return 'another';
  return isFor(clientId, claims) ? 'same' : 'another';
}

/** As the engine judges it at sign-in: of several audiences `azp` says whose the token is. */
function isFor(clientId: string, { aud, azp }: Claims): boolean {
  if (azp !== undefined && azp !== clientId) return false;
  if (!Array.isArray(aud)) return aud === clientId;
  return aud.includes(clientId) && (aud.length === 1 || azp !== undefined);
}

async function accessTokenHash(idToken: string, accessToken: string): Promise<string> {
  const alg = decodePart(idToken, 0)?.['alg'];
  const size = typeof alg === 'string' ? (/^(?:RS|PS|ES)(256|384|512)$/.exec(alg)?.[1] ?? '512') : '256';
  const digest = await crypto.subtle.digest(`SHA-${size}`, new TextEncoder().encode(accessToken));
  return base64url(new Uint8Array(digest).slice(0, digest.byteLength / 2));
}

/** A part of a JWT as an object, unverified; undefined when it is none. */
export function decodePart(jwt: string, index: 0 | 1): Claims | undefined {
  try {
    const part = jwt.split('.')[index] ?? '';
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}

function invalid(what: string): AuthError {
  return new AuthError('id-token-invalid', `ID token: ${what}`);
}
