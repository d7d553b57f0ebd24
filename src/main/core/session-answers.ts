// What a session answers to those who ask: callers who need a token, and the timer that wants to know when. Pure.
import { AuthError, assertNever } from './errors.js';
import { LIMITS } from './options.js';
import { hurryAt } from './renewal.js';
import type { LiveSession, SessionState } from './session-state.js';
import { backgroundDueAt, isOver, slowKeyring, tokenOver, wasSetBack } from './session.js';

/** A renewal that takes longer no longer holds back a token that is still valid. */
const RENEWAL_SLOW_MS = 2_000;

/** What a caller who needs a token gets: the token, patience, a renewal to start, or an error. */
export type TokenAnswer =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'wait' }
  | { readonly kind: 'demand' }
  | { readonly kind: 'error'; readonly error: AuthError };

export function answerToken(state: SessionState, now: number): TokenAnswer {
  switch (state.phase) {
    case 'absent':
      return { kind: 'error', error: state.reason === 'ended' && state.error !== null ? state.error : new AuthError('signed-out', 'nobody is signed in') };
    case 'restoring':
      return state.slow ? { kind: 'error', error: slowKeyring() } : { kind: 'wait' };
    case 'locked':
      return { kind: 'error', error: state.error };
    case 'adopting':
      return { kind: 'wait' };
    case 'live':
      return answerLive(state, now);
    default:
      return assertNever(state);
  }
}

function answerLive(state: LiveSession, now: number): TokenAnswer {
  const { access, renewal } = state;
  const valid = access !== null && !isOver(access, now) ? access.token : null;
  switch (renewal.state) {
    case 'fresh':
      if (state.refreshToken !== null && renewal.renewAt !== null) {
        // Before that it is over only when it was so as it came: asking such a server again at once would never end.
        return now >= renewal.renewAt || access === null || wasSetBack(access, now) ? { kind: 'demand' } : { kind: 'token', token: access.token };
      }
      return valid === null ? { kind: 'error', error: tokenOver() } : { kind: 'token', token: valid };
    case 'renewing':
    case 'saving':
      return valid !== null && now >= renewal.since + RENEWAL_SLOW_MS ? { kind: 'token', token: valid } : { kind: 'wait' };
    case 'waiting':
      if (valid !== null) return { kind: 'token', token: valid };
      return now >= hurryAt(renewal.failedAt, renewal.nextTryAt, renewal.error.retryAfterSeconds) ? { kind: 'demand' } : { kind: 'error', error: renewal.error };
    default:
      return assertNever(renewal);
  }
}

/** When the machine wants a `tick`, or null. */
export function sessionDeadline(state: SessionState, now: number): number | null {
  if (state.phase === 'restoring') return state.slow ? null : state.since + LIMITS.keyringSlowMs;
  if (state.phase === 'adopting') return state.since + LIMITS.keyringWriteSlowMs;
  if (state.phase !== 'live') return null;
  const { renewal } = state;
  switch (renewal.state) {
    case 'fresh':
      return earlier(backgroundDueAt(renewal.renewAt, state.access) ?? state.access?.expiresAt ?? null, state.storeRetryAt);
    case 'renewing':
      return now < renewal.since + RENEWAL_SLOW_MS ? renewal.since + RENEWAL_SLOW_MS : null;
    case 'saving':
      return renewal.since + (now < renewal.since + RENEWAL_SLOW_MS ? RENEWAL_SLOW_MS : LIMITS.keyringWriteSlowMs);
    case 'waiting':
      return renewal.nextTryAt;
    default:
      return assertNever(renewal);
  }
}

function earlier(first: number | null, second: number | null): number | null {
  if (first === null || second === null) return first ?? second;
  return Math.min(first, second);
}
