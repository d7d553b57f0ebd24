// The machine of one attempt: (state, event) → state + effects. Pure: time comes with the event,
// secrets stay with the effects. An attempt may have several ways open at once; the first by which
// an answer comes wins, and the others are closed. Every state × event is explicit; what means
// nothing returns the same state.
import type { AttemptView, SignInRequest } from '../../../contract.js';
import type {
  AttemptEffect,
  AttemptEvent,
  AttemptState,
  AttemptStep,
  OpenAttempt,
  AttemptRedirect,
} from './attempt-state.js';
import {
  type DeviceWait,
  afterPoll,
  afterSetBack,
  codeExpired,
  isPollDue,
  polling,
} from './device-polling.js';
import { AuthError, assertNever } from '../base/errors.js';
import { leavesOtherRedirects } from './redirect-order.js';
import type { AttemptOutcome } from '../base/ports.js';
import { isSetBackBehind } from '../base/backoff.js';

type Waiting = AttemptState & { readonly phase: 'waiting' };

/** The first state; the engine prepares the first way at once. */
export function beginAttempt(
  number: number,
  request: SignInRequest,
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
 * The first state of an attempt that an earlier process of the app began; its callback is at the
 * door.
 */
export function resumeAttempt(
  number: number,
  kept: { readonly startedAt: number; readonly expiresAt: number },
  way: number,
): AttemptState {
  const { startedAt, expiresAt } = kept;
  const ways = [{ id: way, kind: 'custom-scheme', device: null }] as const;
  return {
    phase: 'waiting',
    number,
    request: {},
    startedAt,
    expiresAt,
    patienceMs: expiresAt - startedAt,
    ways,
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
      // A redeem that was cancelled may still bring tokens; all else is late news.
      return event.type === 'redeemed'
        ? { state, effects: [{ type: 'discard', grant: event.grant }] }
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
      const expiresAt = Math.max(state.expiresAt, event.way.device?.expiresAt ?? 0);
      return {
        state: {
          ...state,
          expiresAt,
          phase: 'waiting',
          ways: [event.way],
          next: event.next,
          switching: false,
        },
        effects: opening(event.way),
      };
    }
    case 'prepare-failed':
      return end(state, 'failed', event.error);
    case 'redeemed':
      // The way was closed while its answer was on the way.
      return { state, effects: [{ type: 'discard', grant: event.grant }] };
    case 'cancel':
      return end(state, 'failed', cancelled());
    case 'tick':
      if (isSetBackBehind(state.startedAt, event.now))
        return { state: { ...state, ...startedAgain(state, event.now) }, effects: [] };
      return event.now >= state.expiresAt ? end(state, 'failed', expired()) : same(state);
    case 'another-way':
    case 'way-failed':
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
    case 'another-way':
      return state.switching || state.next === null
        ? same(state)
        : {
            state: { ...state, switching: true },
            effects: [{ type: 'prepare', expiresAt: state.expiresAt }],
          };
    case 'prepared':
      return addWay(state, event);
    case 'prepare-failed':
      // What is open stays open.
      return state.switching
        ? { state: { ...state, switching: false, next: event.next }, effects: [] }
        : same(state);
    case 'callback': {
      const way = wayOf(state, event.way);
      return way === undefined
        ? same(state)
        : {
            state: { ...openOf(state), phase: 'redeeming', way },
            effects: [...closingOthers(state, way), { type: 'redeem', way: way.id }],
          };
    }
    case 'redeemed': {
      const way = wayOf(state, event.way);
      if (way === undefined) return { state, effects: [{ type: 'discard', grant: event.grant }] };
      return {
        state: { ...openOf(state), phase: 'storing', way },
        effects: [
          ...closingOthers(state, way),
          { type: 'adopt', grant: event.grant, account: event.account },
        ],
      };
    }
    case 'way-failed':
      return dropWay(state, event.way, event.error);
    case 'polled':
      // Only a question that is under way has an answer.
      return wayOf(state, event.way)?.device?.asking === null
        ? {
            state: withDevice(state, event.way, (device) =>
              afterPoll(device, event.answer, event.now),
            ),
            effects: [],
          }
        : same(state);
    case 'reopen':
      return {
        state,
        effects: state.ways
          .slice(-1)
          .map((way) => ({ type: 'open-browser', way: way.id, again: true })),
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
      // A device code may be granted in the very moment in which another way has won.
      if (event.way !== state.way.id)
        return { state, effects: [{ type: 'discard', grant: event.grant }] };
      return {
        state: { ...state, phase: 'storing' },
        effects: [{ type: 'adopt', grant: event.grant, account: event.account }],
      };
    case 'redeem-failed':
      return end(state, event.error.code === 'sign-in-denied' ? 'denied' : 'failed', event.error);
    case 'prepared':
      return { state, effects: [{ type: 'close-way', way: event.way.id }] };
    case 'cancel':
      return end(state, 'failed', cancelled());
    // The exchange has its own time limit; the same callback again changes nothing: a code is
    // posted once.
    case 'tick':
    case 'callback':
    case 'polled':
    case 'another-way':
    case 'prepare-failed':
    case 'way-failed':
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
      return { state, effects: [{ type: 'discard', grant: event.grant }] };
    case 'prepared':
      return { state, effects: [{ type: 'close-way', way: event.way.id }] };
    // Too late to cancel: the person is signed in, and signing out is another wish.
    case 'cancel':
    case 'tick':
    case 'callback':
    case 'polled':
    case 'another-way':
    case 'prepare-failed':
    case 'way-failed':
    case 'redeem-failed':
    case 'reopen':
      return same(state);
    default:
      return assertNever(event);
  }
}

/** The person gets the whole time anew: who asks for another way has lost some with the first. */
function addWay(
  state: Waiting,
  { way, next, now }: AttemptEvent & { readonly type: 'prepared' },
): AttemptStep {
  if (!state.switching) return { state, effects: [{ type: 'close-way', way: way.id }] };
  const expiresAt = Math.max(state.expiresAt, now + state.patienceMs, way.device?.expiresAt ?? 0);
  return {
    state: { ...state, expiresAt, ways: [...state.ways, way], next, switching: false },
    effects: [{ type: 'extend', expiresAt }, ...opening(way)],
  };
}

/**
 * Goes on with what else is open; when nothing is, with what else could be; when nothing could, the
 * attempt is over.
 */
function dropWay(state: Waiting, id: number, error: AuthError): AttemptStep {
  if (wayOf(state, id) === undefined) return same(state);
  if (error.code === 'sign-in-denied') return end(state, 'denied', error);
  const ways = state.ways.filter((way) => way.id !== id);
  const close = { type: 'close-way', way: id } as const;
  if (ways.length > 0) return { state: { ...state, ways }, effects: [close] };
  const preparing = { ...openOf(state), phase: 'preparing' } as const;
  if (state.switching) return { state: preparing, effects: [close] };
  // Nobody used the code in all its time: nobody is there to be asked for more.
  if (state.next === null || !leavesOtherRedirects(error)) return end(state, 'failed', error);
  return { state: preparing, effects: [close, { type: 'prepare', expiresAt: state.expiresAt }] };
}

function tickWaiting(state: Waiting, now: number): AttemptStep {
  if (isSetBackBehind(state.startedAt, now)) return timeAgain(state, now);
  if (now >= state.expiresAt) return end(state, 'failed', expired());
  // A question under way may still bring the answer.
  const over = state.ways.find(
    ({ device }) => device !== null && device.asking !== null && now >= device.expiresAt,
  );
  if (over !== undefined) return dropWay(state, over.id, codeExpired());
  const due = state.ways.find(({ device }) => device !== null && isPollDue(device, now));
  if (due === undefined) return same(state);
  return { state: withDevice(state, due.id, polling), effects: [{ type: 'poll', way: due.id }] };
}

/**
 * The clock was set back behind the beginning, and nobody knows how much of the time is over: the
 * person gets it once more.
 */
function timeAgain(state: Waiting, now: number): AttemptStep {
  const ways = state.ways.map((way) =>
    way.device === null ? way : { ...way, device: afterSetBack(way.device, now) },
  );
  const started = startedAgain(state, now);
  const expiresAt = Math.max(
    started.expiresAt,
    ...ways.flatMap(({ device }) => device?.expiresAt ?? []),
  );
  return {
    state: { ...state, ...started, expiresAt, ways },
    effects: [{ type: 'extend', expiresAt }],
  };
}

function startedAgain(
  { patienceMs }: OpenAttempt,
  now: number,
): Pick<OpenAttempt, 'startedAt' | 'expiresAt'> {
  return { startedAt: now, expiresAt: now + patienceMs };
}

/** When the machine wants a `tick`, or null. */
export function attemptDeadline(state: AttemptState, now: number): number | null {
  if (
    (state.phase === 'preparing' || state.phase === 'waiting') &&
    isSetBackBehind(state.startedAt, now)
  )
    return now;
  if (state.phase === 'preparing') return state.expiresAt;
  if (state.phase !== 'waiting') return null;
  const devices = state.ways.flatMap(({ device }) =>
    device === null || device.asking === null ? [] : [device.asking.at, device.expiresAt],
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
        redirect: state.way.kind,
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
  const newest = state.ways.at(-1);
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

/** A device code is shown; its page is opened on this computer only when the person asks. */
function opening(way: AttemptRedirect): readonly AttemptEffect[] {
  return way.kind === 'device-code' ? [] : [{ type: 'open-browser', way: way.id, again: false }];
}

function closingOthers(state: Waiting, winner: AttemptRedirect): readonly AttemptEffect[] {
  return state.ways
    .filter(({ id }) => id !== winner.id)
    .map(({ id }) => ({ type: 'close-way', way: id }));
}

function wayOf(state: Waiting, id: number): AttemptRedirect | undefined {
  return state.ways.find((way) => way.id === id);
}

function withDevice(
  state: Waiting,
  id: number,
  change: (device: DeviceWait) => DeviceWait,
): Waiting {
  return {
    ...state,
    ways: state.ways.map((way) =>
      way.id === id && way.device !== null ? { ...way, device: change(way.device) } : way,
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
  return new AuthError('sign-in-expired', 'nobody finished the sign-in in time');
}
