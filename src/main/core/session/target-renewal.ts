// A renewal for another target while a person is signed in. Meanwhile the token of the sign-in stays
// in use. Pure.
import { AuthError, assertNever } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { isSetBackBehind } from '../base/backoff.js';
import {
  accessOf,
  beginRenewal,
  dueAt,
  refuseOrWait,
  slowKeyring,
  withStoreError,
} from './live-session.js';
import {
  type TargetRenewal,
  type LiveSession,
  NO_TROUBLE,
  type SessionEvent,
  type SessionStep,
  type TargetAnswer,
  type Timing,
  same,
} from './session-state.js';
import type { TokenTarget } from '../base/tokens.js';
import { factsOf } from './person-facts.js';

/** Handles only its own result: two requests with one refresh token would look like theft. */
export function stepTargetRenewal(
  state: LiveSession,
  targetRenewal: TargetRenewal,
  event: Exclude<SessionEvent, { type: 'adopt' | 'sign-out' }>,
): SessionStep {
  switch (event.type) {
    case 'renewed':
      return targetRenewal.state === 'renewing'
        ? receiveForTarget(state, targetRenewal, event)
        : same(state);
    case 'renew-failed':
      return targetRenewal.state === 'renewing'
        ? endTargetRenewal(state, targetRenewal, event)
        : same(state);
    case 'stored':
    case 'store-failed':
      if (event.save !== state.save) return same(state);
      return targetRenewal.state === 'saving'
        ? settleTargetRenewal(state, targetRenewal, 'error' in event ? event.error : null, event)
        : {
            state: withStoreError(state, 'error' in event ? event.error : null, event.now),
            effects: [],
          };
    case 'tick':
      if (targetRenewal.state === 'saving' && isSetBackBehind(targetRenewal.since, event.now))
        return {
          state: { ...state, targetRenewal: { ...targetRenewal, since: event.now } },
          effects: [],
        };
      return targetRenewal.state === 'saving' &&
        event.now >= targetRenewal.since + LIMITS.keyringWriteSlowMs
        ? settleTargetRenewal(state, targetRenewal, slowKeyring(), event)
        : same(state);
    case 'restore':
    case 'record-found':
    case 'record-absent':
    case 'record-withheld':
    case 'demand':
    case 'retry':
    case 'wake':
      return same(state);
    default:
      return assertNever(event);
  }
}

/** The record has the token of the sign-in, so only a new refresh token must be stored. */
function receiveForTarget(
  state: LiveSession,
  { target }: TargetRenewal,
  event: SessionEvent & { type: 'renewed' },
): SessionStep {
  const { tokens, now } = event;
  const saving = { state: 'saving', since: now, target, tokens } as const;
  if (tokens.refreshToken === null || tokens.refreshToken === state.refreshToken)
    return settleTargetRenewal(state, saving, state.storeError, event);
  const save = state.save + 1;
  const effect = {
    type: 'write-record',
    account: state.account,
    refreshToken: tokens.refreshToken,
    scope: state.scope,
    resources: state.resources,
    access: state.access,
    identityMismatch: false,
    ...factsOf(state),
    save,
  } as const;
  return { state: { ...state, save, targetRenewal: saving }, effects: [effect] };
}

function settleTargetRenewal(
  state: LiveSession,
  { target, tokens }: TargetRenewal & { state: 'saving' },
  storeError: AuthError | null,
  timing: Timing,
): SessionStep {
  const answer = {
    state: 'token',
    access: accessOf(tokens),
    renewAt: dueAt(tokens, timing),
  } as const;
  const settled =
    storeError === state.storeError ? state : withStoreError(state, storeError, timing.now);
  return {
    state: {
      ...settled,
      refreshToken: tokens.refreshToken,
      identityMismatch: false,
      targetRenewal: null,
      targets: withTarget(state.targets, target, answer),
    },
    effects: [],
  };
}

/**
 * A refusal for one target says nothing about the session. But Entra sends `invalid_grant` also
 * when only consent is missing, so a renewal of the sign-in's token then tells which it is.
 */
function endTargetRenewal(
  state: LiveSession,
  { target, since }: TargetRenewal,
  event: SessionEvent & { type: 'renew-failed' },
): SessionStep {
  const { error, now } = event;
  const idle = { ...state, targetRenewal: null };
  // A portal or proxy does not refuse with an error code of RFC 6749 §5.2.
  const isRefused =
    error.code === 'session-ended' ||
    (error.code === 'sign-in-refused' && error.serverError !== undefined);
  if (!isRefused)
    return refuseOrWait(idle, { state: 'renewing', since, trouble: NO_TROUBLE }, event);
  const answer = {
    state: 'refused',
    error: targetRefused(error),
    until: now + LIMITS.refusalPauseMs,
  } as const;
  const refused = { ...idle, targets: withTarget(state.targets, target, answer) };
  return error.code === 'session-ended'
    ? beginRenewal(refused, now)
    : { state: refused, effects: [] };
}

/** The newest is last; the oldest is dropped when there are too many. */
function withTarget(
  targets: LiveSession['targets'],
  { key }: TokenTarget,
  answer: TargetAnswer,
): LiveSession['targets'] {
  const others = [...targets].filter(([other]) => other !== key);
  return new Map([...others.slice(-(LIMITS.tokenTargets - 1)), [key, answer]]);
}

function targetRefused({ serverError, provider }: AuthError): AuthError {
  return new AuthError(
    'resource-refused',
    'the provider issues no token for this resource or these scopes',
    { serverError, provider },
  );
}
