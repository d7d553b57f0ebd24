// The machine of one attempt: (state, event) → state + effects. Pure: time comes with the event, secrets stay in the engine.
// Every state × event is explicit; what means nothing returns the same state.
import type { AccountView, AttemptView, RedirectKind, SignInRequest } from '../../contract.js';
import { AuthError, assertNever } from './errors.js';
import type { TripOutcome } from './ports.js';
import type { Grant } from './protocol.js';

interface Open {
  /** Identity of the attempt inside this process; effects answer with it. */
  readonly number: number;
  readonly request: SignInRequest;
  readonly startedAt: number;
  readonly expiresAt: number;
}

export type AttemptState =
  | (Open & { readonly phase: 'preparing' })
  | (Open & { readonly phase: 'waiting'; readonly redirect: RedirectKind })
  | (Open & { readonly phase: 'redeeming'; readonly redirect: RedirectKind })
  /** Tokens are there; the session is being stored before anybody is told. */
  | (Open & { readonly phase: 'storing'; readonly redirect: RedirectKind })
  | { readonly number: number; readonly phase: 'ended'; readonly outcome: TripOutcome; readonly error: AuthError | null };

export type AttemptEvent =
  | { readonly type: 'prepared'; readonly redirect: RedirectKind }
  | { readonly type: 'prepare-failed'; readonly error: AuthError }
  | { readonly type: 'browser-failed'; readonly error: AuthError }
  /** A callback whose state is this attempt's; what it says is judged by the redeem effect. */
  | { readonly type: 'callback' }
  | { readonly type: 'redeemed'; readonly grant: Grant; readonly account: AccountView }
  | { readonly type: 'redeem-failed'; readonly error: AuthError }
  | { readonly type: 'stored' }
  | { readonly type: 'reopen' }
  | { readonly type: 'cancel' }
  | { readonly type: 'tick'; readonly now: number };

export type AttemptEffect =
  | { readonly type: 'open-browser' }
  | { readonly type: 'redeem' }
  | { readonly type: 'adopt'; readonly grant: Grant; readonly account: AccountView }
  /** Tokens that nobody waits for any more. */
  | { readonly type: 'discard'; readonly grant: Grant }
  /** Closes the redirect with the outcome and forgets the secrets. */
  | { readonly type: 'close'; readonly outcome: TripOutcome };

export interface AttemptStep {
  readonly state: AttemptState;
  readonly effects: readonly AttemptEffect[];
}

/** The first state; the engine prepares redirect and authorization URL at once. */
export function beginAttempt(number: number, request: SignInRequest, now: number, timeoutSeconds: number): AttemptState & { readonly phase: 'preparing' } {
  return { phase: 'preparing', number, request, startedAt: now, expiresAt: now + timeoutSeconds * 1000 };
}

/** The first state of an attempt that an earlier process of the app began; its callback is at the door. */
export function resumeAttempt(number: number, kept: { readonly startedAt: number; readonly expiresAt: number }): AttemptState {
  return { phase: 'waiting', number, request: {}, redirect: 'custom-scheme', startedAt: kept.startedAt, expiresAt: kept.expiresAt };
}

export function stepAttempt(state: AttemptState, event: AttemptEvent): AttemptStep {
  switch (state.phase) {
    case 'preparing':
      return stepPreparing(state, event);
    case 'waiting':
      return stepWaiting(state, event);
    case 'redeeming':
      return stepRedeeming(state, event);
    case 'storing':
      return stepStoring(state, event);
    case 'ended':
      // A redeem that was cancelled may still bring tokens; all else is late news.
      return event.type === 'redeemed' ? { state, effects: [{ type: 'discard', grant: event.grant }] } : same(state);
    default:
      return assertNever(state);
  }
}

function stepPreparing(state: AttemptState & { phase: 'preparing' }, event: AttemptEvent): AttemptStep {
  switch (event.type) {
    case 'prepared':
      return { state: { ...state, phase: 'waiting', redirect: event.redirect }, effects: [{ type: 'open-browser' }] };
    case 'prepare-failed':
      return end(state, 'failed', event.error);
    case 'cancel':
      return end(state, 'failed', cancelled());
    case 'tick':
      return event.now >= state.expiresAt ? end(state, 'failed', expired()) : same(state);
    case 'browser-failed':
    case 'callback':
    case 'redeemed':
    case 'redeem-failed':
    case 'stored':
    case 'reopen':
      return same(state);
    default:
      return assertNever(event);
  }
}

function stepWaiting(state: AttemptState & { phase: 'waiting' }, event: AttemptEvent): AttemptStep {
  switch (event.type) {
    case 'callback':
      return { state: { ...state, phase: 'redeeming' }, effects: [{ type: 'redeem' }] };
    case 'reopen':
      return { state, effects: [{ type: 'open-browser' }] };
    case 'browser-failed':
      return end(state, 'failed', event.error);
    case 'cancel':
      return end(state, 'failed', cancelled());
    case 'tick':
      return event.now >= state.expiresAt ? end(state, 'failed', expired()) : same(state);
    case 'prepared':
    case 'prepare-failed':
    case 'redeemed':
    case 'redeem-failed':
    case 'stored':
      return same(state);
    default:
      return assertNever(event);
  }
}

function stepRedeeming(state: AttemptState & { phase: 'redeeming' }, event: AttemptEvent): AttemptStep {
  switch (event.type) {
    case 'redeemed':
      return { state: { ...state, phase: 'storing' }, effects: [{ type: 'adopt', grant: event.grant, account: event.account }] };
    case 'redeem-failed':
      return end(state, event.error.code === 'sign-in-denied' ? 'denied' : 'failed', event.error);
    case 'cancel':
      return end(state, 'failed', cancelled());
    // The exchange has its own time limit; the same callback again changes nothing: a code is posted once.
    case 'tick':
    case 'callback':
    case 'prepared':
    case 'prepare-failed':
    case 'browser-failed':
    case 'stored':
    case 'reopen':
      return same(state);
    default:
      return assertNever(event);
  }
}

function stepStoring(state: AttemptState & { phase: 'storing' }, event: AttemptEvent): AttemptStep {
  switch (event.type) {
    case 'stored':
      return end(state, 'signed-in', null);
    // Too late to cancel: the person is signed in, and signing out is another wish.
    case 'cancel':
    case 'tick':
    case 'callback':
    case 'prepared':
    case 'prepare-failed':
    case 'browser-failed':
    case 'redeemed':
    case 'redeem-failed':
    case 'reopen':
      return same(state);
    default:
      return assertNever(event);
  }
}

/** When the machine wants a `tick`, or null. */
export function attemptDeadline(state: AttemptState): number | null {
  return state.phase === 'preparing' || state.phase === 'waiting' ? state.expiresAt : null;
}

export function attemptView(state: AttemptState): AttemptView | null {
  switch (state.phase) {
    case 'preparing':
      return { stage: 'preparing', startedAt: state.startedAt, expiresAt: state.expiresAt };
    case 'waiting':
      return { stage: 'waiting', redirect: state.redirect, startedAt: state.startedAt, expiresAt: state.expiresAt };
    case 'redeeming':
    case 'storing':
      return { stage: 'redeeming', redirect: state.redirect, startedAt: state.startedAt, expiresAt: state.expiresAt };
    case 'ended':
      return null;
    default:
      return assertNever(state);
  }
}

function end(state: AttemptState, outcome: TripOutcome, error: AuthError | null): AttemptStep {
  return { state: { phase: 'ended', number: state.number, outcome, error }, effects: [{ type: 'close', outcome }] };
}

function same(state: AttemptState): AttemptStep {
  return { state, effects: [] };
}

function cancelled(): AuthError {
  return new AuthError('sign-in-cancelled', 'the sign-in was cancelled');
}

function expired(): AuthError {
  return new AuthError('sign-in-expired', 'the browser did not come back in time');
}
