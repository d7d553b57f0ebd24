// The machine of the session: (state, event) → state + effects. Pure: time and chance come with the event.
// Save before publish: a new refresh token is stored (or known to be unstorable) before its access token is used.
import type { AccountView, SignedOutReason } from '../../contract.js';
import { AuthError, assertNever } from './errors.js';
import { LIMITS } from './options.js';
import type { Grant } from './protocol.js';
import type { SessionRecord } from './records.js';
import { renewAt, retryDelayMs } from './renewal.js';

export interface AccessToken {
  readonly token: string;
  readonly obtainedAt: number;
  readonly expiresAt: number | null;
}

export type Renewal =
  | { readonly state: 'fresh'; readonly since: number; readonly renewAt: number | null }
  | { readonly state: 'renewing'; readonly since: number; readonly failures: number }
  | { readonly state: 'saving'; readonly since: number; readonly grant: Grant }
  | { readonly state: 'waiting'; readonly since: number; readonly failedAt: number; readonly nextTryAt: number; readonly failures: number; readonly error: AuthError };

export interface LiveSession {
  readonly phase: 'live';
  readonly epoch: number;
  readonly account: AccountView;
  readonly refreshToken: string | null;
  readonly scope: string;
  readonly access: AccessToken | null;
  readonly renewal: Renewal;
  /** The write that counts; answers to earlier writes are stale. */
  readonly save: number;
  /** Null: the current refresh token is in the keychain. */
  readonly storeError: AuthError | null;
}

export type SessionState =
  | { readonly phase: 'absent'; readonly epoch: number; readonly reason: SignedOutReason; readonly account: AccountView | null; readonly error: AuthError | null }
  | { readonly phase: 'restoring'; readonly epoch: number; readonly account: AccountView; readonly since: number; readonly slow: boolean }
  | { readonly phase: 'locked'; readonly epoch: number; readonly account: AccountView; readonly error: AuthError }
  /** Fresh from an attempt; being stored. `previous` stays what the page sees meanwhile. */
  | { readonly phase: 'adopting'; readonly epoch: number; readonly account: AccountView; readonly grant: Grant; readonly attempt: number; readonly since: number; readonly previous: LiveSession | null }
  | LiveSession;

/** `now` and `random` are fields of the events that need them; `epoch` and `save` are checked by the engine and here. */
export type SessionEvent =
  | { readonly type: 'restore'; readonly account: AccountView; readonly now: number }
  | { readonly type: 'record-found'; readonly record: SessionRecord; readonly now: number }
  | { readonly type: 'record-absent' }
  | { readonly type: 'record-withheld'; readonly error: AuthError }
  | { readonly type: 'adopt'; readonly grant: Grant; readonly account: AccountView; readonly attempt: number; readonly now: number }
  | { readonly type: 'stored'; readonly save: number; readonly now: number; readonly random: number; readonly renewEarlySeconds: number }
  | { readonly type: 'store-failed'; readonly save: number; readonly error: AuthError; readonly now: number; readonly random: number; readonly renewEarlySeconds: number }
  | { readonly type: 'renewed'; readonly grant: Grant; readonly now: number; readonly random: number; readonly renewEarlySeconds: number }
  | { readonly type: 'renew-failed'; readonly error: AuthError; readonly now: number; readonly random: number }
  /** Somebody needs a token and none is good enough. */
  | { readonly type: 'demand'; readonly now: number }
  /** The user wants now what we are waiting for. */
  | { readonly type: 'retry'; readonly now: number }
  | { readonly type: 'sign-out' }
  | { readonly type: 'tick'; readonly now: number; readonly random: number; readonly renewEarlySeconds: number };

export type SessionEffect =
  | { readonly type: 'read-record'; readonly account: AccountView }
  | { readonly type: 'write-record'; readonly account: AccountView; readonly refreshToken: string; readonly scope: string; readonly save: number }
  | { readonly type: 'remove-record'; readonly account: AccountView }
  /** The record is left alone, but not restored any more. */
  | { readonly type: 'mark-refused'; readonly account: AccountView }
  | { readonly type: 'renew'; readonly refreshToken: string; readonly scope: string; readonly account: AccountView }
  | { readonly type: 'revoke'; readonly token: string }
  /** The attempt's tokens are stored and usable. */
  | { readonly type: 'adopted'; readonly attempt: number };

export interface SessionStep {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

export const NO_SESSION: SessionState & { readonly phase: 'absent' } = { phase: 'absent', epoch: 0, reason: 'never', account: null, error: null };

/** A renewal that takes longer no longer holds back a token that is still valid. */
const RENEWAL_SLOW_MS = 2_000;

export function stepSession(state: SessionState, event: SessionEvent): SessionStep {
  if (event.type === 'adopt') return adopt(state, event);
  switch (state.phase) {
    case 'absent':
      return event.type === 'restore' ? restore(state.epoch + 1, event.account, event.now) : same(state);
    case 'restoring':
      return stepRestoring(state, event);
    case 'locked':
      return stepLocked(state, event);
    case 'adopting':
      return stepAdopting(state, event);
    case 'live':
      return stepLive(state, event);
    default:
      return assertNever(state);
  }
}

function stepRestoring(state: SessionState & { phase: 'restoring' }, event: Exclude<SessionEvent, { type: 'adopt' }>): SessionStep {
  switch (event.type) {
    case 'record-found': {
      const { account, refreshToken, scope } = event.record;
      const live: LiveSession = { phase: 'live', epoch: state.epoch, account, refreshToken, scope, access: null, renewal: { state: 'fresh', since: event.now, renewAt: event.now }, save: 0, storeError: null };
      return beginRenewal(live, event.now, 0);
    }
    case 'record-absent':
      return absent(state.epoch + 1, 'signed-out', state.account, null, []);
    case 'record-withheld':
      return { state: { phase: 'locked', epoch: state.epoch, account: state.account, error: event.error }, effects: [] };
    case 'tick':
      return !state.slow && event.now >= state.since + LIMITS.keyringSlowMs ? { state: { ...state, slow: true }, effects: [] } : same(state);
    case 'sign-out':
      return absent(state.epoch + 1, 'signed-out', state.account, null, [{ type: 'remove-record', account: state.account }]);
    // A read is under way: asking twice would open two password dialogs.
    case 'retry':
    case 'restore':
    case 'demand':
    case 'stored':
    case 'store-failed':
    case 'renewed':
    case 'renew-failed':
      return same(state);
    default:
      return assertNever(event);
  }
}

function stepLocked(state: SessionState & { phase: 'locked' }, event: Exclude<SessionEvent, { type: 'adopt' }>): SessionStep {
  switch (event.type) {
    case 'retry':
      return restore(state.epoch + 1, state.account, event.now);
    case 'restore':
      return restore(state.epoch + 1, event.account, event.now);
    case 'sign-out':
      return absent(state.epoch + 1, 'signed-out', state.account, null, [{ type: 'remove-record', account: state.account }]);
    case 'record-found':
    case 'record-absent':
    case 'record-withheld':
    case 'stored':
    case 'store-failed':
    case 'renewed':
    case 'renew-failed':
    case 'demand':
    case 'tick':
      return same(state);
    default:
      return assertNever(event);
  }
}

function stepAdopting(state: SessionState & { phase: 'adopting' }, event: Exclude<SessionEvent, { type: 'adopt' }>): SessionStep {
  switch (event.type) {
    case 'stored':
      return publish(state, null, event);
    case 'store-failed':
      return publish(state, event.error, event);
    case 'tick':
      return event.now >= state.since + LIMITS.keyringWriteSlowMs ? publish(state, slowKeyring(), event) : same(state);
    case 'sign-out':
      return absent(state.epoch + 1, 'signed-out', state.account, null, [{ type: 'remove-record', account: state.account }, ...revocation(state.grant.refreshToken), { type: 'adopted', attempt: state.attempt }]);
    case 'restore':
    case 'record-found':
    case 'record-absent':
    case 'record-withheld':
    case 'renewed':
    case 'renew-failed':
    case 'demand':
    case 'retry':
      return same(state);
    default:
      return assertNever(event);
  }
}

function stepLive(state: LiveSession, event: Exclude<SessionEvent, { type: 'adopt' }>): SessionStep {
  switch (event.type) {
    case 'renewed':
      return state.renewal.state === 'renewing' ? receive(state, event) : same(state);
    case 'renew-failed':
      return state.renewal.state === 'renewing' ? refuseOrWait(state, state.renewal, event) : same(state);
    case 'stored':
      if (event.save !== state.save) return same(state);
      return state.renewal.state === 'saving' ? use({ ...state, storeError: null }, state.renewal.grant, event) : { state: { ...state, storeError: null }, effects: [] };
    case 'store-failed':
      if (event.save !== state.save) return same(state);
      return state.renewal.state === 'saving' ? use({ ...state, storeError: event.error }, state.renewal.grant, event) : { state: { ...state, storeError: event.error }, effects: [] };
    case 'demand':
      return beginRenewal(state, event.now, state.renewal.state === 'waiting' ? state.renewal.failures : 0);
    case 'retry':
      return retryLive(state, event.now);
    case 'tick':
      return tickLive(state, event);
    case 'sign-out':
      return absent(state.epoch + 1, 'signed-out', state.account, null, [{ type: 'remove-record', account: state.account }, ...revocation(currentRefreshToken(state))]);
    case 'restore':
    case 'record-found':
    case 'record-absent':
    case 'record-withheld':
      return same(state);
    default:
      return assertNever(event);
  }
}

function adopt(state: SessionState, event: SessionEvent & { type: 'adopt' }): SessionStep {
  const { account, attempt, now } = event;
  const grant = { ...event.grant, refreshToken: event.grant.refreshToken ?? idleRefreshToken(state, account) };
  const previous = state.phase === 'live' ? state : state.phase === 'adopting' ? state.previous : null;
  const replaced = state.phase !== 'absent' && state.account.id !== account.id ? state : null;
  const effects: SessionEffect[] = replaced === null ? [] : [{ type: 'remove-record', account: replaced.account }, ...revocation(replaced.phase === 'live' ? currentRefreshToken(replaced) : replaced.phase === 'adopting' ? replaced.grant.refreshToken : null)];
  // An attempt whose tokens are replaced before they were stored has succeeded all the same.
  if (state.phase === 'adopting') effects.push({ type: 'adopted', attempt: state.attempt });
  const adopting = { phase: 'adopting', epoch: state.epoch + 1, account, grant, attempt, since: now, previous } as const;
  if (grant.refreshToken === null) return publish(adopting, nothingToStore(), { now, random: 0, renewEarlySeconds: 0 }, effects);
  return { state: adopting, effects: [...effects, { type: 'write-record', account, refreshToken: grant.refreshToken, scope: grant.scope, save: 0 }] };
}

function publish(state: SessionState & { phase: 'adopting' }, storeError: AuthError | null, timing: Timing, before: readonly SessionEffect[] = []): SessionStep {
  const { epoch, account, grant, attempt } = state;
  const live: LiveSession = {
    phase: 'live', epoch, account, refreshToken: grant.refreshToken, scope: grant.scope, save: 0, storeError,
    access: { token: grant.accessToken, obtainedAt: grant.obtainedAt, expiresAt: grant.expiresAt },
    renewal: { state: 'fresh', since: timing.now, renewAt: dueAt(grant, timing) },
  };
  return { state: live, effects: [...before, { type: 'adopted', attempt }] };
}

/** The new refresh token is in hand; it is stored first when it differs from the stored one. */
function receive(state: LiveSession, event: SessionEvent & { type: 'renewed' }): SessionStep {
  const { grant, now } = event;
  if (grant.refreshToken === null || (grant.refreshToken === state.refreshToken && state.storeError === null)) return use(state, grant, event);
  const save = state.save + 1;
  return {
    state: { ...state, save, renewal: { state: 'saving', since: now, grant } },
    effects: [{ type: 'write-record', account: state.account, refreshToken: grant.refreshToken, scope: grant.scope, save }],
  };
}

function use(state: LiveSession, grant: Grant, timing: Timing): SessionStep {
  const access = { token: grant.accessToken, obtainedAt: grant.obtainedAt, expiresAt: grant.expiresAt };
  return { state: { ...state, refreshToken: grant.refreshToken, scope: grant.scope, access, renewal: { state: 'fresh', since: timing.now, renewAt: dueAt(grant, timing) } }, effects: [] };
}

function refuseOrWait(state: LiveSession, renewal: Renewal & { state: 'renewing' }, event: SessionEvent & { type: 'renew-failed' }): SessionStep {
  const { error, now, random } = event;
  if (error.code === 'session-ended') return absent(state.epoch + 1, 'ended', state.account, error, [{ type: 'mark-refused', account: state.account }]);
  const failures = renewal.failures + 1;
  const nextTryAt = now + retryDelayMs(failures, error.retryAfterSeconds, random);
  return { state: { ...state, renewal: { state: 'waiting', since: renewal.since, failedAt: now, nextTryAt, failures, error } }, effects: [] };
}

function tickLive(state: LiveSession, event: SessionEvent & { type: 'tick' }): SessionStep {
  const { renewal, access } = state;
  switch (renewal.state) {
    case 'fresh':
      if (renewal.renewAt !== null && event.now >= renewal.renewAt) return beginRenewal(state, event.now, 0);
      if (state.refreshToken === null && isOver(access, event.now)) return absent(state.epoch + 1, 'ended', state.account, tokenOver(), []);
      return same(state);
    case 'waiting':
      return event.now >= renewal.nextTryAt ? beginRenewal(state, event.now, renewal.failures) : same(state);
    case 'saving':
      return event.now >= renewal.since + LIMITS.keyringWriteSlowMs ? use({ ...state, storeError: slowKeyring() }, renewal.grant, event) : same(state);
    case 'renewing':
      return same(state);
    default:
      return assertNever(renewal);
  }
}

function retryLive(state: LiveSession, now: number): SessionStep {
  if (state.renewal.state === 'waiting') return beginRenewal(state, now, state.renewal.failures);
  if (state.storeError === null || state.refreshToken === null || state.renewal.state !== 'fresh') return same(state);
  const save = state.save + 1;
  return { state: { ...state, save }, effects: [{ type: 'write-record', account: state.account, refreshToken: state.refreshToken, scope: state.scope, save }] };
}

function beginRenewal(state: LiveSession, now: number, failures: number): SessionStep {
  const busy = state.renewal.state === 'renewing' || state.renewal.state === 'saving';
  if (busy || state.refreshToken === null) return same(state);
  const since = state.renewal.state === 'waiting' ? state.renewal.since : now;
  return { state: { ...state, renewal: { state: 'renewing', since, failures } }, effects: [{ type: 'renew', refreshToken: state.refreshToken, scope: state.scope, account: state.account }] };
}

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
        return now >= renewal.renewAt || access === null ? { kind: 'demand' } : { kind: 'token', token: access.token };
      }
      return valid === null ? { kind: 'error', error: tokenOver() } : { kind: 'token', token: valid };
    case 'renewing':
    case 'saving':
      return valid !== null && now >= renewal.since + RENEWAL_SLOW_MS ? { kind: 'token', token: valid } : { kind: 'wait' };
    case 'waiting':
      if (valid !== null) return { kind: 'token', token: valid };
      // Callers may hurry us once the shortest pause is over, but never a server that asked for patience.
      return renewal.error.retryAfterSeconds === undefined && now >= renewal.failedAt + LIMITS.retryBaseMs ? { kind: 'demand' } : { kind: 'error', error: renewal.error };
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
      return renewal.renewAt ?? state.access?.expiresAt ?? null;
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

type Timing = { readonly now: number; readonly random: number; readonly renewEarlySeconds: number };

function dueAt(grant: Grant, timing: Timing): number | null {
  if (grant.refreshToken === null || grant.expiresAt === null) return null;
  // Never in the same instant: a server that gives tokens without life must not be asked in a tight loop.
  return Math.max(renewAt({ obtainedAt: grant.obtainedAt, expiresAt: grant.expiresAt, renewEarlySeconds: timing.renewEarlySeconds, random: timing.random }), timing.now + 1_000);
}

function restore(epoch: number, account: AccountView, now: number): SessionStep {
  return { state: { phase: 'restoring', epoch, account, since: now, slow: false }, effects: [{ type: 'read-record', account }] };
}

function absent(epoch: number, reason: SignedOutReason, account: AccountView | null, error: AuthError | null, effects: readonly SessionEffect[]): SessionStep {
  return { state: { phase: 'absent', epoch, reason, account, error }, effects };
}

function currentRefreshToken(state: LiveSession): string | null {
  return state.renewal.state === 'saving' ? state.renewal.grant.refreshToken : state.refreshToken;
}

/** Google gives a refresh token at the first consent only; signing in again as the same person must not cost it. */
function idleRefreshToken(state: SessionState, account: AccountView): string | null {
  return state.phase === 'live' && state.account.id === account.id && state.renewal.state !== 'renewing' ? currentRefreshToken(state) : null;
}

function revocation(token: string | null): readonly SessionEffect[] {
  return token === null ? [] : [{ type: 'revoke', token }];
}

function isOver(access: AccessToken | null, now: number): boolean {
  return access?.expiresAt !== null && now >= (access?.expiresAt ?? 0);
}

function same(state: SessionState): SessionStep {
  return { state, effects: [] };
}

function slowKeyring(): AuthError {
  return new AuthError('keyring-locked', 'the keyring does not answer; it may be waiting for its password');
}

function nothingToStore(): AuthError {
  return new AuthError('keyring-unavailable', 'the provider gave no refresh token, so there is nothing to remember');
}

function tokenOver(): AuthError {
  return new AuthError('session-ended', 'the access token has expired and there is no refresh token');
}
