// What a session answers to callers that need a token, and to the timer that needs the next
// deadline. Pure.
import { AuthError, assertNever } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { hasPassed, retryEarlyAt } from '../base/backoff.js';
import type { LiveSession, Renewal, SessionState } from './session-state.js';
import type { AccessToken, TokenTarget } from '../base/tokens.js';
import type { RefusedBy } from './token-request.js';
import { validIdToken } from './person-facts.js';
import { backgroundDueAt, isOver, isStoringDue, slowKeyring, wasSetBack } from './live-session.js';

/** After this time a running renewal no longer holds back a token that is still valid. */
const RENEWAL_SLOW_MS = 2_000;

/** The answer to a caller that needs a token: the token, wait, start a renewal, or an error. */
export type TokenAnswer =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'wait' }
  | { readonly kind: 'demand' }
  | { readonly kind: 'error'; readonly error: AuthError };

/** Which token a caller wants. */
export interface TokenWant {
  /** Null: the token of the sign-in. */
  readonly target: TokenTarget | null;
  /** The token that an API has refused: any other token is accepted. */
  readonly refused: AccessToken | null;
  /** Default: the host. */
  readonly refusedBy?: RefusedBy;
  /** True: the ID token instead of an access token. */
  readonly idToken?: true;
}

export const ANY_TOKEN: TokenWant = { target: null, refused: null };

export function answerToken(
  state: SessionState,
  now: number,
  want: TokenWant = ANY_TOKEN,
): TokenAnswer {
  switch (state.phase) {
    case 'absent':
      if (isBackInTime(state, now)) return { kind: 'demand' };
      return {
        kind: 'error',
        error:
          state.error !== null && (isUnread(state) || state.reason === 'ended')
            ? state.error
            : new AuthError('signed-out', 'nobody is signed in'),
      };
    case 'restoring':
      return state.slow ? { kind: 'error', error: slowKeyring() } : { kind: 'wait' };
    case 'locked':
      return { kind: 'error', error: state.error };
    case 'adopting':
      return { kind: 'wait' };
    case 'live':
      if (want.idToken === true) return answerIdToken(state, now);
      return want.target === null
        ? answerLive(state, now, want)
        : answerTarget(state, now, want.target, want.refused);
    default:
      return assertNever(state);
  }
}

/**
 * True when no account is known because the state file cannot be read: whether a person is signed
 * in is then unknown.
 */
export function isUnread(
  state: SessionState,
): state is SessionState & { readonly phase: 'absent'; readonly error: AuthError } {
  return (
    state.phase === 'absent' && state.reason === 'never' && state.error?.code === 'storage-failed'
  );
}

/** True when only the clock has ended the session, and now says that its token is valid. */
export function isBackInTime(state: SessionState, now: number): boolean {
  return state.phase === 'absent' && state.overAt !== undefined && now < state.overAt;
}

/** The newest access token for a target, valid or not; null when there is none. */
export function heldToken(state: SessionState, target: TokenTarget | null): AccessToken | null {
  if (state.phase !== 'live') return null;
  if (target === null) return state.access;
  const answer = state.targets.get(target.key);
  return answer?.state === 'token' ? answer.access : null;
}

function answerLive(
  state: LiveSession,
  now: number,
  { refused, refusedBy }: TokenWant,
): TokenAnswer {
  const { access, renewal, targetRenewal } = state;
  const usable = access === refused ? null : access;
  const valid = usable !== null && !isOver(usable, now) ? usable.token : null;
  switch (renewal.state) {
    case 'fresh':
      if (state.refreshToken === null) {
        // No other token can be had: the session ends, or the caller gets the same one.
        const held = refusedBy === 'api' && !isOver(access, now) ? access : usable;
        return held === null || isOver(held, now)
          ? { kind: 'demand' }
          : { kind: 'token', token: held.token };
      }
      // Before `renewAt` a token is expired only if it was expired when it came. To ask such a
      // server again at once would never end.
      if (
        usable !== null &&
        (renewal.renewAt === null || now < renewal.renewAt) &&
        !wasSetBack(usable, now)
      )
        return { kind: 'token', token: usable.token };
      return targetRenewal === null
        ? { kind: 'demand' }
        : patience(targetRenewal.since, valid, now);
    case 'renewing':
    case 'saving':
      return patience(renewal.since, valid, now);
    case 'waiting':
      return valid === null ? retryEarly(renewal, now) : { kind: 'token', token: valid };
    default:
      return assertNever(renewal);
  }
}

/** Does not renew a target's token in advance: when it is due, a caller waits for one exchange. */
function answerTarget(
  state: LiveSession,
  now: number,
  { key, resource }: TokenTarget,
  refused: AccessToken | null,
): TokenAnswer {
  if (resource !== null && !state.resources.includes(resource))
    return {
      kind: 'error',
      error: new AuthError(
        'resource-refused',
        'the sign-in did not request this resource: add it to the option "resources", or ask by scopes where the provider has no resources, as Entra',
      ),
    };
  const { renewal, targetRenewal, targets } = state;
  const answer = targets.get(key);
  const held = answer?.state === 'token' && answer.access !== refused ? answer : null;
  const valid = held !== null && !isOver(held.access, now) ? held.access.token : null;
  if (
    held !== null &&
    !wasSetBack(held.access, now) &&
    (held.renewAt === null ? valid !== null : now < held.renewAt)
  )
    return { kind: 'token', token: held.access.token };
  if (targetRenewal !== null) return patience(targetRenewal.since, valid, now);
  switch (renewal.state) {
    case 'renewing':
    case 'saving':
      return patience(renewal.since, valid, now);
    case 'waiting':
      return valid === null ? retryEarly(renewal, now) : { kind: 'token', token: valid };
    case 'fresh':
      if (
        answer?.state === 'refused' &&
        now < answer.until &&
        now >= answer.until - LIMITS.refusalPauseMs
      )
        return { kind: 'error', error: answer.error };
      return state.refreshToken === null
        ? {
            kind: 'error',
            error: new AuthError(
              'resource-refused',
              'without a refresh token there can be no access token for another target',
            ),
          }
        : { kind: 'demand' };
    default:
      return assertNever(renewal);
  }
}

function answerIdToken(state: LiveSession, now: number): TokenAnswer {
  const { idToken, refreshToken, renewal, targetRenewal } = state;
  const token = validIdToken(state, now);
  if (token !== null) return { kind: 'token', token };
  switch (renewal.state) {
    case 'renewing':
    case 'saving':
      return { kind: 'wait' };
    case 'waiting':
      return retryEarly(renewal, now);
    case 'fresh':
      // A provider that gave none with the last renewal is not asked again for every caller.
      if (idToken === 'none' || refreshToken === null) return { kind: 'error', error: noIdToken() };
      return targetRenewal === null ? { kind: 'demand' } : { kind: 'wait' };
    default:
      return assertNever(renewal);
  }
}

function noIdToken(): AuthError {
  return new AuthError(
    'id-token-invalid',
    'there is no ID token that is still valid, and a renewal brings none; a new sign-in does',
  );
}

function patience(since: number, valid: string | null, now: number): TokenAnswer {
  return valid !== null && hasPassed(since, RENEWAL_SLOW_MS, now)
    ? { kind: 'token', token: valid }
    : { kind: 'wait' };
}

function retryEarly(
  { failedAt, nextTryAt, error }: Renewal & { state: 'waiting' },
  now: number,
): TokenAnswer {
  return now >= retryEarlyAt(failedAt, nextTryAt, error.retryAfterSeconds)
    ? { kind: 'demand' }
    : { kind: 'error', error };
}

/** Null when the session is there, `wait` while that is unknown, or why it cannot be restored. */
export function answerArrival(state: SessionState): AuthError | 'wait' | null {
  if (state.phase === 'live') return null;
  const answer = answerToken(state, Infinity);
  return answer.kind === 'error' ? answer.error : 'wait';
}

/**
 * When the machine needs a `tick`, or null. `renews` false: the session is not in use, so it is
 * renewed only when a caller asks.
 */
export function sessionDeadline(state: SessionState, now: number, renews = true): number | null {
  if (state.phase === 'restoring')
    return state.slow ? null : endOf(state.since, LIMITS.keyringSlowMs, now);
  if (state.phase === 'adopting') return endOf(state.since, LIMITS.keyringWriteSlowMs, now);
  if (state.phase !== 'live') return null;
  const { renewal, targetRenewal } = state;
  if (targetRenewal !== null)
    return targetRenewal.state === 'saving'
      ? savingDeadline(targetRenewal.since, now)
      : slowDeadline(targetRenewal.since, now);
  switch (renewal.state) {
    case 'fresh':
      if (isStoringDue(state, now)) return now;
      if (!renews) return state.storeRetryAt;
      if (state.refreshToken !== null && wasSetBack(state.access, now)) return now;
      return earlier(
        backgroundDueAt(renewal.renewAt, state.access) ?? state.access?.expiresAt ?? null,
        state.storeRetryAt,
      );
    case 'renewing':
      return slowDeadline(renewal.since, now);
    case 'saving':
      return savingDeadline(renewal.since, now);
    case 'waiting':
      return renews ? endOf(renewal.failedAt, renewal.nextTryAt - renewal.failedAt, now) : null;
    default:
      return assertNever(renewal);
  }
}

function slowDeadline(since: number, now: number): number | null {
  return hasPassed(since, RENEWAL_SLOW_MS, now) ? null : since + RENEWAL_SLOW_MS;
}

function savingDeadline(since: number, now: number): number {
  return slowDeadline(since, now) ?? endOf(since, LIMITS.keyringWriteSlowMs, now);
}

/**
 * The end of the time. If the clock was set back to before the start, that is now: a wait of half a
 * minute must not become a month.
 */
function endOf(since: number, ms: number, now: number): number {
  return hasPassed(since, ms, now) ? Math.min(now, since + ms) : since + ms;
}

function earlier(first: number | null, second: number | null): number | null {
  if (first === null || second === null) return first ?? second;
  return Math.min(first, second);
}
