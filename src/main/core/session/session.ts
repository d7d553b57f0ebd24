// The machine of a session: (state, event) → state + effects. This file has the phases until a
// person is signed in: absent, being read, locked, being stored. live-session.ts has the rest. Pure:
// the event brings the time and the random number. A new refresh token is stored, or has failed to
// be stored, before its access token is used.
import type { AccountView } from '../../../contract.js';
import { type AuthError, assertNever } from '../base/errors.js';
import { isAnonymous } from '../base/anonymous.js';
import { LIMITS } from '../base/limits.js';
import { type SessionRecord, refreshTokenOf } from '../storage/records.js';
import { stepTargetRenewal } from './target-renewal.js';
import { isSetBackBehind } from '../base/backoff.js';
import { isBackInTime } from './session-queries.js';
import { factsOf } from './person-facts.js';
import {
  accessOf,
  askOnceMore,
  beginRenewal,
  currentRefreshToken,
  dueAt,
  endedByTime,
  isDue,
  isOver,
  revocableToken,
  slowKeyring,
  stepLive,
  storeAgain,
  writeEffect,
} from './live-session.js';
import {
  type LiveSession,
  type SessionEffect,
  type SessionEvent,
  type SessionState,
  type SessionStep,
  type Timing,
  absent,
  removal,
  revocation,
  same,
} from './session-state.js';

const NO_TARGETS: LiveSession['targets'] = new Map();

export function stepSession(state: SessionState, event: SessionEvent): SessionStep {
  if (event.type === 'adopt') return adopt(state, event);
  switch (state.phase) {
    case 'absent':
      return stepAbsent(state, event);
    case 'restoring':
      return stepRestoring(state, event);
    case 'locked':
      return stepLocked(state, event);
    case 'adopting':
      return stepAdopting(state, event);
    case 'live':
      // A renewal for another target goes on until it is over or somebody signs out.
      return state.targetRenewal !== null && event.type !== 'sign-out'
        ? stepTargetRenewal(state, state.targetRenewal, event)
        : stepLive(state, event);
    default:
      return assertNever(state);
  }
}

function stepAbsent(
  state: SessionState & { phase: 'absent' },
  event: Exclude<SessionEvent, { type: 'adopt' }>,
): SessionStep {
  if (event.type === 'restore') return restore(state.epoch + 1, event.account, event.now);
  if (event.type === 'demand' || event.type === 'retry' || event.type === 'wake')
    return state.account !== null && isBackInTime(state, event.now)
      ? restore(state.epoch + 1, state.account, event.now)
      : same(state);
  // A session that the provider has ended may have left a record; a sign-out removes it. The token
  // in it may still work if the refusal was not final, for example during a deployment of the
  // provider.
  if (event.type !== 'sign-out' || state.reason !== 'ended' || state.account === null)
    return same(state);
  return absent(state.epoch + 1, 'signed-out', state.account, null, [removal(state.account, true)]);
}

function stepRestoring(
  state: SessionState & { phase: 'restoring' },
  event: Exclude<SessionEvent, { type: 'adopt' }>,
): SessionStep {
  switch (event.type) {
    case 'record-found':
      return resume(state.epoch, event.record, event, event.suspended === true);
    case 'record-absent':
      return event.foreign === true
        ? absent(state.epoch + 1, 'never', null, null, [])
        : absent(state.epoch + 1, 'signed-out', state.account, null, []);
    case 'record-withheld':
      return {
        state: { phase: 'locked', epoch: state.epoch, account: state.account, error: event.error },
        effects: [],
      };
    case 'tick':
      if (isSetBackBehind(state.since, event.now))
        return { state: { ...state, since: event.now }, effects: [] };
      return !state.slow && event.now >= state.since + LIMITS.keyringSlowMs
        ? { state: { ...state, slow: true }, effects: [] }
        : same(state);
    case 'sign-out':
      return absent(state.epoch + 1, 'signed-out', state.account, null, [
        removal(state.account, true),
      ]);
    // A read is running: a second one would open a second password dialog.
    case 'retry':
    case 'wake':
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

function stepLocked(
  state: SessionState & { phase: 'locked' },
  event: Exclude<SessionEvent, { type: 'adopt' }>,
): SessionStep {
  switch (event.type) {
    case 'retry':
      return restore(state.epoch + 1, state.account, event.now);
    case 'restore':
      return restore(state.epoch + 1, event.account, event.now);
    case 'wake':
      // To unlock the screen usually unlocks the keyring too.
      return event.signal === 'unlock'
        ? restore(state.epoch + 1, state.account, event.now)
        : same(state);
    case 'sign-out':
      return absent(state.epoch + 1, 'signed-out', state.account, null, [
        removal(state.account, true),
      ]);
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

function stepAdopting(
  state: SessionState & { phase: 'adopting' },
  event: Exclude<SessionEvent, { type: 'adopt' }>,
): SessionStep {
  switch (event.type) {
    case 'stored':
      return publish(state, null, event);
    case 'store-failed':
      return publish(state, event.error, event);
    case 'tick':
      if (isSetBackBehind(state.since, event.now))
        return { state: { ...state, since: event.now }, effects: [] };
      return event.now >= state.since + LIMITS.keyringWriteSlowMs
        ? publish(state, slowKeyring(), event)
        : same(state);
    case 'sign-out':
      return absent(state.epoch + 1, 'signed-out', state.account, null, [
        ...revocation(state.account, state.tokens.refreshToken ?? state.tokens.accessToken),
        { type: 'adopted', attempt: state.attempt },
      ]);
    case 'restore':
    case 'record-found':
    case 'record-absent':
    case 'record-withheld':
    case 'renewed':
    case 'renew-failed':
    case 'demand':
    case 'retry':
    case 'wake':
      return same(state);
    default:
      return assertNever(event);
  }
}

function adopt(state: SessionState, event: SessionEvent & { type: 'adopt' }): SessionStep {
  const { account, attempt, now } = event;
  const tokens = {
    ...event.tokens,
    refreshToken: event.tokens.refreshToken ?? idleRefreshToken(state, account),
  };
  const previous =
    state.phase === 'live' ? state : state.phase === 'adopting' ? state.previous : null;
  const replaced = state.phase !== 'absent' && state.account.id !== account.id ? state : null;
  const effects: SessionEffect[] = replaced === null ? [] : [...ofReplaced(replaced, account)];
  // An attempt whose tokens are replaced before they were stored has still succeeded.
  if (state.phase === 'adopting') effects.push({ type: 'adopted', attempt: state.attempt });
  const adopting = {
    phase: 'adopting',
    epoch: state.epoch + 1,
    account,
    tokens,
    attempt,
    since: now,
    previous,
  } as const;
  return {
    state: adopting,
    effects: [...effects, writeEffect(account, tokens, tokens.resources ?? [], 0)],
  };
}

function publish(
  state: SessionState & { phase: 'adopting' },
  storeError: AuthError | null,
  timing: Timing,
): SessionStep {
  const { epoch, account, tokens, attempt } = state;
  const live: LiveSession = {
    phase: 'live',
    epoch,
    account,
    refreshToken: tokens.refreshToken,
    scope: tokens.scope,
    resources: tokens.resources ?? [],
    save: 0,
    storeError,
    storeRetryAt: storeError === null ? null : timing.now + LIMITS.storeRetryMs,
    identityMismatch: false,
    access: accessOf(tokens),
    renewal: { state: 'fresh', since: timing.now, renewAt: dueAt(tokens, timing) },
    targetRenewal: null,
    targets: NO_TARGETS,
    ...factsOf(tokens),
  };
  return { state: live, effects: [{ type: 'adopted', attempt }] };
}

/**
 * Restores the session from its record. With an access token that is still valid, the start needs
 * no network.
 */
function resume(
  epoch: number,
  record: SessionRecord,
  timing: Timing,
  suspended: boolean,
): SessionStep {
  const { account, scope, resources = [], access, doubted: identityMismatch = false } = record;
  const refreshToken = refreshTokenOf(record);
  const { now } = timing;
  const due =
    access === null
      ? now
      : dueAt(
          {
            accessToken: access.token,
            refreshToken,
            scope,
            obtainedAt: access.obtainedAt,
            expiresAt: access.expiresAt,
          },
          timing,
        );
  const live: LiveSession = {
    phase: 'live',
    epoch,
    account,
    refreshToken,
    scope,
    resources,
    access,
    renewal: { state: 'fresh', since: now, renewAt: due },
    targetRenewal: null,
    targets: NO_TARGETS,
    save: 0,
    storeError: null,
    storeRetryAt: null,
    identityMismatch,
    ...factsOf(record),
  };
  if (refreshToken === null) {
    if (isOver(access, now)) return endedByTime(epoch + 1, account, access);
    // Stored again, the file says that it is a session.
    return suspended ? storeAgain(live, now) : { state: live, effects: [] };
  }
  if (suspended) return askOnceMore(live, now);
  return isDue(live, now) || isOver(access, now)
    ? beginRenewal(live, now)
    : { state: live, effects: [] };
}

function restore(epoch: number, account: AccountView, now: number): SessionStep {
  return {
    state: { phase: 'restoring', epoch, account, since: now, slow: false },
    effects: [{ type: 'read-record', account }],
  };
}

/**
 * Two anonymous accounts may be the same person, and a server may revoke all tokens of a person
 * with one of them: then nothing is revoked.
 */
function ofReplaced(
  replaced: Exclude<SessionState, { phase: 'absent' }>,
  by: AccountView,
): readonly SessionEffect[] {
  if (isAnonymous(replaced.account) && isAnonymous(by)) return [removal(replaced.account)];
  switch (replaced.phase) {
    case 'live':
      return revocation(replaced.account, revocableToken(replaced));
    case 'adopting':
      return revocation(
        replaced.account,
        replaced.tokens.refreshToken ?? replaced.tokens.accessToken,
      );
    default:
      return [removal(replaced.account, true)];
  }
}

/**
 * Google gives a refresh token only at the first consent; a new sign-in of the same person must not
 * lose it. With an anonymous account it is unknown whether it is the same person.
 */
function idleRefreshToken(state: SessionState, account: AccountView): string | null {
  if (isAnonymous(account)) return null;
  return state.phase === 'live' &&
    state.account.id === account.id &&
    state.renewal.state !== 'renewing' &&
    state.targetRenewal?.state !== 'renewing'
    ? currentRefreshToken(state)
    : null;
}
