// The machine of one attempt: (state, event) → state + effects. Pure: the event brings the time,
// and the effects hold the secrets. Several redirects may be open at once: the first one that
// brings an answer wins, and the others are closed.
import type { AttemptView } from '../../../contract.js';
import type { AttemptRequest } from './sign-in-request.js';
import type {
  AttemptEffect,
  AttemptEvent,
  AttemptState,
  AttemptStep,
  OpenAttempt,
  AttemptRedirect,
} from './attempt-state.js';
import { type DeviceWait, afterPoll, afterSetBack, isPollDue, polling } from './device-polling.js';
import { codeExpired } from '../oauth/device-authorization.js';
import { AuthError, assertNever } from '../base/errors.js';
import { leavesOtherRedirects } from './redirect-order.js';
import type { AttemptOutcome } from '../base/ports.js';
import { isSetBackBehind } from '../base/backoff.js';

type Waiting = AttemptState & { readonly phase: 'waiting' };

/** The first state; the engine prepares the first redirect at once. */
export function beginAttempt(
  number: number,
  request: AttemptRequest,
  now: number,
  timeoutSeconds: number,
): AttemptState & { readonly phase: 'preparing' } {
  const patienceMs = timeoutSeconds * 1000;
  return {
    phase: 'preparing',
    number,
    request,
    startedAt: now,
    expiresAt: now + patienceMs,
    patienceMs,
  };
}

/**
 * The first state of an attempt that an earlier process of the app began. Its callback has already
 * arrived and follows as an event.
 */
export function resumeAttempt(
  number: number,
  kept: {
    readonly startedAt: number;
    readonly expiresAt: number;
    readonly demand?: AttemptRequest;
  },
  redirect: number,
): AttemptState {
  const { startedAt, expiresAt, demand = {} } = kept;
  const redirects = [{ id: redirect, kind: 'custom-scheme', device: null }] as const;
  return {
    phase: 'waiting',
    number,
    request: demand,
    startedAt,
    expiresAt,
    patienceMs: expiresAt - startedAt,
    redirects,
    next: null,
    switching: false,
  };
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
      // A cancelled code exchange may still bring tokens. Every other event comes too late.
      return event.type === 'redeemed'
        ? { state, effects: [{ type: 'discard', tokens: event.tokens }] }
        : same(state);
    default:
      return assertNever(state);
  }
}

function stepPreparing(
  state: AttemptState & { phase: 'preparing' },
  event: AttemptEvent,
): AttemptStep {
  switch (event.type) {
    case 'prepared': {
      const expiresAt = Math.max(state.expiresAt, event.redirect.device?.expiresAt ?? 0);
      return {
        state: {
          ...state,
          expiresAt,
          phase: 'waiting',
          redirects: [event.redirect],
          next: event.next,
          switching: false,
        },
        effects: opening(event.redirect),
      };
    }
    case 'prepare-failed':
      return end(state, 'failed', event.error);
    case 'redeemed':
      // The redirect was closed before its answer arrived.
      return { state, effects: [{ type: 'discard', tokens: event.tokens }] };
    case 'cancel':
      return end(state, 'failed', cancelled());
    case 'tick':
      if (isSetBackBehind(state.startedAt, event.now))
        return { state: { ...state, ...startedAgain(state, event.now) }, effects: [] };
      return event.now >= state.expiresAt ? end(state, 'failed', expired()) : same(state);
    case 'next-redirect':
    case 'redirect-failed':
    case 'callback':
    case 'polled':
    case 'redeem-failed':
    case 'stored':
    case 'reopen':
      return same(state);
    default:
      return assertNever(event);
  }
}

function stepWaiting(state: Waiting, event: AttemptEvent): AttemptStep {
  switch (event.type) {
    case 'next-redirect':
      return state.switching || state.next === null
        ? same(state)
        : {
            state: { ...state, switching: true },
            effects: [{ type: 'prepare', expiresAt: state.expiresAt }],
          };
    case 'prepared':
      return addRedirect(state, event);
    case 'prepare-failed':
      // The open redirects stay open.
      return state.switching
        ? { state: { ...state, switching: false, next: event.next }, effects: [] }
        : same(state);
    case 'callback': {
      const redirect = redirectOf(state, event.redirect);
      return redirect === undefined
        ? same(state)
        : {
            state: { ...openOf(state), phase: 'redeeming', redirect },
            effects: [...closingOthers(state, redirect), { type: 'redeem', redirect: redirect.id }],
          };
    }
    case 'redeemed': {
      const redirect = redirectOf(state, event.redirect);
      if (redirect === undefined)
        return { state, effects: [{ type: 'discard', tokens: event.tokens }] };
      return {
        state: { ...openOf(state), phase: 'storing', redirect },
        effects: [
          ...closingOthers(state, redirect),
          { type: 'adopt', tokens: event.tokens, account: event.account },
        ],
      };
    }
    case 'redirect-failed':
      return dropRedirect(state, event.redirect, event.error);
    case 'polled':
      // Only a poll that is running can have an answer.
      return redirectOf(state, event.redirect)?.device?.asking === null
        ? {
            state: withDevice(state, event.redirect, (device) =>
              afterPoll(device, event.answer, event.now),
            ),
            effects: [],
          }
        : same(state);
    case 'reopen':
      return {
        state,
        effects: state.redirects
          .slice(-1)
          .map((redirect) => ({ type: 'open-browser', redirect: redirect.id, again: true })),
      };
    case 'cancel':
      return end(state, 'failed', cancelled());
    case 'tick':
      return tickWaiting(state, event.now);
    case 'redeem-failed':
    case 'stored':
      return same(state);
    default:
      return assertNever(event);
  }
}

function stepRedeeming(
  state: AttemptState & { phase: 'redeeming' },
  event: AttemptEvent,
): AttemptStep {
  switch (event.type) {
    case 'redeemed':
      // A device code may be granted at the moment when another redirect has won.
      if (event.redirect !== state.redirect.id)
        return { state, effects: [{ type: 'discard', tokens: event.tokens }] };
      return {
        state: { ...state, phase: 'storing' },
        effects: [{ type: 'adopt', tokens: event.tokens, account: event.account }],
      };
    case 'redeem-failed':
      return end(state, event.error.code === 'sign-in-denied' ? 'denied' : 'failed', event.error);
    case 'prepared':
      return { state, effects: [{ type: 'close-redirect', redirect: event.redirect.id }] };
    case 'cancel':
      return end(state, 'failed', cancelled());
    // The exchange has its own time limit. The same callback again changes nothing: a code is sent
    // only once.
    case 'tick':
    case 'callback':
    case 'polled':
    case 'next-redirect':
    case 'prepare-failed':
    case 'redirect-failed':
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
    case 'redeemed':
      return { state, effects: [{ type: 'discard', tokens: event.tokens }] };
    case 'prepared':
      return { state, effects: [{ type: 'close-redirect', redirect: event.redirect.id }] };
    // Too late to cancel: the person is signed in, and a cancel does not ask to sign out.
    case 'cancel':
    case 'tick':
    case 'callback':
    case 'polled':
    case 'next-redirect':
    case 'prepare-failed':
    case 'redirect-failed':
    case 'redeem-failed':
    case 'reopen':
      return same(state);
    default:
      return assertNever(event);
  }
}

/** The person gets the full time again, because the first redirect has used up some of it. */
function addRedirect(
  state: Waiting,
  { redirect, next, now }: AttemptEvent & { readonly type: 'prepared' },
): AttemptStep {
  if (!state.switching)
    return { state, effects: [{ type: 'close-redirect', redirect: redirect.id }] };
  const expiresAt = Math.max(
    state.expiresAt,
    now + state.patienceMs,
    redirect.device?.expiresAt ?? 0,
  );
  return {
    state: {
      ...state,
      expiresAt,
      redirects: [...state.redirects, redirect],
      next,
      switching: false,
    },
    effects: [{ type: 'extend', expiresAt }, ...opening(redirect)],
  };
}

/**
 * Continues with the redirects that are open. If none is open, prepares the next one. If there is
 * no next one, the attempt ends.
 */
function dropRedirect(state: Waiting, id: number, error: AuthError): AttemptStep {
  if (redirectOf(state, id) === undefined) return same(state);
  if (error.code === 'sign-in-denied') return end(state, 'denied', error);
  const redirects = state.redirects.filter((redirect) => redirect.id !== id);
  const close = { type: 'close-redirect', redirect: id } as const;
  if (redirects.length > 0) return { state: { ...state, redirects }, effects: [close] };
  const preparing = { ...openOf(state), phase: 'preparing' } as const;
  if (state.switching) return { state: preparing, effects: [close] };
  // Nobody used the code while it was valid, so probably nobody is there to try another redirect.
  if (state.next === null || !leavesOtherRedirects(error)) return end(state, 'failed', error);
  return { state: preparing, effects: [close, { type: 'prepare', expiresAt: state.expiresAt }] };
}

function tickWaiting(state: Waiting, now: number): AttemptStep {
  if (isSetBackBehind(state.startedAt, now)) return timeAgain(state, now);
  if (now >= state.expiresAt) return end(state, 'failed', expired());
  // A poll that is still running may bring the answer.
  const over = state.redirects.find(
    ({ device }) => device !== null && device.asking !== null && now >= device.expiresAt,
  );
  if (over !== undefined) return dropRedirect(state, over.id, codeExpired());
  const due = state.redirects.find(({ device }) => device !== null && isPollDue(device, now));
  if (due === undefined) return same(state);
  return {
    state: withDevice(state, due.id, polling),
    effects: [{ type: 'poll', redirect: due.id }],
  };
}

/**
 * The clock was set back to before the start, so the time that has passed is unknown. The person
 * gets the full time again.
 */
function timeAgain(state: Waiting, now: number): AttemptStep {
  const redirects = state.redirects.map((redirect) =>
    redirect.device === null
      ? redirect
      : { ...redirect, device: afterSetBack(redirect.device, now) },
  );
  const started = startedAgain(state, now);
  const expiresAt = Math.max(
    started.expiresAt,
    ...redirects.flatMap(({ device }) => device?.expiresAt ?? []),
  );
  return {
    state: { ...state, ...started, expiresAt, redirects },
    effects: [{ type: 'extend', expiresAt }],
  };
}

function startedAgain(
  { patienceMs }: OpenAttempt,
  now: number,
): Pick<OpenAttempt, 'startedAt' | 'expiresAt'> {
  return { startedAt: now, expiresAt: now + patienceMs };
}

/** When the machine needs a `tick`, or null. */
export function attemptDeadline(state: AttemptState, now: number): number | null {
  if (
    (state.phase === 'preparing' || state.phase === 'waiting') &&
    isSetBackBehind(state.startedAt, now)
  )
    return now;
  if (state.phase === 'preparing') return state.expiresAt;
  if (state.phase !== 'waiting') return null;
  const devices = state.redirects.flatMap(({ device }) =>
    device === null || device.asking === null
      ? []
      : [isPollDue(device, now) ? now : device.asking.at, device.expiresAt],
  );
  return Math.min(state.expiresAt, ...devices);
}

export function attemptView(state: AttemptState): AttemptView | null {
  switch (state.phase) {
    case 'preparing':
      return { stage: 'preparing', startedAt: state.startedAt, expiresAt: state.expiresAt };
    case 'waiting':
      return waitingView(state);
    case 'redeeming':
    case 'storing':
      return {
        stage: 'redeeming',
        redirect: state.redirect.kind,
        startedAt: state.startedAt,
        expiresAt: state.expiresAt,
      };
    case 'ended':
      return null;
    default:
      return assertNever(state);
  }
}

function waitingView(state: Waiting): AttemptView {
  const { startedAt, expiresAt, next } = state;
  const newest = state.redirects.at(-1);
  if (state.switching || newest === undefined) return { stage: 'preparing', startedAt, expiresAt };
  const { kind, device } = newest;
  return {
    stage: 'waiting',
    redirect: kind,
    startedAt,
    expiresAt: device?.expiresAt ?? expiresAt,
    ...(next === null ? {} : { otherWay: next }),
    ...(device === null ? {} : { device: device.view }),
  };
}

/** The page of a device code opens on this computer only when the person asks for it. */
function opening(redirect: AttemptRedirect): readonly AttemptEffect[] {
  return redirect.kind === 'device-code'
    ? []
    : [{ type: 'open-browser', redirect: redirect.id, again: false }];
}

function closingOthers(state: Waiting, winner: AttemptRedirect): readonly AttemptEffect[] {
  return state.redirects
    .filter(({ id }) => id !== winner.id)
    .map(({ id }) => ({ type: 'close-redirect', redirect: id }));
}

function redirectOf(state: Waiting, id: number): AttemptRedirect | undefined {
  return state.redirects.find((redirect) => redirect.id === id);
}

function withDevice(
  state: Waiting,
  id: number,
  change: (device: DeviceWait) => DeviceWait,
): Waiting {
  return {
    ...state,
    redirects: state.redirects.map((redirect) =>
      redirect.id === id && redirect.device !== null
        ? { ...redirect, device: change(redirect.device) }
        : redirect,
    ),
  };
}

function openOf({ number, request, startedAt, expiresAt, patienceMs }: OpenAttempt): OpenAttempt {
  return { number, request, startedAt, expiresAt, patienceMs };
}

function end(state: AttemptState, outcome: AttemptOutcome, error: AuthError | null): AttemptStep {
  return {
    state: { phase: 'ended', number: state.number, outcome, error },
    effects: [{ type: 'close', outcome }],
  };
}

function same(state: AttemptState): AttemptStep {
  return { state, effects: [] };
}

function cancelled(): AuthError {
  return new AuthError('sign-in-cancelled', 'the sign-in was cancelled');
}

function expired(): AuthError {
  return new AuthError('sign-in-expired', 'the sign-in was not finished in time');
}
