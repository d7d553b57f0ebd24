// The machine of a session while a person is signed in: when the token of the sign-in is renewed,
// what each result means, and when it is stored. target-renewal.ts handles the renewal for another
// target. Pure.
import type { AccountView, AuthErrorCode } from '../../../contract.js';
import { AuthError, assertNever } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { TokenSet, AccessToken, TokenTarget } from '../base/tokens.js';
import { hasPassed, isSetBackBehind, renewAt, retryDelayMs } from '../base/backoff.js';
import { factsOf, withFacts } from './person-facts.js';
import {
  type LiveSession,
  NO_TROUBLE,
  type Renewal,
  type SessionEffect,
  type SessionEvent,
  type SessionStep,
  type Timing,
  type Trouble,
  absent,
  revocation,
  same,
} from './session-state.js';

/** Refusals, with a pause between them: one may be the mistake of a proxy or a deployment. */
const REFUSALS_MAX = 2;

/**
 * After these errors the request may have arrived: then the server has rotated the refresh token,
 * but the new one was lost.
 */
const ANSWER_MAY_BE_LOST: readonly AuthErrorCode[] = [
  'network-failed',
  'network-timeout',
  'response-invalid',
];

export function stepLive(
  state: LiveSession,
  event: Exclude<SessionEvent, { type: 'adopt' }>,
): SessionStep {
  switch (event.type) {
    case 'renewed':
      return state.renewal.state === 'renewing' ? receive(state, event) : same(state);
    case 'renew-failed':
      return state.renewal.state === 'renewing'
        ? refuseOrWait(state, state.renewal, event)
        : same(state);
    case 'stored':
      return event.save === state.save ? settleStore(state, null, event) : same(state);
    case 'store-failed':
      return event.save === state.save ? settleStore(state, event.error, event) : same(state);
    case 'demand':
      if (state.refreshToken === null && !isOver(state.access, event.now))
        return event.refused === state.access?.token ? beginRenewal(state, event.now) : same(state);
      return event.target !== null && state.renewal.state === 'fresh'
        ? beginTargetRenewal(state, event.target, event.now)
        : beginRenewal(state, event.now);
    case 'retry':
      return retryLive(state, event.now);
    case 'tick':
      return tickLive(state, event);
    case 'wake':
      return wakeLive(state, event.now);
    case 'sign-out':
      return absent(
        state.epoch + 1,
        'signed-out',
        state.account,
        null,
        revocation(state.account, revocableToken(state)),
      );
    case 'restore':
    case 'record-found':
    case 'record-absent':
    case 'record-withheld':
      return same(state);
    default:
      return assertNever(event);
  }
}

function tickLive(state: LiveSession, event: SessionEvent & { type: 'tick' }): SessionStep {
  const { renewal, access } = state;
  // A token of unknown age is renewed first, and what comes of that is stored.
  const isRenewedFirst = wasSetBack(access, event.now) && isDue(state, event.now);
  if (renewal.state === 'fresh' && isStoringDue(state, event.now) && !isRenewedFirst)
    return storeAgain(state, event.now);
  switch (renewal.state) {
    case 'fresh':
      if (isDue(state, event.now)) return beginRenewal(state, event.now);
      return state.refreshToken === null && isOver(access, event.now)
        ? beginRenewal(state, event.now)
        : same(state);
    case 'waiting':
      return event.now >= renewal.nextTryAt || isSetBackBehind(renewal.failedAt, event.now)
        ? beginRenewal(state, event.now)
        : same(state);
    case 'saving':
      if (isSetBackBehind(renewal.since, event.now))
        return { state: { ...state, renewal: { ...renewal, since: event.now } }, effects: [] };
      return event.now >= renewal.since + LIMITS.keyringWriteSlowMs
        ? settleStore(state, slowKeyring(), event)
        : same(state);
    case 'renewing':
      return same(state);
    default:
      return assertNever(renewal);
  }
}

/**
 * After a sleep every timer is wrong, and what failed before may work now. Only the pause that a
 * server asked for is still kept.
 */
function wakeLive(state: LiveSession, now: number): SessionStep {
  const { renewal } = state;
  if (renewal.state === 'waiting')
    return renewal.error.retryAfterSeconds === undefined || now >= renewal.nextTryAt
      ? beginRenewal(state, now)
      : same(state);
  if (renewal.state !== 'fresh') return same(state);
  if (isDue(state, now)) return beginRenewal(state, now);
  return state.storeRetryAt === null ? same(state) : storeAgain(state, now);
}

function retryLive(state: LiveSession, now: number): SessionStep {
  if (state.renewal.state === 'waiting') return beginRenewal(state, now);
  return state.renewal.state === 'fresh' && state.storeError !== null
    ? storeAgain(state, now)
    : same(state);
}

/** Stores new tokens before they are used, unless they come from the record itself. */
function receive(state: LiveSession, event: SessionEvent & { type: 'renewed' }): SessionStep {
  const { now } = event;
  const tokens = withFacts(state, event.tokens, event.stored, now);
  if (event.stored) return use({ ...state, storeError: null, storeRetryAt: null }, tokens, event);
  const save = state.save + 1;
  return {
    state: { ...state, save, renewal: { state: 'saving', since: now, tokens } },
    effects: [writeEffect(state.account, tokens, state.resources, save)],
  };
}

function settleStore(
  state: LiveSession,
  storeError: AuthError | null,
  timing: Timing,
): SessionStep {
  const settled = withStoreError(state, storeError, timing.now);
  return state.renewal.state === 'saving'
    ? use(settled, state.renewal.tokens, timing)
    : { state: settled, effects: [] };
}

export function withStoreError(
  state: LiveSession,
  storeError: AuthError | null,
  now: number,
): LiveSession {
  return {
    ...state,
    storeError,
    storeRetryAt: storeError === null ? null : now + LIMITS.storeRetryMs,
  };
}

function use(state: LiveSession, tokens: TokenSet, timing: Timing): SessionStep {
  const access = accessOf(tokens);
  return {
    state: {
      ...state,
      refreshToken: tokens.refreshToken,
      scope: tokens.scope,
      access,
      ...factsOf(tokens),
      identityMismatch: false,
      renewal: { state: 'fresh', since: timing.now, renewAt: dueAt(tokens, timing) },
    },
    effects: [],
  };
}

export function refuseOrWait(
  state: LiveSession,
  renewal: Renewal & { state: 'renewing' },
  event: SessionEvent & { type: 'renew-failed' },
): SessionStep {
  const { error, now, random } = event;
  if (state.refreshToken === null) return endWithToken(state, error, now);
  const trouble = worse(renewal.trouble, event);
  const verdict = finalError(error, trouble);
  if (verdict !== null)
    return absent(state.epoch + 1, 'ended', state.account, verdict, [
      { type: error.code === 'session-ended' ? 'mark-refused' : 'suspend', account: state.account },
    ]);
  // While the token is valid nobody waits, so a provider with problems gets longer pauses. A
  // network failure says nothing about the provider.
  const inAdvance = error.code === 'server-unavailable' && !isOver(state.access, renewal.since);
  const pause = retryDelayMs(
    trouble.failures,
    error.retryAfterSeconds,
    random,
    inAdvance,
    lifeLeftMs(state.access, now),
  );
  const nextTryAt = now + (event.refused ? Math.max(pause, LIMITS.refusalPauseMs) : pause);
  const waiting: LiveSession = {
    ...state,
    renewal: { state: 'waiting', since: renewal.since, failedAt: now, nextTryAt, trouble, error },
  };
  return event.rotated === undefined
    ? { state: waiting, effects: [] }
    : storeAgain({ ...waiting, refreshToken: event.rotated, identityMismatch: true }, now);
}

/**
 * The access token is over or refused, and nothing can renew it. `error` says whether the record
 * was read: if not, the next start reads it.
 */
function endWithToken(state: LiveSession, error: AuthError, now: number): SessionStep {
  const { epoch, account, access } = state;
  if (isOver(access, now)) return endedByTime(epoch + 1, account, access);
  const refused = new AuthError(
    'session-ended',
    'an API has refused the access token, and there is no refresh token',
  );
  return absent(epoch + 1, 'ended', account, refused, [
    { type: error.code === 'session-ended' ? 'mark-refused' : 'suspend', account },
  ]);
}

/** The clock may be wrong, so the record stays, and the next start looks at it again. */
export function endedByTime(
  epoch: number,
  account: AccountView,
  access: AccessToken | null,
): SessionStep {
  const step = absent(epoch, 'ended', account, tokenOver(), [{ type: 'suspend', account }]);
  const overAt = access?.expiresAt ?? null;
  return overAt === null || step.state.phase !== 'absent'
    ? step
    : { ...step, state: { ...step.state, overAt } };
}

function worse(
  trouble: Trouble,
  { error, refused, now }: SessionEvent & { type: 'renew-failed' },
): Trouble {
  const answerLost = trouble.answerLost || ANSWER_MAY_BE_LOST.includes(error.code);
  const counts =
    refused &&
    (trouble.refusedAt === null || Math.abs(now - trouble.refusedAt) >= LIMITS.refusalPauseMs);
  const refusal = counts
    ? { refusals: trouble.refusals + 1, refusedAt: now }
    : { refusals: trouble.refusals, refusedAt: trouble.refusedAt };
  return { failures: trouble.failures + 1, ...refusal, answerLost };
}

/**
 * Why the session has ended, or null if it may still be renewed. Only the server's own refusal ends
 * it. A repeated refusal with another error than `invalid_grant` offers a new sign-in; the record
 * stays, and the next start tries it once more.
 */
function finalError(error: AuthError, trouble: Trouble): AuthError | null {
  if (error.code === 'session-ended') {
    if (!trouble.answerLost) return error;
    return new AuthError(
      'session-ended',
      'the provider no longer accepts the refresh token; its answer to an earlier renewal was lost on the way',
      { serverError: error.serverError },
    );
  }
  if (trouble.refusals < REFUSALS_MAX) return null;
  return new AuthError(
    'session-ended',
    'the token endpoint refuses the refresh token again and again',
    { serverError: error.serverError },
  );
}

export function storeAgain(state: LiveSession, now: number): SessionStep {
  const save = state.save + 1;
  const { account, refreshToken, scope, resources, access, identityMismatch } = state;
  const effect = {
    type: 'write-record',
    account,
    refreshToken,
    scope,
    resources,
    access,
    identityMismatch,
    ...factsOf(state),
    save,
  } as const;
  return { state: { ...state, save, storeRetryAt: now + LIMITS.storeRetryMs }, effects: [effect] };
}

export function beginRenewal(state: LiveSession, now: number): SessionStep {
  const { renewal, refreshToken } = state;
  if (renewal.state === 'renewing' || renewal.state === 'saving') return same(state);
  const since = renewal.state === 'waiting' ? renewal.since : now;
  const trouble = renewal.state === 'waiting' ? renewal.trouble : NO_TROUBLE;
  return {
    state: { ...state, renewal: { state: 'renewing', since, trouble } },
    effects: [renewEffect(state, refreshToken, null, state.access)],
  };
}

/** A refusal before this start was not final: one more refusal ends the session again. */
export function askOnceMore(state: LiveSession, now: number): SessionStep {
  const step = beginRenewal(state, now);
  const { state: next } = step;
  if (next.phase !== 'live' || next.renewal.state !== 'renewing') return step;
  return {
    ...step,
    state: {
      ...next,
      renewal: { ...next.renewal, trouble: { ...NO_TROUBLE, refusals: REFUSALS_MAX - 1 } },
    },
  };
}

export function beginTargetRenewal(
  state: LiveSession,
  target: TokenTarget,
  now: number,
): SessionStep {
  const { refreshToken } = state;
  if (refreshToken === null) return same(state);
  return {
    state: { ...state, targetRenewal: { state: 'renewing', since: now, target } },
    effects: [renewEffect(state, refreshToken, target, null)],
  };
}

function renewEffect(
  state: LiveSession,
  refreshToken: string | null,
  target: TokenTarget | null,
  replaced: AccessToken | null,
): SessionEffect {
  const { scope, account, identityMismatch } = state;
  return {
    type: 'renew',
    refreshToken,
    scope,
    account,
    target,
    replaced: replaced?.token ?? null,
    identityMismatch,
    stored: isInKeychain(state),
  };
}

/**
 * True also when only the state file, which names the record for the next start, was not written.
 */
function isInKeychain({ storeError }: LiveSession): boolean {
  return storeError === null || storeError.code === 'storage-failed';
}

export function isDue(state: LiveSession, now: number): boolean {
  const { renewal, access } = state;
  if (renewal.state !== 'fresh' || state.refreshToken === null) return false;
  const dueAt = backgroundDueAt(renewal.renewAt, access);
  return wasSetBack(access, now) || (dueAt !== null && now >= dueAt);
}

/**
 * When a renewal is due that no caller asked for. A token whose lifetime is zero is renewed for
 * callers, not all day long in the background.
 */
export function backgroundDueAt(renewAt: number | null, access: AccessToken | null): number | null {
  if (
    renewAt === null ||
    access === null ||
    access.expiresAt === null ||
    access.expiresAt - access.obtainedAt >= 1_000
  )
    return renewAt;
  return Math.max(renewAt, access.obtainedAt + LIMITS.zeroLifetimePauseMs);
}

export function dueAt(tokens: TokenSet, timing: Timing): number | null {
  if (tokens.refreshToken === null || tokens.expiresAt === null) return null;
  // Never at once: a server that issues tokens without any lifetime must not be asked in a tight
  // loop.
  return Math.max(
    renewAt({
      obtainedAt: tokens.obtainedAt,
      expiresAt: tokens.expiresAt,
      renewEarlySeconds: timing.renewEarlySeconds,
      random: timing.random,
    }),
    timing.now + 1_000,
  );
}

export function writeEffect(
  account: AccountView,
  tokens: TokenSet,
  resources: readonly string[],
  save: number,
): SessionEffect {
  return {
    type: 'write-record',
    account,
    refreshToken: tokens.refreshToken,
    scope: tokens.scope,
    resources,
    access: accessOf(tokens),
    identityMismatch: false,
    ...factsOf(tokens),
    save,
  };
}

export function accessOf({ accessToken, obtainedAt, expiresAt }: TokenSet): AccessToken {
  return { token: accessToken, obtainedAt, expiresAt };
}

/** True when there is no token, or when it has expired. */
export function isOver(access: AccessToken | null, now: number): boolean {
  return access === null || (access.expiresAt !== null && now >= access.expiresAt);
}

function lifeLeftMs(access: AccessToken | null, now: number): number {
  return (access?.expiresAt ?? Infinity) - now;
}

/** True when it is time to try again to store a session that could not be stored. */
export function isStoringDue({ storeRetryAt }: LiveSession, now: number): boolean {
  return (
    storeRetryAt !== null && hasPassed(storeRetryAt - LIMITS.storeRetryMs, LIMITS.storeRetryMs, now)
  );
}

/** True when the clock shows a time before the token came: the age of the token is then unknown. */
export function wasSetBack(access: AccessToken | null, now: number): boolean {
  return access !== null && isSetBackBehind(access.obtainedAt, now);
}

export function slowKeyring(): AuthError {
  return new AuthError(
    'keyring-locked',
    'the keyring does not answer; it may be waiting for its password',
  );
}

export function currentRefreshToken({
  renewal,
  targetRenewal,
  refreshToken,
}: LiveSession): string | null {
  if (targetRenewal?.state === 'saving') return targetRenewal.tokens.refreshToken;
  return renewal.state === 'saving' ? renewal.tokens.refreshToken : refreshToken;
}

/** What a sign-out revokes (RFC 7009 §2.1): the refresh token, or else the access token. */
export function revocableToken(state: LiveSession): string | null {
  return currentRefreshToken(state) ?? state.access?.token ?? null;
}

function tokenOver(): AuthError {
  return new AuthError(
    'session-ended',
    'the access token has expired and there is no refresh token',
  );
}
