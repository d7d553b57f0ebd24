// The machine of the session: (state, event) → state + effects. Pure: time and chance come with the event.
// Save before publish: a new refresh token is stored (or known to be unstorable) before its access token is used.
import type { AccountView, AuthErrorCode, SignedOutReason } from '../../contract.js';
import { AuthError, assertNever } from './errors.js';
import { LIMITS } from './limits.js';
import type { Grant } from './protocol.js';
import type { SessionRecord } from './records.js';
import { renewAt, retryDelayMs } from './renewal.js';
import { type AccessToken, type Errand, type LiveSession, NO_TROUBLE, type Renewal, type SessionEffect, type SessionEvent, type SessionState, type SessionStep, type TargetAnswer, type Timing, type TokenTarget, type Trouble } from './session-state.js';

/** The second time, after a pause: once may be a proxy's or a deployment's mistake. */
const REFUSALS_MAX = 2;

/** A clock that is now this far before what it has already shown was set back: what is timed by it is done now. */
const CLOCK_SET_BACK_MS = 60_000;

const NO_TARGETS: LiveSession['targets'] = new Map();

/** The request may have arrived: then the server has rotated the refresh token, and nobody has heard of it. */
const ANSWER_MAY_BE_LOST: readonly AuthErrorCode[] = ['network-failed', 'network-timeout', 'response-invalid'];

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
    case 'record-found':
      return resume(state.epoch, event.record, event);
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

function stepLocked(state: SessionState & { phase: 'locked' }, event: Exclude<SessionEvent, { type: 'adopt' }>): SessionStep {
  switch (event.type) {
    case 'retry':
      return restore(state.epoch + 1, state.account, event.now);
    case 'restore':
      return restore(state.epoch + 1, event.account, event.now);
    case 'wake':
      // Who unlocks the screen has most often unlocked the keyring with it.
      return event.signal === 'unlock' ? restore(state.epoch + 1, state.account, event.now) : same(state);
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
    case 'wake':
      return same(state);
    default:
      return assertNever(event);
  }
}

function stepLive(state: LiveSession, event: Exclude<SessionEvent, { type: 'adopt' }>): SessionStep {
  if (state.errand !== null && event.type !== 'sign-out') return stepErrand(state, state.errand, event);
  switch (event.type) {
    case 'renewed':
      return state.renewal.state === 'renewing' ? receive(state, event) : same(state);
    case 'renew-failed':
      return state.renewal.state === 'renewing' ? refuseOrWait(state, state.renewal, event) : same(state);
    case 'stored':
      return event.save === state.save ? settleStore(state, null, event) : same(state);
    case 'store-failed':
      return event.save === state.save ? settleStore(state, event.error, event) : same(state);
    case 'demand':
      return event.target !== null && state.renewal.state === 'fresh' ? beginErrand(state, event.target, event.now) : beginRenewal(state, event.now);
    case 'retry':
      return retryLive(state, event.now);
    case 'tick':
      return tickLive(state, event);
    case 'wake':
      return wakeLive(state, event.now);
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
  // Nothing will be stored, and what an earlier session left must not come back at the next start: the view says "not remembered".
  if (grant.refreshToken === null) return publish(adopting, nothingToStore(), { now, random: 0, renewEarlySeconds: 0 }, [...effects, { type: 'remove-record', account }]);
  return { state: adopting, effects: [...effects, writeEffect(account, grant, grant.resources ?? [], 0)] };
}

function publish(state: SessionState & { phase: 'adopting' }, storeError: AuthError | null, timing: Timing, before: readonly SessionEffect[] = []): SessionStep {
  const { epoch, account, grant, attempt } = state;
  const live: LiveSession = {
    phase: 'live', epoch, account, refreshToken: grant.refreshToken, scope: grant.scope, resources: grant.resources ?? [], save: 0, storeError, storeRetryAt: storeError === null ? null : timing.now + LIMITS.storeRetryMs, doubted: false,
    access: accessOf(grant),
    renewal: { state: 'fresh', since: timing.now, renewAt: dueAt(grant, timing) }, errand: null, targets: NO_TARGETS,
  };
  return { state: live, effects: [...before, { type: 'adopted', attempt }] };
}

/** The new tokens are in hand; they are stored first, unless they come from the record itself. */
function receive(state: LiveSession, event: SessionEvent & { type: 'renewed' }): SessionStep {
  const { grant, now } = event;
  if (event.stored) return use({ ...state, storeError: null, storeRetryAt: null }, grant, event);
  if (grant.refreshToken === null) return use(state, grant, event);
  const save = state.save + 1;
  return { state: { ...state, save, renewal: { state: 'saving', since: now, grant } }, effects: [writeEffect(state.account, grant, state.resources, save)] };
}

function settleStore(state: LiveSession, storeError: AuthError | null, timing: Timing): SessionStep {
  const settled = withStoreError(state, storeError, timing.now);
  return state.renewal.state === 'saving' ? use(settled, state.renewal.grant, timing) : { state: settled, effects: [] };
}

function withStoreError(state: LiveSession, storeError: AuthError | null, now: number): LiveSession {
  return { ...state, storeError, storeRetryAt: storeError === null ? null : now + LIMITS.storeRetryMs };
}

function use(state: LiveSession, grant: Grant, timing: Timing): SessionStep {
  const access = accessOf(grant);
  return { state: { ...state, refreshToken: grant.refreshToken, scope: grant.scope, access, doubted: false, renewal: { state: 'fresh', since: timing.now, renewAt: dueAt(grant, timing) } }, effects: [] };
}

function refuseOrWait(state: LiveSession, renewal: Renewal & { state: 'renewing' }, event: SessionEvent & { type: 'renew-failed' }): SessionStep {
  const { error, now, random } = event;
  const trouble = worse(renewal.trouble, event);
  const verdict = finalError(error, trouble);
  if (verdict !== null) return absent(state.epoch + 1, 'ended', state.account, verdict, [{ type: 'mark-refused', account: state.account }]);
  // While the token is valid nobody waits, and a provider in trouble is spared; a network that fails says nothing about the provider.
  const inAdvance = error.code === 'server-unavailable' && !isOver(state.access, renewal.since);
  const pause = retryDelayMs(trouble.failures, error.retryAfterSeconds, random, inAdvance);
  const nextTryAt = now + (event.refused ? Math.max(pause, LIMITS.refusalPauseMs) : pause);
  const waiting: LiveSession = { ...state, renewal: { state: 'waiting', since: renewal.since, failedAt: now, nextTryAt, trouble, error } };
  return event.rotated === undefined ? { state: waiting, effects: [] } : storeAgain({ ...waiting, refreshToken: event.rotated, doubted: true }, now);
}

function worse(trouble: Trouble, { error, refused, now }: SessionEvent & { type: 'renew-failed' }): Trouble {
  const answerLost = trouble.answerLost || ANSWER_MAY_BE_LOST.includes(error.code);
  const counts = refused && (trouble.refusedAt === null || Math.abs(now - trouble.refusedAt) >= LIMITS.refusalPauseMs);
  const refusal = counts ? { refusals: trouble.refusals + 1, refusedAt: now } : { refusals: trouble.refusals, refusedAt: trouble.refusedAt };
  return { failures: trouble.failures + 1, ...refusal, answerLost };
}

/** Why the session is over, or null while there is hope. Only the server's own word ends it. */
function finalError(error: AuthError, trouble: Trouble): AuthError | null {
  if (error.code === 'session-ended') {
    if (!trouble.answerLost) return error;
    return new AuthError('session-ended', 'the provider no longer accepts the refresh token; its answer to an earlier renewal was lost on the way', { serverError: error.serverError });
  }
  if (trouble.refusals < REFUSALS_MAX) return null;
  return new AuthError('session-ended', 'the token endpoint refuses the refresh token again and again', { serverError: error.serverError });
}

function tickLive(state: LiveSession, event: SessionEvent & { type: 'tick' }): SessionStep {
  const { renewal, access } = state;
  if (renewal.state === 'fresh' && state.storeRetryAt !== null && event.now >= state.storeRetryAt) return storeAgain(state, event.now);
  switch (renewal.state) {
    case 'fresh':
      if (isDue(state, event.now)) return beginRenewal(state, event.now);
      if (state.refreshToken === null && isOver(access, event.now)) return absent(state.epoch + 1, 'ended', state.account, tokenOver(), []);
      return same(state);
    case 'waiting':
      return event.now >= renewal.nextTryAt || event.now < renewal.failedAt - CLOCK_SET_BACK_MS ? beginRenewal(state, event.now) : same(state);
    case 'saving':
      return event.now >= renewal.since + LIMITS.keyringWriteSlowMs ? settleStore(state, slowKeyring(), event) : same(state);
    case 'renewing':
      return same(state);
    default:
      return assertNever(renewal);
  }
}

/** After a sleep no timer is right, and what failed before it may work now; only a server that asked for patience gets it. */
function wakeLive(state: LiveSession, now: number): SessionStep {
  const { renewal } = state;
  if (renewal.state === 'waiting') return renewal.error.retryAfterSeconds === undefined || now >= renewal.nextTryAt ? beginRenewal(state, now) : same(state);
  if (renewal.state !== 'fresh') return same(state);
  if (isDue(state, now)) return beginRenewal(state, now);
  return state.storeRetryAt === null ? same(state) : storeAgain(state, now);
}

function retryLive(state: LiveSession, now: number): SessionStep {
  if (state.renewal.state === 'waiting') return beginRenewal(state, now);
  return state.renewal.state === 'fresh' && state.storeError !== null ? storeAgain(state, now) : same(state);
}

function storeAgain(state: LiveSession, now: number): SessionStep {
  if (state.refreshToken === null) return { state: { ...state, storeRetryAt: null }, effects: [] };
  const save = state.save + 1;
  const { account, refreshToken, scope, resources, access, doubted } = state;
  const effect = { type: 'write-record', account, refreshToken, scope, resources, access, doubted, save } as const;
  return { state: { ...state, save, storeRetryAt: now + LIMITS.storeRetryMs }, effects: [effect] };
}

function beginRenewal(state: LiveSession, now: number): SessionStep {
  const { renewal, refreshToken } = state;
  if (renewal.state === 'renewing' || renewal.state === 'saving' || refreshToken === null) return same(state);
  const since = renewal.state === 'waiting' ? renewal.since : now;
  const trouble = renewal.state === 'waiting' ? renewal.trouble : NO_TROUBLE;
  return { state: { ...state, renewal: { state: 'renewing', since, trouble } }, effects: [renewEffect(state, refreshToken, null, state.access)] };
}

function renewEffect(state: LiveSession, refreshToken: string, target: TokenTarget | null, replaced: AccessToken | null): SessionEffect {
  const { scope, account, doubted } = state;
  return { type: 'renew', refreshToken, scope, account, target, replaced: replaced?.token ?? null, doubted, stored: isInKeychain(state) };
}

function beginErrand(state: LiveSession, target: TokenTarget, now: number): SessionStep {
  const { refreshToken } = state;
  if (refreshToken === null) return same(state);
  return { state: { ...state, errand: { state: 'renewing', since: now, target } }, effects: [renewEffect(state, refreshToken, target, null)] };
}

/** All but its own end waits: two requests with one refresh token look like a thief's. */
function stepErrand(state: LiveSession, errand: Errand, event: Exclude<SessionEvent, { type: 'adopt' | 'sign-out' }>): SessionStep {
  switch (event.type) {
    case 'renewed':
      return errand.state === 'renewing' ? receiveForTarget(state, errand, event) : same(state);
    case 'renew-failed':
      return errand.state === 'renewing' ? endErrand(state, errand, event) : same(state);
    case 'stored':
    case 'store-failed':
      if (event.save !== state.save) return same(state);
      return errand.state === 'saving' ? settleErrand(state, errand, 'error' in event ? event.error : null, event) : { state: withStoreError(state, 'error' in event ? event.error : null, event.now), effects: [] };
    case 'tick':
      return errand.state === 'saving' && event.now >= errand.since + LIMITS.keyringWriteSlowMs ? settleErrand(state, errand, slowKeyring(), event) : same(state);
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

/** The record holds the token of the sign-in; only a new refresh token is news for it. */
function receiveForTarget(state: LiveSession, { target }: Errand, event: SessionEvent & { type: 'renewed' }): SessionStep {
  const { grant, now } = event;
  const saving = { state: 'saving', since: now, target, grant } as const;
  if (grant.refreshToken === null || grant.refreshToken === state.refreshToken) return settleErrand(state, saving, state.storeError, event);
  const save = state.save + 1;
  const effect = { type: 'write-record', account: state.account, refreshToken: grant.refreshToken, scope: state.scope, resources: state.resources, access: state.access, doubted: false, save } as const;
  return { state: { ...state, save, errand: saving }, effects: [effect] };
}

function settleErrand(state: LiveSession, { target, grant }: Errand & { state: 'saving' }, storeError: AuthError | null, timing: Timing): SessionStep {
  const answer = { state: 'token', access: accessOf(grant), renewAt: dueAt(grant, timing) } as const;
  const settled = storeError === state.storeError ? state : withStoreError(state, storeError, timing.now);
  return { state: { ...settled, refreshToken: grant.refreshToken, doubted: false, errand: null, targets: withTarget(state.targets, target, answer) }, effects: [] };
}

/** A no for one target says nothing of the session; but Entra says `invalid_grant` also where only consent is missing, so that is asked. */
function endErrand(state: LiveSession, { target, since }: Errand, event: SessionEvent & { type: 'renew-failed' }): SessionStep {
  const { error, now } = event;
  const idle = { ...state, errand: null };
  if (error.code !== 'session-ended' && error.code !== 'sign-in-refused') return refuseOrWait(idle, { state: 'renewing', since, trouble: NO_TROUBLE }, event);
  const answer = { state: 'refused', error: targetRefused(error), until: now + LIMITS.refusalPauseMs } as const;
  const refused = { ...idle, targets: withTarget(state.targets, target, answer) };
  return error.code === 'session-ended' ? beginRenewal(refused, now) : { state: refused, effects: [] };
}

/** The newest last; the oldest gives way when there are too many. */
function withTarget(targets: LiveSession['targets'], { key }: TokenTarget, answer: TargetAnswer): LiveSession['targets'] {
  const others = [...targets].filter(([other]) => other !== key);
  return new Map([...others.slice(-(LIMITS.tokenTargets - 1)), [key, answer]]);
}

/** Comes back from the keychain; an access token that is still good makes the start need no network. */
function resume(epoch: number, record: SessionRecord, timing: Timing): SessionStep {
  const { account, refreshToken, scope, resources = [], access, doubted = false } = record;
  const { now } = timing;
  const due = access === null ? now : dueAt({ accessToken: access.token, refreshToken, scope, obtainedAt: access.obtainedAt, expiresAt: access.expiresAt }, timing);
  const live: LiveSession = { phase: 'live', epoch, account, refreshToken, scope, resources, access, renewal: { state: 'fresh', since: now, renewAt: due }, errand: null, targets: NO_TARGETS, save: 0, storeError: null, storeRetryAt: null, doubted };
  return isDue(live, now) || isOver(access, now) ? beginRenewal(live, now) : { state: live, effects: [] };
}

function isDue(state: LiveSession, now: number): boolean {
  const { renewal, access } = state;
  if (renewal.state !== 'fresh' || state.refreshToken === null) return false;
  const dueAt = backgroundDueAt(renewal.renewAt, access);
  return wasSetBack(access, now) || (dueAt !== null && now >= dueAt);
}

/** When a renewal is due that nobody asked for: a token without life is asked for again by callers, not all day long. */
export function backgroundDueAt(renewAt: number | null, access: AccessToken | null): number | null {
  if (renewAt === null || access === null || access.expiresAt === null || access.expiresAt - access.obtainedAt >= 1_000) return renewAt;
  return Math.max(renewAt, access.obtainedAt + LIMITS.lifelessPauseMs);
}

/** The keychain has it also when only the file that leads the next start there could not be written. */
function isInKeychain({ storeError }: LiveSession): boolean {
  return storeError === null || storeError.code === 'storage-failed';
}

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

function currentRefreshToken({ renewal, errand, refreshToken }: LiveSession): string | null {
  if (errand?.state === 'saving') return errand.grant.refreshToken;
  return renewal.state === 'saving' ? renewal.grant.refreshToken : refreshToken;
}

/** Google gives a refresh token at the first consent only; signing in again as the same person must not cost it. */
function idleRefreshToken(state: SessionState, account: AccountView): string | null {
  return state.phase === 'live' && state.account.id === account.id && state.renewal.state !== 'renewing' && state.errand?.state !== 'renewing' ? currentRefreshToken(state) : null;
}

function writeEffect(account: AccountView, grant: Grant, resources: readonly string[], save: number): SessionEffect {
  return { type: 'write-record', account, refreshToken: grant.refreshToken ?? '', scope: grant.scope, resources, access: accessOf(grant), doubted: false, save };
}

function accessOf({ accessToken, obtainedAt, expiresAt }: Grant): AccessToken {
  return { token: accessToken, obtainedAt, expiresAt };
}

function revocation(token: string | null): readonly SessionEffect[] {
  return token === null ? [] : [{ type: 'revoke', token }];
}

/** True when there is no token, or its time is over. */
export function isOver(access: AccessToken | null, now: number): boolean {
  return access === null || (access.expiresAt !== null && now >= access.expiresAt);
}

/** True when the clock shows a time before the token came: then nobody knows how old it is. */
export function wasSetBack(access: AccessToken | null, now: number): boolean {
  return access !== null && now < access.obtainedAt - CLOCK_SET_BACK_MS;
}

function same(state: SessionState): SessionStep {
  return { state, effects: [] };
}

function targetRefused({ serverError, provider }: AuthError): AuthError {
  return new AuthError('resource-refused', 'the provider gives no token for this resource or these scopes', { serverError, provider });
}

export function slowKeyring(): AuthError {
  return new AuthError('keyring-locked', 'the keyring does not answer; it may be waiting for its password');
}

function nothingToStore(): AuthError {
  return new AuthError('keyring-unavailable', 'the provider gave no refresh token, so there is nothing to remember');
}

export function tokenOver(): AuthError {
  return new AuthError('session-ended', 'the access token has expired and there is no refresh token');
}
